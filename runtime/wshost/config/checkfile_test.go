package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// told lists errors as "file:line message" with the folder cut off.
func told(w *world, errs []*Error) string {
	var lines []string
	for _, e := range errs {
		file, _ := filepath.Rel(w.home, e.Pos.File)
		lines = append(lines, fmt.Sprintf("%s:%d %s", file, e.Pos.Line, e.Message))
	}
	return strings.Join(lines, "\n")
}

func TestCheckFileTellsAll(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": "\n" + ws(`
<webSocket enabled="x" nothing="1"/>
<nope/>
<globalModules/>
<staticContent isDocFooterFileName="true"><mimeMap fileExtension=".a" mimeType=""/></staticContent>`) + at("a", "", add("x")) + "\n" + at("a/b", "", add("x"))})
	got := told(w, CheckFile(filepath.Join(w.home, "root/web.config"), testSchema(t)))
	want := []string{
		`root/web.config:3 enabled="x": must be true or false`,
		`root/web.config:3 <webSocket> has no attribute "nothing"`,
		`root/web.config:4 unknown section "system.webServer/nope"`,
		`root/web.config:5 section "system.webServer/globalModules" can be used only at the level of the server`,
		`root/web.config:6 attribute "isDocFooterFileName" of <staticContent> is locked at a higher level`,
		`root/web.config:6 mimeType="": must not be empty`,
		`root/web.config:7 <add> with value="x" is already in the collection`,
	}
	lines := strings.Split(got, "\n")
	if len(lines) != len(want) {
		t.Fatalf("%s", got)
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("%s, want %s", lines[i], want[i])
		}
	}
	w.write("apphost", "\n"+`<system.applicationHost><sites><site name="x" id="0"/>
<site name="y" id="2"><application path="/"/></site>
<site name="z" id="3"><bindings><binding protocol="http" bindingInformation="80"/></bindings></site></sites></system.applicationHost>`)
	if n := len(CheckFile(filepath.Join(w.home, "apphost"), testSchema(t))); n != 3 {
		t.Errorf("applicationHost.config: %s", told(w, CheckFile(filepath.Join(w.home, "apphost"), testSchema(t))))
	}
	if errs := CheckFile(filepath.Join(w.home, "none"), testSchema(t)); len(errs) != 1 || errs[0].HResult != HResultNotFound {
		t.Errorf("missing file: %v", errs)
	}
}

func TestCheckSite(t *testing.T) {
	w := newWorld(t, map[string]string{
		"root/web.config":             ws(`<webSocket enabled="true"/>`),
		"root/.hidden/a/Web.config":   "raw:<x",
		"root/b/web.config":           at("c", "", "<nope/>"),
		"virt/deep/er/web.config":     ws(`<defaultDocument enabled="?"/>`),
		"root/nothing/other.config":   "raw:<x",
		"nosub/unread/web.config":     "raw:<x",
		"app/web.config":              ws(add("fine")),
		"root/good/below/web.config":  ws(add("fine")),
		"root/twice/inner/web.config": ws(add("z", "z")),
	})
	got := told(w, w.open().CheckSite("Site"))
	for _, want := range []string{"root/web.config:1 section \"system.webServer/webSocket\" cannot be used at this path", "root/.hidden/a/Web.config:1 ",
		`root/b/web.config:1 unknown section`, "root/twice/inner/web.config:1 <add> with", "virt/deep/er/web.config:1 enabled"} {
		if !strings.Contains(got, want) {
			t.Errorf("CheckSite misses %s in\n%s", want, got)
		}
	}
	if strings.Count(got, "\n") != 4 {
		t.Errorf("CheckSite:\n%s", got)
	}
}
