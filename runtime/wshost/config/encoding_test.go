package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// wide returns s as UTF-16, with or without a byte order mark.
func wide(s string, big, mark bool) []byte {
	units := utf16.Encode([]rune(s))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	var b []byte
	for _, u := range units {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return b
}

// TestUTF16 reads what Windows editors and PowerShell write.
func TestUTF16(t *testing.T) {
	const body = "<configuration>\r\n  " + "<system.webServer><defaultDocument><files><add value=\"grüß 😀\"/></files></defaultDocument>" + "</system.webServer>\r\n</configuration>"
	for name, c := range map[string]struct{ big, mark bool }{
		"little": {false, true}, "big": {true, true}, "little without a mark": {false, false}, "big without a mark": {true, false},
	} {
		for _, declaration := range []string{"", `<?xml version="1.0" encoding="utf-16"?>`, `<?xml version="1.0" encoding="utf-8"?>`} {
			w := newWorld(t, nil)
			if err := os.WriteFile(filepath.Join(w.home, "root/web.config"), wide(declaration+body, c.big, c.mark), 0o644); err != nil {
				t.Fatal(err)
			}
			e, err := w.open().Effective("Site", "/")
			if err != nil {
				t.Errorf("%s, %s: %v", name, declaration, err)
			} else if got := docs(t, e); got != "grüß 😀" {
				t.Errorf("%s, %s: %q", name, declaration, got)
			}
		}
	}
	faulty := wide("<configuration>\r\n<system.webServer><webSocket enabled=\"no\"/></system.webServer></configuration>", false, true)
	path := filepath.Join(t.TempDir(), "web.config")
	if err := os.WriteFile(path, faulty, 0o644); err != nil {
		t.Fatal(err)
	}
	errs := CheckFile(path, testSchema(t))
	if len(errs) != 1 || errs[0].Pos.Line != 2 || !strings.Contains(strings.Join(errs[0].Source.Lines, "\n"), `enabled="no"`) {
		t.Errorf("a fault in UTF-16: %+v", errs)
	}
}

// TestCodePages reads what older editors write, by the XML declaration.
func TestCodePages(t *testing.T) {
	const body = "<configuration>\r\n<system.webServer><defaultDocument><files><add value='%s'/></files></defaultDocument></system.webServer>\r\n</configuration>"
	for name, c := range map[string]struct{ label, written, want string }{
		"windows-1252":        {"Windows-1252", "gr\xfc\xdf \x80 \x93\x94 \x9f", "grüß € “” Ÿ"},
		"latin 1":             {"ISO-8859-1", "gr\xfc\xdf", "grüß"},
		"ASCII":               {"us-ascii", "gruss &#252;", "gruss ü"},
		"another, only ASCII": {"koi8-r", "gruss", "gruss"},
		"a mark says more":    {"windows-1252", "\xef\xbb\xbf" + "grüß", "grüß"},
	} {
		written, mark := strings.CutPrefix(c.written, "\xef\xbb\xbf")
		text := `<?xml version="1.0" encoding="` + c.label + `"?>` + fmt.Sprintf(body, written)
		if mark {
			text = "\xef\xbb\xbf" + text
		}
		w := newWorld(t, map[string]string{"root/web.config": "raw:" + text})
		e, err := w.open().Effective("Site", "/")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := docs(t, e); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Every byte that a code page can be read from is written again as the same.
func TestCharsetsKeepBytes(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, c := range []Charset{Windows1252, Latin1} {
		text, bad := c.Decode(every)
		if got := string(c.Encode(text)); bad >= 0 || got != string(every) {
			t.Errorf("%s: %q", c, got)
		}
	}
	for c, want := range map[Charset]string{UTF8: "ü€", Windows1252: "\xfc\x80", Latin1: "\xfc&#8364;", ASCII: "&#252;&#8364;", Unread: "&#252;&#8364;"} {
		if got := string(c.Encode([]byte("ü€"))); got != want {
			t.Errorf("%q: %q, want %q", c, got, want)
		}
	}
	for declaration, want := range map[string]Charset{
		"": UTF8, "<?xml version='1.0'?>": UTF8, "<?xml version='1.0' encoding = 'CP1252' ?>": Windows1252, "<?xml encoding='utf-8": UTF8,
		"<?xml version='1.0' encoding=\"big5\"?>": Unread, "<\x00?\x00": UTF16, "\xef\xbb\xbf<?xml version='1.0' encoding='latin1'?>": UTF8,
	} {
		if got := CharsetOf([]byte(declaration)); got != want {
			t.Errorf("%q: %q, want %q", declaration, got, want)
		}
	}
}

// TestHostileSizes sees what files of another size than any real one cost: nothing that lasts, and the two that are
// refused are refused with their limit.
func TestHostileSizes(t *testing.T) {
	entries := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(`<remove fileExtension=".x"/>`)
		}
		return ws("<staticContent>" + b.String() + "</staticContent>")
	}
	addAndRemove := func(n int) string {
		var b strings.Builder
		for _, name := range []string{"mimeMap mimeType='x/y'", "remove"} {
			for i := range n {
				fmt.Fprintf(&b, "<%s fileExtension='.%d'/>", name, i)
			}
		}
		return ws("<staticContent>" + b.String() + "</staticContent>")
	}
	locations := func(n int, same bool) string {
		var b strings.Builder
		for i := range n {
			if same {
				i = 0
			}
			fmt.Fprintf(&b, `<location path="p%d"><system.webServer><httpErrors/></system.webServer></location>`, i)
		}
		return b.String()
	}
	start := time.Now()
	for name, c := range map[string]struct {
		body string
		want fault
	}{
		"50 MB":             {"<!--" + strings.Repeat(" ", 50<<20) + "-->", fault{HResultMalformed, "root/web.config", "larger than 8 MiB", "", "configSource"}},
		"100 deep":          {strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), fault{HResultMalformed, "root/web.config:1:", "deeper than 64", "", "end tag is missing"}},
		"100,000 elements":  {entries(100_000), fault{HResultMalformed, "root/web.config:1:", "more than 65536 elements", "", "configSource"}},
		"65,000 elements":   {entries(65_000), fault{}},
		"added and removed": {addAndRemove(32_000), fault{}},
		"20,000 locations":  {locations(20_000, false), fault{}},
		"of one path":       {locations(20_000, true), fault{HResultMalformed, "root/web.config:1:", "too many faults", "", "mend those"}},
	} {
		w := newWorld(t, map[string]string{"root/web.config": c.body})
		w.check(name, "/", c.want)
	}
	if took := time.Since(start); took > 2*time.Minute {
		t.Errorf("they took %v", took)
	}
}
