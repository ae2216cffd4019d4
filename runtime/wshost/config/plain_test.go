package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// put writes a file as it is.
func (w *world) put(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.home, name), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// TestWhatIsShownOfTornFiles looks at the line of a fault in files that are not well-formed: signs that are looked for
// are shown, whatever may be a secret is not.
func TestWhatIsShownOfTornFiles(t *testing.T) {
	const rest = `<configuration><system.webServer /></configuration>`
	for name, c := range map[string]struct{ src, line string }{
		"dashes":                    {"---\n" + rest, "---"},
		"a blank line":              {"\n<?xml version=\"1.0\" encoding='utf-8'?>\n" + rest, `<?xml version="1.0" encoding='utf-8'?>`},
		"no declaration":            {"\n<?xml version=\"1.0\" password=\"secret\"?>\n" + rest, "<?…"},
		"words in a declaration":    {"\n<?xml version=\"se cret\"?>\n" + rest, "<?…"},
		"behind the end":            {rest + "\n`secret", "`…"},
		"words in front":            {"secret\n" + rest, "…"},
		"a torn comment":            {"<configuration>\n< ! -- secret -->\n</configuration>", "< ! --…"},
		"a merge":                   {"<configuration>\n<<<<<<< secret\n</configuration>", "<<<<<<<…"},
		"a comment":                 {"<configuration>\n<!-- secret -- secret -->\n</configuration>", "…--…"},
		"a comment in a group":      {"<configuration><system.webServer>\n<!-- secret -- secret -->\n</system.webServer></configuration>", "…--…"},
		"more signs than are shown": {strings.Repeat("-", maxPlain+1) + "\n" + rest, strings.Repeat("-", maxPlain) + "…"},
		"signs in a foreign value":  {"<configuration><connectionStrings>\n<add value=\"<%&!secret\" /></connectionStrings></configuration>", "…"},
		"an end tag":                {"<configuration><connectionStrings>\n</secret></configuration>", "…"},
	} {
		_, err := parse("f", []byte(c.src), testSchema(t))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if got := strings.TrimSpace(err.Source.Lines[err.Pos.Line-err.Source.First]); got != c.line {
			t.Errorf("%s: %v shows %q, want %q", name, err, got, c.line)
		}
		if strings.Contains(strings.Join(err.Source.Lines, "\n")+err.Error(), "secret") && !strings.Contains(err.Message, "closed by") {
			t.Errorf("%s: a secret is shown: %v %q", name, err, err.Source.Lines)
		}
	}
}

// TestCommentsAreNotShown: what was commented out may be a password, in sections of ours as well.
func TestCommentsAreNotShown(t *testing.T) {
	const src = "<configuration>\n<system.webServer>\n<!-- <add password=\"secret\" />\n more -->\n<defaultDocument enabled=\"perhaps\" />\n</system.webServer>\n</configuration>"
	w := newWorld(t, nil)
	w.put("root/web.config", src)
	_, err := w.open().Effective("Site", "/")
	fault, ok := err.(*Error)
	if !ok || fault.Pos.Line != 5 {
		t.Fatal(err)
	}
	if got := strings.Join(fault.Source.Lines, "\n"); strings.Contains(got, "more") || !strings.Contains(got, "perhaps") {
		t.Errorf("%q", got)
	}
}

// TestOtherFileAsSource: a file that is included by mistake is not shown.
func TestOtherFileAsSource(t *testing.T) {
	for name, c := range map[string]struct{ other, message string }{
		"another section": {"<connectionStrings>\n<add value=\"secret\" />\n</connectionStrings>", "root element is <connectionStrings>"},
		"torn":            {"<connectionStrings>\n<add value=\"secret\"\n</connectionStrings>", ""},
		"torn in a value": {"<connectionStrings value=\"secret\n<\" />", ""},
	} {
		w := newWorld(t, nil)
		w.put("root/web.config", `<configuration><system.webServer><defaultDocument configSource="x.config" /></system.webServer></configuration>`)
		w.put("root/x.config", c.other)
		_, err := w.open().Effective("Site", "/")
		fault, ok := err.(*Error)
		if !ok || !strings.Contains(fault.Message, c.message) || !strings.HasSuffix(fault.Pos.File, "x.config") {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := strings.Join(fault.Source.Lines, "\n"); strings.Contains(got, "secret") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
