package wshost

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSiteOf(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	site := func(id, name, bindings string) string {
		return `<site id="` + id + `" name="` + name + `"><application path="/"><virtualDirectory path="/" physicalPath="x"/></application><bindings>` + bindings + `</bindings></site>`
	}
	b := func(info string) string { return `<binding protocol="http" bindingInformation="` + info + `"/>` }
	text := `<configuration><system.applicationHost><sites>` +
		site("1", "local", b("127.0.0.1:80:")) + site("2", "all", b("*:80:")) + site("3", "named", b("*:80:www.example.com")) +
		site("4", "v6", b("[::1]:81:")) + site("5", "other", b("10.0.0.1:82:")) + `</sites></system.applicationHost></configuration>`
	if err := os.WriteFile(filepath.Join(home, "config", "applicationHost.config"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Read(home, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host string
		port int
		want string
	}{
		{"127.0.0.1", 80, "local"}, {"localhost", 80, "local"}, {"LOCALHOST.", 80, "local"}, {"10.1.1.1", 80, "all"}, {"example.com", 80, "all"},
		{"www.Example.com", 80, "named"}, {"[::1]", 81, "v6"}, {"::1", 81, "v6"}, {"name.of.it", 82, "other"}, {"localhost", 83, ""},
	} {
		if got, ok := r.SiteOf(c.host, c.port); got != c.want || ok != (c.want != "") {
			t.Errorf("%s:%d: got %q, want %q", c.host, c.port, got, c.want)
		}
	}
	if _, err := Read(t.TempDir(), nil, nil); err == nil {
		t.Error("a home without configuration is read")
	}
}
