package all_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

func rewriteHost(t *testing.T, rules string) *testHost {
	h := startHost(t, newHome(t, append(everything(), "url-rewrite")...))
	h.webConfig(rules)
	return h
}

// Rewriting and the other features of a site, together.
func TestRewriteInTheHost(t *testing.T) {
	h := rewriteHost(t, `<rewrite><rules>
<rule name="config"><match url="^get/(.*)" /><action type="Rewrite" url="/{R:1}" /></rule>
<rule name="secret"><match url="^secret$" /><action type="Rewrite" url="/web.config" /></rule>
<rule name="outside"><match url="^outside$" /><action type="Rewrite" url="/sub/../../config/applicationHost.config" /></rule>
<rule name="socket"><match url="^chat$" /><action type="Rewrite" url="/echo" /></rule>
<rule name="home"><match url="^home$" /><action type="Rewrite" url="/" /></rule>
<rule name="sub"><match url="^shop$" /><action type="Rewrite" url="/sub/" /></rule>
<rule name="abort"><match url="^abort$" /><action type="AbortRequest" /></rule>
<rule name="gone"><match url="^gone$" /><action type="CustomResponse" statusCode="410" subStatusCode="3" statusReason="Gone" statusDescription="moved away" /></rule>
<rule name="other"><match url="^other$" /><action type="Rewrite" url="http://127.0.0.1:1/" /></rule>
</rules>
<outboundRules><rule name="o"><match serverVariable="RESPONSE_X_Frame_Options" pattern=".*" /><action type="Rewrite" value="DENY" /></rule></outboundRules></rewrite>`)
	h.site("index.html", "the start page")
	h.site("sub/start.html", "the shop")
	h.site("sub/web.config", `<configuration><system.webServer><defaultDocument><files><clear /><add value="start.html" /></files></defaultDocument></system.webServer></configuration>`)
	h.site("a.txt", "a file")
	h.site("index.htm", "an older start page")
	for _, c := range []struct {
		path, named, holds string
	}{
		{"/home", "200", "an older start page"}, {"/shop", "200", "the shop"}, {"/get/a.txt", "200", "a file"},
		{"/secret", "404.8", ""}, {"/outside", "400.0", "climbs above the root"}, {"/get/sub/", "200", "the shop"},
		{"/gone", "410.3", "Gone: moved away"}, {"/other", "404.4", "only Reverse Proxy can reach"}, {"/nothing", "404.0", ""},
	} {
		a := h.get(c.path)
		if a.named() != c.named || !strings.Contains(a.body, c.holds) || a.header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %s %v, want %s with %q\n%.300s", c.path, a.named(), a.header, c.named, c.holds, a.body)
		}
	}
	echo(t, h.dial("/chat"), frame.Text, "through a rewrite")

	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, "GET /abort HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(c); err != nil || len(b) != 0 {
		t.Errorf("an aborted request is answered with %q, %v", b, err)
	}
}

// A rule that cannot be used is told with its place, and is seen to be mended by the next request.
func TestFaultyRewriteRule(t *testing.T) {
	h := rewriteHost(t, "\n<rewrite><rules>\n<rule name=\"r\"><match url=\"a(?=b)\" /></rule></rules></rewrite>")
	h.site("a.txt", "a file")
	if a := h.get("/a.txt"); a.named() != "500.19" || !strings.Contains(a.body, "looks around") || !strings.Contains(a.body, "web.config") {
		t.Errorf("%s\n%s", a.named(), a.body)
	}
	h.webConfig(`<rewrite><rules><rule name="r"><match url="^b" /><action type="Rewrite" url="a.txt" /></rule></rules></rewrite>`)
	if a := h.get("/b"); a.body != "a file" {
		t.Errorf("%s\n%s", a.named(), a.body)
	}
}

// Where rules look at bodies nobody compresses: the rules would find nothing in them.
func TestOutboundRulesMeetCompression(t *testing.T) {
	h := rewriteHost(t, `<urlCompression doDynamicCompression="true" />
<httpCompression minFileSizeForComp="0"><dynamicTypes><add mimeType="text/*" enabled="true" /></dynamicTypes></httpCompression>
<rewrite><outboundRules><rule name="o"><match filterByTags="A" pattern="^/old/(.*)" /><action type="Rewrite" value="/new/{R:1}" /></rule></outboundRules></rewrite>`)
	h.site("page.html", strings.Repeat(`<a href="/old/x">x</a>`, 500))
	h.site("page.css", strings.Repeat("a{b:c}", 500))
	for range 3 { // also when a compressed copy might be there
		a := h.get("/page.html", "Accept-Encoding: gzip")
		if a.named() != "200" || a.header.Get("Content-Encoding") != "" || strings.Count(a.body, `"/new/x"`) != 500 {
			t.Fatalf("%s %v %.100q", a.named(), a.header, a.body)
		}
	}
}
