package urlrewrite_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func outbound(inner string) map[string]string {
	return map[string]string{"web.config": "<outboundRules>" + inner + "</outboundRules>"}
}

func TestResponseHeader(t *testing.T) {
	html := `<preConditions><preCondition name="html"><add input="{RESPONSE_CONTENT_TYPE}" pattern="^text/html" /></preCondition>
<preCondition name="wild" patternSyntax="Wildcard" logicalGrouping="MatchAny"><add input="{RESPONSE_STATUS}" pattern="4*" /><add input="{HTTPS}" pattern="on" /></preCondition></preConditions>`
	on := func(attributes, variable, pattern, value string) string {
		return html + `<rule name="r" ` + attributes + `><match serverVariable="` + variable + `" pattern="` + pattern + `" /><action type="Rewrite" value="` + value + `" /></rule>`
	}
	for _, c := range []struct {
		name, rules, head string
		response          http.Header
		field, want       string
	}{
		{"added", on("", "RESPONSE_Strict_Transport_Security", ".*", "max-age=31536000"), "/", nil, "Strict-Transport-Security", "max-age=31536000"},
		{"named with hyphens", on("", "RESPONSE_Cache-Control", ".*", "no-cache"), "/", nil, "Cache-Control", "no-cache"},
		{"not there", on("", "RESPONSE_X", ".+", "new"), "/", nil, "X", ""},
		{"changed", on("", "RESPONSE_Location", "^http://[^/]+/(.*)", "http://{HTTP_HOST}/{R:1}"), "/", http.Header{"Location": {"http://internal/a"}}, "Location", "http://www.example.com/a"},
		{"taken out", on("", "RESPONSE_X_Powered_By", ".+", ""), "/", http.Header{"X-Powered-By": {"x"}}, "X-Powered-By", ""},
		{"every value", on("", "RESPONSE_Set_Cookie", "^(a|b)=.*", "{R:0}; Secure"), "/", http.Header{"Set-Cookie": {"a=1", "c=2", "b=3"}}, "Set-Cookie", "a=1; Secure|c=2|b=3; Secure"},
		{"precondition", on(`preCondition="html"`, "RESPONSE_X", ".*", "y"), "/", http.Header{"Content-Type": {"text/html; charset=utf-8"}}, "X", "y"},
		{"precondition not met", on(`preCondition="HTML"`, "RESPONSE_X", ".*", "y"), "/", http.Header{"Content-Type": {"text/css"}}, "X", ""},
		{"precondition, any", on(`preCondition="wild"`, "RESPONSE_X", ".*", "y"), "https://www.example.com/", nil, "X", "y"},
		{"precondition, any, not met", on(`preCondition="wild"`, "RESPONSE_X", ".*", "y"), "/", nil, "X", ""},
		{"no new field", on("", "RESPONSE_X", ".*", "a{UrlDecode:%0d%0aY:%20}b"), "/", nil, "X", "aY: b"},
		{"switched off", on(`enabled="false"`, "RESPONSE_X", ".*", "y"), "/", nil, "X", ""},
		{"conditions", `<rule name="r"><match serverVariable="RESPONSE_X" pattern="(.*)" /><conditions><add input="{URL}" pattern="^/(.)" /><add input="{HTTP_HOST}" pattern="(...)$" /></conditions><action type="Rewrite" value="{C:1}{C:2}{R:1}" /></rule>`,
			"/a", http.Header{"X": {"z"}}, "X", "acomz"},
		{"conditions not met", `<rule name="r"><match serverVariable="RESPONSE_X" /><conditions><add input="{URL}" pattern="^/b" /></conditions><action type="Rewrite" value="y" /></rule>`, "/a", nil, "X", ""},
		{"negated", `<rule name="r"><match serverVariable="RESPONSE_X" pattern="a" negate="true" /><action type="Rewrite" value="y" /></rule>`, "/", http.Header{"X": {"b"}}, "X", "y"},
		{"not replaced", `<rule name="r"><match serverVariable="RESPONSE_X" /><action type="Rewrite" value="y" replace="false" /></rule>`, "/", http.Header{"X": {"b"}}, "X", "b"},
		{"stopped", `<rule name="a" stopProcessing="true"><match serverVariable="RESPONSE_X" /><action type="Rewrite" value="1" /></rule><rule name="b"><match serverVariable="RESPONSE_X" /><action type="Rewrite" value="2" /></rule>`, "/", nil, "X", "1"},
		{"one after the other", `<rule name="a"><match serverVariable="RESPONSE_X" /><action type="Rewrite" value="1" /></rule><rule name="b"><match serverVariable="RESPONSE_Y" /><action type="Rewrite" value="{RESPONSE_X}2" /></rule>`, "/", nil, "Y", "12"},
	} {
		s := newSite(t, "", outbound(c.rules))
		s.next = func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range c.response {
				w.Header()[k] = v
			}
		}
		w, _ := s.send(c.head)
		if got := strings.Join(w.Header().Values(c.field), "|"); got != c.want || w.Code != 200 {
			t.Errorf("%s: %s: %q, want %q (%d %s)", c.name, c.field, got, c.want, w.Code, w.Body)
		}
	}
}

func TestResponseOfTheModuleItself(t *testing.T) {
	s := newSite(t, "", map[string]string{"web.config": `<rules><rule name="r"><match url="^a" /><action type="Redirect" url="/b" /></rule></rules>
<outboundRules><rule name="o"><match serverVariable="RESPONSE_Location" pattern="^/(.*)" /><action type="Rewrite" value="/x/{R:1}" /></rule></outboundRules>`})
	s.check(t, []asked{{"/a", "301 /x/b"}, {"/c", "/c"}})
}

func TestWhatCannotBeCompiledOutbound(t *testing.T) {
	for _, c := range []struct{ rules, want string }{
		{`<rule name="r"><match serverVariable="RESPONSE_X" pattern="(?=a)" /></rule>`, "looks around"},
		{`<rule name="r"><match serverVariable="HTTP_X" pattern="a" /></rule>`, "no header field of the response"},
		{`<rule name="r"><match serverVariable="RESPONSE_STATUS" /></rule>`, "no header field of the response"},
		{`<rule name="r" preCondition="p"><match serverVariable="RESPONSE_X" /></rule>`, `no precondition "p"`},
		{`<rule name="r"><match filterByTags="CustomTags" customTags="t" pattern="a" /></rule>`, `no custom tags "t"`},
		{`<rule name="r"><match pattern="" /><action type="Rewrite" value="" /></rule>`, "needs a pattern"},
		{`<rule name="r"><match pattern="a" negate="true" /><action type="Rewrite" value="" /></rule>`, "cannot be negated"},
		{`<rule name="r" patternSyntax="Wildcard"><match pattern="*" /><action type="Rewrite" value="" /></rule>`, "without filterByTags"},
		{`<rule name="r"><match serverVariable="RESPONSE_X" /><action type="Redirect" /></rule>`, "Rewrite"},
	} {
		if got := newSite(t, "", outbound(c.rules)).ask("/"); !strings.HasPrefix(got, "500.19") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.rules, got)
		}
	}
}

const page = `<!DOCTYPE html><HEAD profile="/p"><title><a href="/1"></title><BASE href="/b/"><script src='/s.js'>var a = '<a href="/1">'</script></HEAD>
<!-- <a href="/1"> --><a class=x HREF="/1">x</a><a href=/1>y</a><img src="/1" longdesc="/2" alt="/1"/><form action=""></form><x-link to="/1"></x-link>`

func TestTags(t *testing.T) {
	on := func(match, value string) string {
		return `<customTags><tags name="mine"><tag name="X-Link" attribute="To" /></tags></customTags><rule name="r"><match ` + match + ` /><action type="Rewrite" value="` + value + `" /></rule>`
	}
	for _, c := range []struct{ rules, old, new string }{
		{on(`filterByTags="A" pattern="^/1$"`, "/one"), `HREF="/1">x</a><a href=/1>y`, `HREF="/one">x</a><a href="/one">y`},
		{on(`filterByTags="A" pattern="^/(\d)$" occurrences="1"`, "/n{R:1}"), `HREF="/1">x</a><a href=/1>y`, `HREF="/n1">x</a><a href=/1>y`},
		{on(`filterByTags="A" pattern="^/1$"`, `&quot;>`), `HREF="/1">x</a><a href=/1>y`, `HREF="&quot;>">x</a><a href="&quot;>">y`},
		{on(`filterByTags="Img, Script" pattern="^/(.+)"`, "/cdn/{R:1}"), `src='/s.js'|src="/1" longdesc="/2"`, `src='/cdn/s.js'|src="/cdn/1" longdesc="/cdn/2"`},
		{on(`filterByTags="Head,Base" pattern=".+"`, "z"), `profile="/p"|href="/b/"`, `profile="z"|href="z"`},
		{on(`filterByTags="Form" pattern="^$"`, "/post"), `action=""`, `action="/post"`},
		{on(`filterByTags="CustomTags" customTags="MINE" pattern=".+"`, "/2"), `to="/1"`, `to="/2"`},
		{on(`filterByTags="A" pattern="^/2$" negate="true"`, "q"), `HREF="/1">x</a><a href=/1>y`, `HREF="q">x</a><a href="q">y`},
		{on(`pattern="&lt;/HEAD>"`, "[{R:0}]"), `</HEAD>`, `[</HEAD>]`},
	} {
		s := newSite(t, "", outbound(c.rules))
		s.next = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Accept-Ranges", "bytes")
			_, _ = io.WriteString(w, page[:100])
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, page[100:])
		}
		want := page
		news := strings.Split(c.new, "|")
		for i, old := range strings.Split(c.old, "|") {
			want = strings.Replace(want, old, news[i], 1)
		}
		w, _ := s.send("/")
		if got := w.Body.String(); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.rules, got, want)
		}
		if h := w.Header(); h.Get("Content-Length") != strconv.Itoa(len(want)) || h.Get("ETag") != `W/"1"` || h.Get("Accept-Ranges") != "" {
			t.Errorf("%s: header %v", c.rules, h)
		}
	}
}

func TestBodiesThatAreLeftAlone(t *testing.T) {
	tags := `<rule name="r"><match filterByTags="A" pattern="1" /><action type="Rewrite" value="2" /></rule>`
	whole := `<rule name="w" patternSyntax="ExactMatch"><match pattern="A.C" /><action type="Rewrite" value="2" /></rule>`
	const body = `<a href="1">a.c</a>abc`
	for _, c := range []struct {
		name, rules, method, typ, encoding string
		status                             int
		want                               string
	}{
		{"tags", tags, "GET", "text/html", "", 200, `<a href="2">a.c</a>abc`},
		{"a page of an error", tags, "GET", "text/html", "", 404, `<a href="2">a.c</a>abc`},
		{"no HTML", tags, "GET", "text/plain", "", 200, body},
		{"no type", tags, "GET", "", "", 200, body},
		{"encoded", tags, "GET", "text/html", "gzip", 200, `500.52 the outbound rewrite rules cannot be carried out: the body is encoded ("gzip")...`},
		{"encoded, no HTML", tags, "GET", "text/css", "gzip", 200, body},
		{"not encoded", tags, "GET", "text/html", "identity", 200, `<a href="2">a.c</a>abc`},
		{"a part", tags, "GET", "text/html", "", 206, body},
		{"HEAD", tags, "HEAD", "text/html", "", 200, body},
		{"the whole", whole, "GET", "application/json", "", 200, `<a href="1">2</a>abc`},
		{"events", whole, "GET", "text/event-stream", "", 200, body},
	} {
		s := newSite(t, "", outbound(c.rules))
		s.next = func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range map[string]string{"Content-Type": c.typ, "Content-Encoding": c.encoding} {
				if v != "" {
					w.Header().Set(k, v)
				}
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, body)
		}
		w, _ := s.send(c.method + " /")
		got := w.Body.String()
		if begin, ok := strings.CutSuffix(c.want, "..."); got != c.want && !(ok && strings.HasPrefix(got, begin)) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLongestBody(t *testing.T) {
	for _, c := range []struct {
		size      int
		announced bool
		want      int
	}{{4 << 20, false, 200}, {4<<20 + 1, false, 500}, {4 << 20, true, 200}, {4<<20 + 1, true, 500}} {
		s := newSite(t, "", outbound(`<rule name="r"><match filterByTags="A" pattern="1" /><action type="Rewrite" value="2" /></rule>`))
		s.next = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if c.announced {
				w.Header().Set("Content-Length", strconv.Itoa(c.size))
			}
			_, _ = io.Copy(w, strings.NewReader(strings.Repeat("x", c.size)))
		}
		if w, _ := s.send("/"); w.Code != c.want || c.want == 200 && w.Body.Len() != c.size {
			t.Errorf("%+v: %d with %d bytes", c, w.Code, w.Body.Len())
		}
	}
}
