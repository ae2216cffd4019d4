package edit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// home makes a server with one site and returns the options of its configuration.
func home(t *testing.T, files map[string]string) config.Options {
	t.Helper()
	dir := t.TempDir()
	files["apphost"] = `<configuration><system.applicationHost><sites><site name="S" id="1"><application path="/">` +
		`<virtualDirectory path="/" physicalPath="root"/></application></site></sites></system.applicationHost>` + files["apphost"] + `</configuration>`
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := config.NewSchema(append(config.CoreSections(), config.Section{
		Path: "system.webServer/types", Element: config.Element{
			Name: "types", Attributes: []config.Attribute{{Name: "on", Type: config.Bool}},
			Collection: &config.Collection{Remove: "remove", Add: config.Element{Name: "add", Attributes: []config.Attribute{
				{Name: "name", Type: config.String, Key: true, Required: true},
			}}},
		},
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	return config.Options{AppHost: filepath.Join(dir, "apphost"), BaseDir: dir, Schema: schema}
}

func TestValidate(t *testing.T) {
	section := func(s string) string {
		return "<configuration><system.webServer>" + s + "</system.webServer></configuration>"
	}
	tests := []struct {
		name   string
		files  map[string]string
		target string
		text   string
		want   string // of the first fault; "" for none
	}{
		{"fine", map[string]string{}, "root/web.config", section(`<types on="true"/>`), ""},
		{"bad value", map[string]string{}, "root/web.config", section(`<types on="maybe"/>`), "must be true or false"},
		{"not well-formed", map[string]string{}, "root/web.config", "<configuration>", "the file ends before"},
		{"faults of before are nobody's doing", map[string]string{"root/web.config": section(`<none/>`)}, "root/web.config", section(`<!--
			--><none/><types on="true"/>`), ""},
		{"one more than before", map[string]string{"root/web.config": section(`<none/>`)}, "root/web.config", section(`<none/><none/>`), "unknown section"},
		{"an entry that a deeper file adds, too", map[string]string{"root/a/web.config": section(`<types><add name="x"/></types>`)}, "root/web.config",
			section(`<types><add name="x"/></types>`), "already in the collection"},
		{"a lock that a file breaks", map[string]string{"root/a/web.config": section(`<types on="true"/>`)}, "apphost",
			"", "is locked at a higher level"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := home(t, tt.files)
			file := filepath.Join(o.BaseDir, tt.target)
			text := []byte(tt.text)
			if tt.target == "apphost" {
				before, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				d, err := Parse(before)
				if err != nil {
					t.Fatal(err)
				}
				if err := d.Override("S", "system.webServer/types", "Deny"); err != nil {
					t.Fatal(err)
				}
				text = d.Bytes()
			}
			faults := Validate(o, file, text, "S")
			switch {
			case tt.want == "" && len(faults) > 0:
				t.Errorf("refused: %v", faults[0])
			case tt.want != "" && (len(faults) == 0 || !strings.Contains(faults[0].Message, tt.want)):
				t.Errorf("faults %v; want %q", faults, tt.want)
			}
			if got, err := os.ReadFile(file); err == nil && string(got) == string(text) {
				t.Error("the text was written")
			}
		})
	}
}
