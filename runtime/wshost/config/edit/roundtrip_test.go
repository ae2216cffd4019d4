package edit

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A setting is an attribute that is set in one of the files of testdata/roundtrip and taken back.
type setting struct {
	file, location, section string
	below                   Path // elements below the section
	name, value             string
}

func settings() []setting {
	const sw = "system.webServer/"
	cache := Elements("clientCache")
	mime := func(ext string) Path { return Path{named("mimeMap", "fileExtension", ext)} }
	return []setting{
		{"01-spa", "", sw + "staticContent", cache, "cacheControlMode", "UseMaxAge"},
		{"01-spa", "", sw + "staticContent", mime(".webp"), "mimeType", "image/webp"},
		{"01-spa", "", sw + "staticContent", mime(".json"), "mimeType", "text/json; charset=utf-8"},
		{"01-spa", "api", sw + "httpErrors", nil, "errorMode", "Detailed"},
		{"02-iisnode", "", sw + "webSocket", nil, "enabled", "true"},
		{"02-iisnode", "", sw + "webSocket", nil, "pingInterval", "00:00:30"},
		{"02-iisnode", "", sw + "security/requestFiltering", Elements("requestLimits"), "maxQueryString", "4096"},
		{"02-iisnode", "", sw + "security/requestFiltering", Path{{Name: "hiddenSegments"}, named("add", "segment", "node_modules")}, "applyToWebDAV", "false"},
		{"03-aspnetcore", "", sw + "aspNetCore", nil, "stdoutLogEnabled", "true"},
		{"03-aspnetcore", "", sw + "aspNetCore", Path{{Name: "environmentVariables"}, named("environmentVariable", "name", "MODE")}, "value", `a "quoted" & <sharp> 'value'`},
		{"03-aspnetcore", "", sw + "security/requestFiltering", nil, "removeServerHeader", "true"},
		{"04-tabs", "", sw + "defaultDocument", nil, "enabled", "false"},
		{"04-tabs", "", sw + "defaultDocument", Path{{Name: "files"}}, "mergeAppend", "false"},
		{"04-tabs", "", sw + "httpErrors", nil, "existingResponse", "PassThrough"},
		{"04-tabs", "", sw + "httpErrors", Path{named("error", "statusCode", "404", "path", "/404.html")}, "responseMode", "ExecuteURL"},
		{"05-oneline", "", sw + "directoryBrowse", nil, "enabled", "false"},
		{"05-oneline", "", sw + "staticContent", mime(".wasm"), "mimeType", "application/octet-stream"},
		{"05-oneline", "", sw + "httpRedirect", nil, "destination", "https://example.com/$S$Q"},
		{"06-attributes", "", sw + "httpPlatform", nil, "startupTimeLimit", "120"},
		{"06-attributes", "", sw + "httpPlatform", nil, "stdoutLogEnabled", "true"},
		{"06-attributes", "", sw + "httpPlatform", Path{{Name: "environmentVariables"}, named("environmentVariable", "name", "A")}, "value", "4 > 3"},
		{"07-net", "", sw + "modules", nil, "runAllManagedModulesForAllRequests", "false"},
		{"07-net", "", sw + "directoryBrowse", nil, "enabled", "false"},
		{"07-net", "", sw + "staticContent", cache, "cacheControlMode", "DisableCache"},
		{"08-comments", "", sw + "staticContent", cache, "cacheControlMode", "NoControl"},
		{"08-comments", "", sw + "staticContent", cache, "setEtag", "false"},
		{"08-comments", "", sw + "urlCompression", nil, "doDynamicCompression", "false"},
		{"08-comments", "", sw + "webSocket", nil, "enabled", "false"},
		{"09-empty", "", sw + "security/access", nil, "sslFlags", "Ssl"},
		{"09-empty", "a/b.htm", sw + "defaultDocument", nil, "enabled", "false"},
		{"10-apphost", "", "system.applicationHost/webLimits", nil, "minBytesPerSecond", "480"},
		{"10-apphost", "", "system.applicationHost/sites", Path{named("site", "name", "shop")}, "serverAutoStart", "false"},
		{"10-apphost", "", "system.applicationHost/sites", Path{named("site", "name", "shop"), {Name: "limits"}}, "maxConnections", "100"},
		{"10-apphost", "Shop", sw + "staticContent", cache, "cacheControlMode", "UseMaxAge"},
		{"10-apphost", "Shop/admin", sw + "webSocket", nil, "receiveBufferLimit", "65536"},
		{"10-apphost", "Shop/admin", sw + "defaultDocument", nil, "enabled", "false"},
	}
}

// TestRoundTrip sets and unsets attributes in files as people have them: only the lines that are concerned change, as
// the golden file shows, and what was not there before leaves no trace.
func TestRoundTrip(t *testing.T) {
	got := map[string]*strings.Builder{}
	files := map[string]bool{}
	for _, s := range settings() {
		src, err := os.ReadFile(filepath.Join("testdata", "roundtrip", s.file+".config"))
		if err != nil {
			t.Fatal(err)
		}
		files[s.file] = true
		if got[s.file] == nil {
			got[s.file] = &strings.Builder{}
		}
		fmt.Fprintf(got[s.file], "%s", roundTrip(t, src, s))
	}
	if len(files) < 10 || len(settings()) < 30 {
		t.Errorf("%d settings in %d files; 30 in 10 are the least", len(settings()), len(files))
	}
	for file, text := range got {
		name := filepath.Join("testdata", "roundtrip", file+".golden")
		if *update {
			if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(name); err != nil || string(want) != text.String() {
			t.Errorf("%s (%v) differs:\n%s", name, err, text)
		}
	}
}

func roundTrip(t *testing.T, src []byte, s setting) string {
	t.Helper()
	d, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	p := d.Place(s.location, s.section).Then(s.below...)
	old, had := d.Get(p, s.name)
	isNew := !d.Has(p)
	if err := d.Set(p, s.name, s.value); err != nil {
		t.Fatal(err)
	}
	after := d.Bytes()
	title := fmt.Sprintf("%s %s %s", s.section, p[len(p)-1].Name, s.name)
	if v, ok := d.Get(p, s.name); !ok || v != s.value {
		t.Errorf("%s: reads %q after it was set", title, v)
	}
	others(t, title, src, after)
	switch {
	case had:
		err = d.Set(p, s.name, old)
	case isNew && len(p[len(p)-1].Keys) > 0:
		_, err = d.Remove(p)
	default:
		_, err = d.Unset(p, s.name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if back := d.Bytes(); !bytes.Equal(back, src) {
		t.Errorf("%s: taken back it is\n%q\nand was\n%q", title, back, src)
	}
	return fmt.Sprintf("# %s: %s=%q\n%s\n", title, s.name, s.value, diff(src, after))
}

// others checks by the standard library's tokens that everything that was there is still there, in its order.
func others(t *testing.T, title string, before, after []byte) {
	t.Helper()
	rest := tokens(t, after)
	missing := 0
	for _, tok := range tokens(t, before) {
		i := 0
		for i < len(rest) && rest[i] != tok {
			i++
		}
		if i == len(rest) {
			missing++
			continue
		}
		rest = rest[i+1:]
	}
	if missing > 1 { // the start tag of what was changed
		t.Errorf("%s: %d tokens of the file before are gone", title, missing)
	}
}

func tokens(t *testing.T, src []byte) []string {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))))
	var out []string
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := tok.(xml.CharData); ok && len(bytes.TrimSpace(c)) == 0 {
			continue
		}
		out = append(out, fmt.Sprintf("%T %s", tok, tok))
	}
}

// diff shows the lines between the first and the last that differ, quoted so that white space is seen.
func diff(before, after []byte) string {
	a, b := strings.SplitAfter(string(before), "\n"), strings.SplitAfter(string(after), "\n")
	lo := 0
	for lo < len(a) && lo < len(b) && a[lo] == b[lo] {
		lo++
	}
	hiA, hiB := len(a), len(b)
	for hiA > lo && hiB > lo && a[hiA-1] == b[hiB-1] {
		hiA, hiB = hiA-1, hiB-1
	}
	var out strings.Builder
	for i := lo; i < hiA; i++ {
		fmt.Fprintf(&out, "-%4d %q\n", i+1, a[i])
	}
	for i := lo; i < hiB; i++ {
		fmt.Fprintf(&out, "+%4d %q\n", i+1, b[i])
	}
	return out.String()
}

func FuzzSet(f *testing.F) {
	names, err := filepath.Glob("testdata/roundtrip/*.config")
	if err != nil || len(names) == 0 {
		f.Fatal("no files", err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src, "enabled", "false")
	}
	f.Add([]byte("<a><!-- --><b/></a>"), "c", "\"'<&>\n")
	f.Fuzz(func(t *testing.T, src []byte, name, value string) {
		d, err := Parse(src)
		if err != nil {
			return
		}
		if !bytes.Equal(d.Bytes(), src) {
			t.Fatalf("unchanged it is %q", d.Bytes())
		}
		p := d.Place("", "system.webServer/webSocket")
		if err := d.Set(p, name, value); err != nil {
			if !bytes.Equal(d.Bytes(), src) {
				t.Fatalf("refused with %v, and changed", err)
			}
			return
		}
		if v, ok := d.Get(p, name); !ok || v != value {
			t.Fatalf("%q was set and reads %q in\n%s", value, v, d.Bytes())
		}
		if err := d.Override("", "system.webServer/webSocket", "Deny"); err != nil {
			t.Fatal(err)
		}
		locked := d.Place("", "system.webServer/webSocket")
		if v, _ := d.Get(locked, name); v != value {
			t.Fatalf("moved into a lock it reads %q in\n%s", v, d.Bytes())
		}
		if _, err := d.Unset(locked, name); err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(d.Bytes()); err != nil {
			t.Fatal(err)
		}
	})
}
