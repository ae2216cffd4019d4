package urlrewrite_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestRewriteTargets(t *testing.T) {
	to := func(url, more string) string {
		return rule(`<match url="^in(.*)" /><action type="Rewrite" url="` + url + `" ` + more + ` />`)
	}
	for _, c := range []struct{ rule, url, want string }{
		{to("/x", ""), "/in?a=1", "/x?a=1"}, {to("x", ""), "/in", "/x"}, {to("/", ""), "/in?a=1", "/?a=1"}, {to("x/", ""), "/in", "/x/"},
		{to("/x?b=2", ""), "/in?a=1", "/x?b=2&a=1"}, {to("/x?b=2", ""), "/in", "/x?b=2"}, {to("/x?b=2", `appendQueryString="false"`), "/in?a=1", "/x?b=2"},
		{to("/x?", ""), "/in?a=1", "/x?a=1"}, {to("/x?b=2&amp;", ""), "/in?a=1", "/x?b=2&a=1"}, {to("/x", `appendQueryString="false"`), "/in?a=1", "/x"},
		{to("", ""), "/in?a=1", "/in?a=1"}, {to("", `appendQueryString="false"`), "/in?a=1", "/in"},
		{to("/a/../b/./c", ""), "/in", "/b/c"}, {to("/a//b", ""), "/in", "/a/b"}, {to("a\\b", ""), "/in", "/a/b"}, {to("/a%20b", ""), "/in", "/a b"},
		{to("/x{R:1}", ""), "/in%25", "/x%"}, {to("/x{R:1}", ""), "/in%3Fadmin=1", "/x?admin=1"}, {to("/x{R:1}", ""), "/in%2541", "/x%41"},
		{to("/x?q={R:1}", ""), "/in%20%22%3C", "/x?q=%20%22%3C"}, {to("/x{URL}", ""), "/in%3F", "/x/in?"},
		{to("http://www.example.com/x", ""), "/in", "/x"}, {to("http://WWW.example.com", ""), "/in", "/"},
		{to("http://{HTTP_HOST}/x?y=1", ""), "/in?a=1", "/x?y=1&a=1"},
		{to("https://www.example.com/x", ""), "/in", "404.4 the rewrite rule \"r\" leads to another server, which only Reverse Proxy can reach ..."},
		{to("http://127.0.0.1:3000/{R:1}", ""), "/in", "404.4 ..."}, {to("ws://www.example.com/", ""), "/in", "404.4 ..."}, {to("{R:1}", ""), "/in/http://x.example/", "/http:/x.example/"},
		{to("../x", ""), "/in", "400.0 the rewrite rule \"r\" makes a URL that climbs above the root of the site ..."},
		{to("x%0d%0a", ""), "/in", "400.0 the rewrite rule \"r\" makes a URL that contains a control character ..."},
		{to("/x#y", ""), "/in", "/x#y"},
	} {
		newSite(t, "", rulesOf(c.rule)).check(t, []asked{{c.url, c.want}})
	}
}

func TestRedirects(t *testing.T) {
	to := func(url, more string) string {
		return rule(`<match url="^(.*)$" /><action type="Redirect" url="` + url + `" ` + more + ` />`)
	}
	for _, c := range []struct{ rule, url, want string }{
		{to("/x", `redirectType="Permanent"`), "/a", "301 /x"}, {to("/x", `redirectType="Found"`), "/a", "302 /x"}, {to("/x", `redirectType="SeeOther"`), "/a", "303 /x"},
		{to("/x", `redirectType="Temporary"`), "/a", "307 /x"}, {to("x", ""), "/a", "301 /x"}, {to("/x?b=1", ""), "/a?c=2", "301 /x?b=1&c=2"},
		{to("/x#top", ""), "/a?c=2", "301 /x?c=2#top"}, {to("/x", `appendQueryString="false"`), "/a?c=2", "301 /x"},
		{to("HTTPS://other.example/{R:1}", ""), "/a", "301 HTTPS://other.example/a"}, {to("//other.example/{R:1}", ""), "/a", "301 //other.example/a"},
		// what a client writes never leads to another server, nor into a field of its own
		{to("{UNENCODED_URL}", `appendQueryString="false"`), "GET //evil.example/x", "301 /evil.example/x"}, {to("{QUERY_STRING}", `appendQueryString="false"`), `/a?/\evil.example`, "301 /evil.example"},
		{strings.Replace(to("/{R:1}", ""), ".*", "[^]*", 1), "/a%0d%0aX:%20y", "301 /a%0D%0AX:%20y"}, {to("/x", ""), "/a?q=%0d%0a", "301 /x?q=%0d%0a"}, {to("/{R:1}", ""), "/é\"<>", "301 /%C3%A9%22%3C%3E"},
		{to("/{R:1}", ""), "/a%3Fb%23c%25d", "301 /a%3Fb%23c%25d"}, {to("/{UrlDecode:{QUERY_STRING}}", `appendQueryString="false"`), "/?%0d%0a", "301 /%0D%0A"},
		{to("/100%", ""), "/", "301 /100%25"},
	} {
		newSite(t, "", rulesOf(c.rule)).check(t, []asked{{c.url, c.want}})
	}
	s := newSite(t, "", rulesOf(to(`/{R:1}`, "")))
	w, _ := s.send("/<b>")
	if body := w.Body.String(); !strings.Contains(body, `href="/%3Cb%3E"`) || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the page of a redirection: %s", body)
	}
}

func TestOrderOfRules(t *testing.T) {
	s := newSite(t, "", rulesOf(`
<rule name="1"><match url="^a$" /><action type="Rewrite" url="b" /></rule>
<rule name="2"><match url="^b$" /><action type="Rewrite" url="c?u={URL}&amp;f={REQUEST_FILENAME}&amp;r={REQUEST_URI}" /></rule>
<rule name="3"><match url="^stop$" /><action type="Rewrite" url="stopped" /></rule>
<rule name="4" stopProcessing="true"><match url="^stopped" /></rule>
<rule name="5"><match url="^stopped" /><action type="Rewrite" url="never" /></rule>
<rule name="6" stopProcessing="true"><match url="^q" /><conditions><add input="{QUERY_STRING}" pattern="never" /></conditions><action type="Rewrite" url="never" /></rule>
<rule name="7"><match url="^q" /><action type="Rewrite" url="loop?x=1" /></rule>
<rule name="8"><match url="^loop" /><action type="Rewrite" url="q?{QUERY_STRING}&amp;y={HTTP_X_ORIGINAL_URL}" appendQueryString="false" /></rule>`))
	s.check(t, []asked{
		{"/a", "/c?u=/b&f=" + s.dir + "/root/b&r=/a"}, {"/stop", "/stopped"}, {"/q?z=2", "/q?x=1&z=2&y=/q?z=2"},
	})
}

func TestOriginalURL(t *testing.T) {
	s := newSite(t, "", rulesOf(`<rule name="r"><match url="^in" /><action type="Rewrite" url="/out" /></rule>`))
	var original, uri string
	s.next = func(_ http.ResponseWriter, r *http.Request) {
		original, uri = r.Header.Get("X-Original-URL"), r.RequestURI
	}
	s.ask("/in%20a?x=1\nX-Original-URL: /forged")
	if original != "/in a?x=1" || uri != "/in%20a?x=1" {
		t.Errorf("X-Original-URL %q, request URI %q", original, uri)
	}
	s.ask("/other")
	if original != "" {
		t.Errorf("X-Original-URL %q of a request that was not rewritten", original)
	}
}

func TestFoldersAndApplications(t *testing.T) {
	hit := func(name, match, to string) string {
		return `<rules><rule name="` + name + `"><match url="` + match + `" /><action type="Rewrite" url="` + to + `" /></rule></rules>`
	}
	s := newSite(t, "", map[string]string{
		"web.config":                   hit("root", "^(sub/in|app/root|lead/(.*))$", "{R:1}?root={R:0}"),
		"sub/web.config":               hit("sub", "^in$", "out?sub={R:0}"),
		"sub/deep/web.config":          hit("deep", "^(.*)$", "/sub/in?deep={R:1}"),
		"../elsewhere/web.config":      hit("media", "^$|^x$", "y?media={R:0}"),
		"../application/web.config":    hit("app", "^root$", "../other?app={R:0}"),
		"other/web.config":             hit("other", "^", "moved?other=1"),
		"lead/web.config":              `<rules><rule name="lead" stopProcessing="true"><match url="^a$" /><action type="Rewrite" url="/sub/in" /></rule></rules>`,
		"clear/web.config":             `<rules><clear /></rules>`,
		"remove/web.config":            `<rules><remove name="root" /></rules>`,
		"broken/web.config":            `<rules><rule name="b"><match url="(" /></rule></rules>`,
		"tobroken/web.config":          hit("tb", "^", "/broken/x"),
		"SUB2/Web.config":              `<?xml version="1.0"?><configuration><system.webServer><rewrite>` + hit("sub2", "^in$", "out") + `</rewrite></system.webServer></configuration>`,
		"file.txt/../sub3/placeholder": "x",
	})
	s.check(t, []asked{
		// parent before child, each with the path below its own folder; a relative target stays in the rule's folder
		{"/sub/in", "/sub/out?sub=in&root=sub/in"},
		// and a target in another folder brings the rules of that folder, but none twice
		{"/sub/deep/x", "/sub/in?deep=x"},
		{"/media/x", "/media/y?media=x"}, {"/media", "/media/y?media="},
		{"/app/root", "/other/moved?other=1&app=root&root=app/root"},
		{"/lead/a", "/sub/in?root=lead/a"},
		{"/clear/x", "/clear/x"}, {"/remove/x", "/remove/x"}, {"/SUB2/in", "/SUB2/out"},
		{"/broken/x", "500.19 ..."}, {"/tobroken/x", "500.19 ..."},
	})
}

func TestChainOfFolders(t *testing.T) {
	chain := func(n int) *site {
		files := map[string]string{}
		for i := range n {
			files[fmt.Sprintf("f%d/web.config", i)] = fmt.Sprintf(`<rules><rule name="r%d"><match url="^" /><action type="Rewrite" url="/f%d/x" /></rule></rules>`, i, i+1)
		}
		return newSite(t, "", files)
	}
	chain(10).check(t, []asked{{"/f0/x", "/f10/x"}})
	chain(12).check(t, []asked{{"/f0/x", "500.50 the rewrite rules lead from folder to folder more than 10 times..."}})
	// folders that lead to one another end, for a rule runs once
	s := newSite(t, "", map[string]string{
		"a/web.config": `<rules><rule name="a"><match url="^" /><action type="Rewrite" url="/b/x" /></rule></rules>`,
		"b/web.config": `<rules><rule name="b"><match url="^" /><action type="Rewrite" url="/a/x" /></rule></rules>`,
	})
	s.check(t, []asked{{"/a/x", "/a/x"}})
}

func TestGlobalRules(t *testing.T) {
	s := newSite(t, `<rewrite><globalRules>
<rule name="g" patternSyntax="Wildcard"><match url="sub/*" /><serverVariables><set name="HTTP_X_ANY" value="1" /></serverVariables><action type="Rewrite" url="/moved/{R:1}" /></rule>
<rule name="stop" stopProcessing="true"><match url="^moved" /></rule><rule name="never"><action type="AbortRequest" /></rule></globalRules></rewrite>`, map[string]string{
		"sub/web.config":   `<rules><rule name="s"><match url=".*" /><action type="Rewrite" url="/never" /></rule></rules>`,
		"moved/web.config": `<rules><rule name="m"><match url="^x$" /><action type="Rewrite" url="y?any={HTTP_X_ANY}" /></rule></rules>`,
	})
	s.check(t, []asked{{"/sub/x", "/moved/y?any=1"}, {"/other", "aborted"}})
	s = newSite(t, `<rewrite><globalRules><rule name="g"><action type="Rewrite" url="{No:x}" /></rule></globalRules></rewrite>`, nil)
	s.check(t, []asked{{"/", "500.51 ..."}})
	s = newSite(t, `<rewrite><globalRules><rule name="g"><conditions><add matchType="IsFile" /></conditions></rule></globalRules></rewrite>`, nil)
	s.check(t, []asked{{"/", `500.19 rewrite rule "g": matchType "IsFile" cannot be used in <globalRules>...`}})
	s = newSite(t, "", map[string]string{"web.config": `<globalRules><rule name="g" /></globalRules>`})
	s.check(t, []asked{{"/", "500.19 ..."}}) // only the server level may have them
}

func TestServerVariables(t *testing.T) {
	const allowed = `<rewrite><allowedServerVariables><add name="HTTP_X_A" /><add name="HTTP_HOST" /><add name="MINE" /></allowedServerVariables></rewrite>`
	set := func(sets string) map[string]string {
		return rulesOf(`<rule name="r"><match url="^in" /><serverVariables>` + sets + `</serverVariables></rule>
<rule name="s"><match url="^in" /><action type="Rewrite" url="/a={HTTP_X_A},host={HTTP_HOST},mine={mine}" /></rule>`)
	}
	for _, c := range []struct{ sets, head, want string }{
		{`<set name="HTTP_X_A" value="1{R:0}" />`, "/in", "/a=1in,host=www.example.com,mine="},
		{`<set name="http_x_a" value="1" />`, "/in\nX-A: 0", "/a=1,host=www.example.com,mine="},
		{`<set name="HTTP_X_A" value="1" replace="false" />`, "/in\nX-A: 0", "/a=0,host=www.example.com,mine="},
		{`<set name="HTTP_X_A" value="1" replace="false" />`, "/in", "/a=1,host=www.example.com,mine="},
		{`<set name="HTTP_X_A" value="" />`, "/in\nX-A: 0", "/a=,host=www.example.com,mine="},
		{`<set name="HTTP_HOST" value="b.example" />`, "/in", "/a=,host=b.example,mine="},
		{`<set name="MINE" value="{UrlDecode:%0d%0a}x" />`, "/in", "/a=,host=www.example.com,mine=x"},
		{`<set name="REMOTE_ADDR" value="1" />`, "/in", `500.50 the rewrite rule "r" cannot be carried out: the server variable "REMOTE_ADDR" may not be set: list it in <allowedServerVariables>...`},
		{`<set name="REMOTE_ADDR" value="1" />`, "/out", "/out"},
	} {
		newSite(t, allowed, set(c.sets)).check(t, []asked{{c.head, c.want}})
	}
	s := newSite(t, allowed, set(`<set name="HTTP_X_A" value="1" /><set name="HTTP_HOST" value="b.example" />`))
	var a, host string
	s.next = func(_ http.ResponseWriter, r *http.Request) { a, host = r.Header.Get("X-A"), r.Host }
	r, err := s.request("/in")
	if err != nil {
		t.Fatal(err)
	}
	if e := s.q.Reconfigure("/in"); e != nil {
		t.Fatal(e)
	}
	s.handler.ServeHTTP(discard{}, r)
	if a != "1" || host != "b.example" || r.Header.Get("X-A") != "" || r.Host != "www.example.com" || r.URL.Path != "/in" {
		t.Errorf("behind: %q, %q; before: %q, %q, %q", a, host, r.Header.Get("X-A"), r.Host, r.URL.Path)
	}
	newSite(t, "", map[string]string{"web.config": `<allowedServerVariables><add name="A" /></allowedServerVariables>`}).check(t, []asked{{"/", "500.19 ..."}})
}

// discard is a response that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func TestLengthIsBounded(t *testing.T) {
	double := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `<rule name="%d"><match url="^(a+)$" /><action type="Rewrite" url="{R:1}{R:1}" /></rule>`, i)
		}
		return b.String()
	}
	if got := newSite(t, "", rulesOf(double(15))).ask("/a"); len(got) != 1+1<<15 {
		t.Errorf("%d bytes: %.80s", len(got), got)
	}
	newSite(t, "", rulesOf(double(16))).check(t, []asked{{"/a", "500.50 the rewrite rule \"15\" cannot be carried out: the text becomes longer than 32768 bytes..."}})
}

func TestUpgradeRequestsAreRewritten(t *testing.T) {
	s := newSite(t, "", rulesOf(`<rule name="ws"><match url="^socket$" /><conditions><add input="{HTTP_UPGRADE}" pattern="websocket" /></conditions><action type="Rewrite" url="/hub" /></rule>`))
	s.check(t, []asked{{"/socket\nConnection: Upgrade\nUpgrade: WebSocket", "/hub"}, {"/socket", "/socket"}, {"OPTIONS *", "*"}})
}
