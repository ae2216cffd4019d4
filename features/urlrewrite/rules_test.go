package urlrewrite_test

import (
	"strings"
	"testing"
)

func rule(inner string) string { return `<rule name="r">` + inner + `</rule>` }

// always is a rule that redirects to what a template gives, which shows it.
func always(template string) string {
	return rule(`<action type="Redirect" appendQueryString="false" url="/=` + template + `" />`)
}

func TestPatterns(t *testing.T) {
	match := func(attributes string) string {
		return rule(`<match ` + attributes + ` /><action type="Rewrite" url="/hit?0={R:0}&amp;1={R:1}&amp;2={R:2}" appendQueryString="false" />`)
	}
	syntax := func(s, attributes string) string {
		return strings.Replace(match(attributes), `name="r"`, `name="r" patternSyntax="`+s+`"`, 1)
	}
	for _, c := range []struct {
		name, rule, url, want string
	}{
		{"a part matches", match(`url="b(c)"`), "/abcd", "/hit?0=bc&1=c&2="},
		{"no leading slash", match(`url="^/abc"`), "/abc", "/abc"},
		{"any case", match(`url="^ABC$"`), "/abc", "/hit?0=abc&1=&2="},
		{"any case in both halves", match(`url="^x|ABC"`), "/abc", "/hit?0=abc&1=&2="},
		{"case kept", match(`url="^ABC$" ignoreCase="false"`), "/abc", "/abc"},
		{"negated", match(`url="^abc" negate="true"`), "/xyz", "/hit?0=&1=&2="},
		{"negated and matching", match(`url="^abc" negate="true"`), "/abc", "/abc"},
		{"no query string", match(`url="q=1"`), "/abc?q=1", "/abc?q=1"},
		{"decoded", match(`url="^é b$"`), "/%C3%A9%20b", "/hit?0=%C3%A9%20b&1=&2="},
		{"group that took no part", match(`url="^(x)?(a)"`), "/abc", "/hit?0=a&1=&2=a"},
		{"wildcard", syntax("Wildcard", `url="*/*.html"`), "/contoso/test.html", "/hit?0=contoso/test.html&1=contoso&2=test"},
		{"wildcard of one", syntax("Wildcard", `url="a?c"`), "/abc", "/hit?0=abc&1=&2="},
		{"wildcard matches the whole", syntax("Wildcard", `url="a?"`), "/abc", "/abc"},
		{"wildcard, no expression", syntax("Wildcard", `url="a.*"`), "/abc", "/abc"},
		{"exact", syntax("ExactMatch", `url="a.c"`), "/A.c", "/hit?0=A.c&1=&2="},
		{"exact, in full", syntax("ExactMatch", `url="a.c"`), "/a.cd", "/a.cd"},
		{"escaped slash", match(`url="^a\/b\-c\_d$"`), "/a/b-c_d", "/hit?0=a/b-c_d&1=&2="},
		{"escape without meaning", match(`url="^\i\y\Z$"`), "/iyZ", "/hit?0=iyZ&1=&2="},
		{"code points", match(`url="^\u0061\x62\cA?$"`), "/ab", "/hit?0=ab&1=&2="},
		{"bracket in a class", match(`url="^[[:a]+$"`), "/[:a", "/hit?0=[:a&1=&2="},
		{"class of anything", match(`url="^[^]+$"`), "/ab", "/hit?0=ab&1=&2="},
		{"class of nothing", match(`url="^a[]"`), "/a]", "/a]"},
		{"space in a class", match(`url="^a[\s]b$"`), "/a%20b", "/hit?0=a%20b&1=&2="},
	} {
		if got := newSite(t, "", rulesOf(c.rule)).ask(c.url); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWhatCannotBeCompiled(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{`<match url="a(?=b)" />`, `web.config:1:65: rewrite rule "r": the regular expression "a(?=b)" cannot be used: it looks around with "(?="`},
		{`<match url="(?!b)" />`, `"(?!"`}, {`<match url="(?&lt;=b)c" />`, `"(?<="`}, {`<match url="(?&lt;!b)c" />`, `"(?<!"`},
		{`<match url="(a)\1" />`, `refers back to a group with "\1"`}, {`<match url="(?&lt;n>a)\k&lt;n>" />`, `"\k"`},
		{`<match url="(?>a)" />`, `atomic group`}, {`<match url="(" />`, `missing closing )`}, {`<match url="*" />`, "missing argument to repetition operator"},
		{`<match url="a\" />`, "ends with a backslash"},
		{`<conditions><add input="{URL}" pattern="[" /></conditions>`, `rewrite rule "r": condition: the regular expression "[" cannot be read`},
		{`<conditions><add input="{URL" pattern="a" /></conditions>`, `a "{" is never closed`},
		{`<action type="Rewrite" url="{R:x}" />`, `{R:x} needs the number of a group`},
		{`<action type="Rewrite" url="` + strings.Repeat("{ToLower:", 18) + strings.Repeat("}", 18) + `" />`, "nested deeper"},
		{`<action type="Redirect" />`, "needs a url"},
		{`<action type="CustomResponse" />`, "needs a statusCode"}, {`<action type="CustomResponse" statusCode="199" />`, "needs a statusCode"},
		{`<action type="CustomResponse" statusCode="600" />`, "needs a statusCode"}, {`<action type="CustomResponse" statusCode="302" />`, "outside 300 to 307"},
		{`<match url="` + strings.Repeat("a{1000}", 10) + `" />`, "it is too large"},
		{`<match url="" />`, "must not be empty"}, {`<action type="Redirect" url=" /a" />`, "white space"},
		{`<action type="Forward" />`, "Rewrite"},
	} {
		s := newSite(t, "", rulesOf(rule(c.rule)))
		if got := s.ask("/"); !strings.HasPrefix(got, "500.19 ") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want 500.19 with %s", c.rule, got, c.want)
		}
		s = newSite(t, "", rulesOf(strings.Replace(rule(c.rule), `name="r"`, `name="r" enabled="false"`, 1)))
		if got := s.ask("/"); got != "/" && !strings.Contains(c.want, "outside") && !strings.Contains(c.want, "must not be empty") && !strings.Contains(c.want, "white space") && c.want != "Rewrite" {
			t.Errorf("%s, switched off: %s", c.rule, got)
		}
	}
	newSite(t, "", rulesOf(rule(`<match url="`+strings.Repeat("a{1000}", 9)+`" />`))).check(t, []asked{{"/x", "/x"}})
	for _, ok := range []string{`<action type="CustomResponse" statusCode="200" statusDescription="{URL} &lt;b>" />`, `<action type="CustomResponse" statusCode="599" />`} {
		if got := newSite(t, "", rulesOf(rule(ok))).ask("/x"); got != "/x &lt;b&gt;" && !strings.HasPrefix(got, "599.0 a rewrite rule refuses") {
			t.Errorf("%s: %s", ok, got)
		}
	}
}

func TestConditions(t *testing.T) {
	conds := func(attributes, list string) string {
		return rule(`<match url="^(.)" /><conditions ` + attributes + `>` + list + `</conditions><action type="Rewrite" url="/hit?{C:0},{C:1},{C:2},{C:3}" appendQueryString="false" />`)
	}
	const (
		article = `<add input="{REQUEST_URI}" pattern="^/(.+)/(.+)/" />`
		query   = `<add input="{QUERY_STRING}" pattern="p2=([a-z]+)" />`
		never   = `<add input="{URL}" pattern="never" />`
	)
	for _, c := range []struct{ name, rule, url, want string }{
		{"all", conds("", article+query), "/article/23/?p1=1&p2=abc", "/hit?p2=abc,abc,,"},
		{"all but one", conds("", article+never), "/article/23/", "/article/23/"},
		{"all captures", conds(`trackAllCaptures="true"`, article+query), "/article/23/?p1=1&p2=abc", "/hit?/article/23/,article,23,abc"},
		{"any", conds(`logicalGrouping="MatchAny"`, never+query), "/a?p2=abc", "/hit?p2=abc,abc,,"},
		{"not any", conds(`logicalGrouping="MatchAny"`, never+never), "/a", "/a"},
		{"any of none", conds(`logicalGrouping="MatchAny"`, ""), "/a", "/hit?,,,"},
		{"a negated one captures nothing", conds("", query+`<add input="{URL}" pattern="(n)ever" negate="true" />`), "/a?p2=abc", "/hit?p2=abc,abc,,"},
		{"earlier captures in the input", conds("", query+`<add input="{R:1}-{C:1}" pattern="^a-(abc)$" />`), "/a?p2=abc", "/hit?a-abc,abc,,"},
		{"case", conds("", `<add input="{URL}" pattern="A" ignoreCase="false" />`), "/a", "/a"},
		{"the same twice", conds("", query+query), "/a?p2=abc", "/hit?p2=abc,abc,,"},
		{"no pattern", conds("", `<add input="{URL}" />`), "/a", "/hit?,,,"},
		{"syntax of the rule", strings.Replace(conds("", `<add input="{HTTP_HOST}" pattern="www.*.com" />`), `name="r"><match url="^(.)" />`, `name="r" patternSyntax="Wildcard">`, 1), "/a", "/hit?www.example.com,example,,"},
	} {
		if got := newSite(t, "", rulesOf(c.rule)).ask(c.url); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFilesOfTheSite(t *testing.T) {
	files := map[string]string{"a.txt": "x", "dir/b.html": "x", "../elsewhere/m.png": "x", "../application/c.txt": "x", "../secret.txt": "x"}
	for _, c := range []struct{ input, url, want string }{
		{"{REQUEST_FILENAME}", "/a.txt", "file"}, {"", "/a.txt", "file"}, {"{REQUEST_FILENAME}", "/dir", "folder"}, {"", "/dir/", "folder"},
		{"{REQUEST_FILENAME}.html", "/dir/b", "file"}, {"{DOCUMENT_ROOT}/a.txt", "/zzz", "file"}, {"{DOCUMENT_ROOT}\\dir\\b.html", "/zzz", "file"},
		{"{APPL_PHYSICAL_PATH}dir", "/zzz", "folder"}, {"{DOCUMENT_ROOT}{URL}", "/a.txt", "file"}, {"{REQUEST_FILENAME}", "/media/m.png", "file"},
		{"{REQUEST_FILENAME}", "/media", "folder"}, {"{REQUEST_FILENAME}", "/app/c.txt", "file"}, {"{DOCUMENT_ROOT}", "/zzz", "folder"},
		{"{DOCUMENT_ROOT}/../secret.txt", "/", "nothing"}, {"{REQUEST_FILENAME}/../../secret.txt", "/dir/", "nothing"}, {"/etc/passwd", "/", "nothing"},
		{"{URL}", "/a.txt", "nothing"}, {"{REQUEST_URL}", "/a.txt", "nothing"}, {"{{REQUEST_FILENAME}}", "/a.txt", "nothing"}, {"{REQUEST_FILENAME}", "/zzz", "nothing"},
	} {
		s := newSite(t, "", files)
		in := `<add input="` + c.input + `" matchType="`
		s.file("web.config", `<rules>
<rule name="f"><conditions>`+in+`IsFile" /></conditions><action type="Redirect" url="/file" appendQueryString="false" /></rule>
<rule name="d"><conditions>`+in+`IsDirectory" /></conditions><action type="Redirect" url="/folder" appendQueryString="false" /></rule>
<rule name="n"><action type="Redirect" url="/nothing" appendQueryString="false" /></rule></rules>`)
		if got := s.ask(c.url); got != "301 /"+c.want {
			t.Errorf("%q under %s: %s, want %s", c.input, c.url, got, c.want)
		}
	}
}

func TestVariables(t *testing.T) {
	head := "/d/a%20b?x=1\nX-Forwarded-Proto: https\nCookie: a=b\nUser-Agent: probe\nContent-Type: text/plain"
	for template, want := range map[string]string{
		"{QUERY_STRING}": "x=1", "{REQUEST_URI}": "/d/a%20b?x=1", "{UNENCODED_URL}": "/d/a%20b?x=1", "{URL}": "/d/a%20b", "{PATH_INFO}": "/d/a%20b",
		"{SCRIPT_NAME}": "/d/a%20b", "{HTTP_HOST}": "www.example.com", "{SERVER_NAME}": "www.example.com", "{SERVER_PORT}": "80",
		"{SERVER_PORT_SECURE}": "0", "{HTTPS}": "off", "{REMOTE_ADDR}": "192.0.2.7", "{REMOTE_HOST}": "192.0.2.7", "{REMOTE_PORT}": "4711",
		"{REQUEST_METHOD}": "GET", "{HTTP_X_FORWARDED_PROTO}": "https", "{HTTP_COOKIE}": "a=b", "{http_user_agent}": "probe", "{CONTENT_TYPE}": "text/plain",
		"{CONTENT_LENGTH}": "0", "{SERVER_PROTOCOL}": "HTTP/1.1", "{LOCAL_ADDR}": "127.0.0.1", "{CACHE_URL}": "http://www.example.com:80/d/a%20b?x=1",
		"{HTTP_URL}": "/d/a%20b?x=1", "{HTTP_METHOD}": "GET", "{REQUEST_URL}": "", "{{URL}}": "", "{HTTP_NONE}": "", "{RESPONSE_X}": "", "}{URL}": "}/d/a%20b",
		"{ToLower:ABC{HTTP_HOST}}": "abcwww.example.com", "{UrlEncode:a/b&amp;c d}": "a%2Fb%26c%20d", "{UrlDecode:%41{URL}}": "A/d/a%20b",
		"{toLOWER:{UrlEncode:Ä}}": "%c3%84", "{HtmlEncode:&lt;}": "&lt;", "{C:1}{R:7}": "", "{INSTANCE_ID}": "1", "{GATEWAY_INTERFACE}": "CGI/1.1", "{LOGON_USER}": "",
		"{UrlEncode:{R:0}}": "d%2Fa%20b",
	} {
		want = strings.NewReplacer("}", "%7D", "{", "%7B").Replace(want)
		if got := newSite(t, "", rulesOf(always(template))).ask(head); got != "301 /="+want {
			t.Errorf("%s: %s, want 301 /=%s", template, got, want)
		}
	}
	for template, want := range map[string]string{"{HTTPS}": "on", "{SERVER_PORT_SECURE}": "1", "{SERVER_PORT}": "443"} {
		if got := newSite(t, "", rulesOf(always(template))).ask("https://www.example.com/"); got != "301 /="+want {
			t.Errorf("%s under TLS: %s, want %s", template, got, want)
		}
	}
	s := newSite(t, "", rulesOf(always("{REQUEST_FILENAME},{DOCUMENT_ROOT},{APPL_PHYSICAL_PATH},{PATH_TRANSLATED}")))
	root := s.dir + "/root"
	if got := s.ask("/d/x"); got != "301 /="+root+"/d/x,"+root+","+root+"/,"+root+"/d/x" {
		t.Errorf("paths on disk: %s", got)
	}
}

func TestMaps(t *testing.T) {
	s := newSite(t, "", map[string]string{"web.config": `<rewriteMaps>
<rewriteMap name="Static" defaultValue=""><add key="/diagnostic" value="/default.aspx?tabid=2&amp;subtabid=29" /><add key="/php" value="/default.aspx?tabid=7116" /></rewriteMap>
<rewriteMap name="strict" defaultValue="none" ignoreCase="false"><add key="A" value="upper" /><add key="a" value="lower" /></rewriteMap></rewriteMaps>
<rules><rule name="map" stopProcessing="true"><match url=".*" /><conditions><add input="{Static:{REQUEST_URI}}" pattern="(.+)" /></conditions><action type="Rewrite" url="{C:1}" appendQueryString="false" /></rule>
<rule name="strict"><match url="^strict/(.*)" /><action type="Rewrite" url="/{STRICT:{R:1}}" /></rule>
<rule name="nested"><match url="^nested" /><action type="Rewrite" url="/{strict:{ToLower:{strict:nothing}A}}" /></rule>
<rule name="unknown"><match url="^unknown" /><action type="Rewrite" url="/{Nowhere:{R:1}}" /></rule></rules>`})
	s.check(t, []asked{
		{"/diagnostic", "/default.aspx?tabid=2&subtabid=29"}, {"/PHP", "/default.aspx?tabid=7116"}, {"/other", "/other"},
		{"/strict/A", "/upper"}, {"/strict/a", "/lower"}, {"/strict/b", "/none"}, {"/nested", "/none"},
		{"/unknown", `500.50 the rewrite rule "unknown" cannot be carried out: there is no rewrite map "nowhere"...`},
	})
}
