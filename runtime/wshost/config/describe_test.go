package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestNodesTellOrigins(t *testing.T) {
	w := newWorld(t, map[string]string{
		"apphost": `<configSections><sectionGroup name="system.webServer"><section name="webSocket" overrideModeDefault="Deny"/></sectionGroup></configSections>
` + ws(`<webSocket enabled="false"/>
<staticContent lockAttributes="defaultDocFooter"><mimeMap fileExtension=".a" mimeType="a/b" lockItem="true"/></staticContent>`) +
			ws(`<security><access apiKey="hunter2"/></security>`),
		"root/web.config": "\n" + ws(`
<staticContent><mimeMap fileExtension=".b" mimeType="b/b"/><clientCache cacheControlMode="UseMaxAge"/></staticContent>
<open known="7" other="eight"/>`),
	})
	e, err := w.open().Effective("Site", "/x")
	if err != nil {
		t.Fatal(err)
	}
	at := func(p Pos) string {
		if p.File == "" {
			return "default"
		}
		return fmt.Sprintf("%s:%d", filepath.Base(p.File), p.Line)
	}
	var lines []string
	var tell func(n Node, path string)
	tell = func(n Node, path string) {
		path += "/" + n.Declaration().Name
		for _, a := range n.Values() {
			lines = append(lines, fmt.Sprintf("%s@%s=%s %s %v", path, a.Attribute.Name, a.Shown(), at(a.Pos), a.Set))
		}
		for _, l := range n.Locks() {
			lines = append(lines, fmt.Sprintf("%s lock %s %v %s", path, l.Kind, l.Names, at(l.Pos)))
		}
		for _, k := range append(n.Elements(), n.Entries()...) {
			pos, _ := k.Written()
			lines = append(lines, path+"/"+k.Declaration().Name+" "+at(pos))
			tell(k, path)
		}
	}
	for _, s := range []string{"webSocket", "staticContent", "security/access", "open", "httpErrors"} {
		n, ok := e.Node("system.webServer/" + s)
		if !ok {
			t.Fatalf("no section %s", s)
		}
		_, written := e.Origin("system.webServer/" + s)
		by, denied := e.Locked("system.webServer/" + s)
		lines = append(lines, fmt.Sprintf("%s written=%v denied=%v %s", s, written, denied, at(by)))
		tell(n, "")
	}
	apphost := filepath.Base(w.open().o.AppHost)
	got := strings.ReplaceAll(strings.Join(lines, "\n"), apphost, "H")
	for _, want := range []string{
		"webSocket written=true denied=true H:", "/webSocket@enabled=false H:", "/webSocket@receiveBufferLimit=4194304 default false",
		"staticContent written=true denied=false default", "/staticContent lock attributes [isDocFooterFileName] default", "/staticContent lock attributes [defaultDocFooter] H:",
		"/staticContent/mimeMap@fileExtension=.a H:", "/staticContent/mimeMap lock item [] H:", "/staticContent/mimeMap@fileExtension=.b web.config:3 true",
		"/staticContent/clientCache@cacheControlMode=UseMaxAge web.config:3 true", "/staticContent/clientCache@cacheControlMaxAge=1.00:00:00 default false",
		"/access@apiKey=" + masked + " H:", "/open@known=7 web.config:4 true", "/open@other=eight web.config:4 true", "httpErrors written=false denied=false default",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Error("a secret is told")
	}
	if t.Failed() {
		t.Log(got)
	}
	if _, ok := e.Node("system.webServer/none"); ok {
		t.Error("an unknown section is described")
	}
	if s := e.Sections(); len(s) < 8 || s[0] != "system.applicationHost/log" {
		t.Errorf("sections %v", s)
	}
}
