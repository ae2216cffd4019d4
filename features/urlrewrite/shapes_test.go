package urlrewrite_test

import "testing"

// A shape is the rules of a kind of real files, with what they make of requests.
type shape struct {
	name  string
	rules string
	files []string
	cases []asked
}

// The shapes of real files, in the order of how many have them.
func TestShapesOfRealFiles(t *testing.T) {
	for _, c := range append(fallbacks(), others()...) {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, "", rulesOf(c.rules))
			for _, f := range c.files {
				s.file(f, "x")
			}
			s.check(t, c.cases)
		})
	}
}

// fallbacks lead what is no file to one place.
func fallbacks() []shape {
	return []shape{
		{"single-page application", `
<rule name="SPA" stopProcessing="true">
  <match url=".*" />
  <conditions logicalGrouping="MatchAll">
    <add input="{REQUEST_FILENAME}" matchType="IsFile" negate="true" />
    <add input="{REQUEST_FILENAME}" matchType="IsDirectory" negate="True" />
  </conditions>
  <action type="Rewrite" url="/" />
</rule>`, []string{"main.js", "img/a.png"}, []asked{
			{"/", "/"}, {"/users/7?tab=1", "/?tab=1"}, {"/main.js", "/main.js"}, {"/img", "/img"}, {"/img/", "/img/"}, {"/img/b.png", "/"}, {"/main.js/", "/"},
		}},
		{"single-page application to a file", `
<rule name="SPA"><match url="^(.*)$" /><conditions><add input="{REQUEST_FILENAME}" matchType="IsFile" negate="true" /></conditions>
<action type="Rewrite" url="index.html" appendQueryString="false" /></rule>`, []string{"main.js"}, []asked{
			{"/users/7?tab=1", "/index.html"}, {"/main.js?v=2", "/main.js?v=2"},
		}},
		{"front controller of PHP", `
<rule name="Imported Rule 1" stopProcessing="true">
  <match url="^(.*)/$" ignoreCase="false" />
  <conditions><add input="{REQUEST_FILENAME}" matchType="IsDirectory" ignoreCase="false" negate="true" /></conditions>
  <action type="Redirect" redirectType="Permanent" url="/{R:1}" />
</rule>
<rule name="Imported Rule 2" stopProcessing="true">
  <match url="^" ignoreCase="false" />
  <conditions>
    <add input="{REQUEST_FILENAME}" matchType="IsDirectory" ignoreCase="false" negate="true" />
    <add input="{REQUEST_FILENAME}" matchType="IsFile" ignoreCase="false" negate="true" />
  </conditions>
  <action type="Rewrite" url="index.php" />
</rule>`, []string{"css/app.css", "index.php"}, []asked{
			{"/news/42?page=2", "/index.php?page=2"}, {"/news/42/?page=2", "301 /news/42?page=2"}, {"/css/", "/css/"}, {"/css/app.css", "/css/app.css"},
			{"/caf%C3%A9%20x/", "301 /caf%C3%A9%20x"},
		}},
		{"path as a parameter", `
<rule name="WP"><match url="(.*)" /><conditions><add input="{REQUEST_FILENAME}" matchType="IsFile" negate="true" /></conditions>
<action type="Rewrite" url="index.php/{R:1}?q={R:1}" /></rule>`, nil, []asked{
			{"/a/b?x=1", "/index.php/a/b?q=a/b&x=1"}, {"/a%3Fb", "/index.php/a?b?q=a%3Fb"}, {"/100%25", "/index.php/100%?q=100%25"}, {"/a%20b", "/index.php/a b?q=a%20b"},
		}},
		{"node template", `
<rule name="StaticContent"><action type="Rewrite" url="public{REQUEST_URI}" /></rule>
<rule name="DynamicContent"><conditions><add input="{REQUEST_FILENAME}" matchType="IsFile" negate="True" /></conditions><action type="Rewrite" url="server.js" /></rule>`,
			[]string{"public/site.css", "server.js", "private.css"}, []asked{
				{"/site.css", "/public/site.css"}, {"/private.css", "/server.js"}, {"/api?x=1", "/server.js?x=1&x=1"},
			}},
		{"node template with the path only", `
<rule name="StaticContent" patternSyntax="Wildcard"><match url="*" /><action type="Rewrite" url="public/{R:1}" /></rule>
<rule name="Dynamic"><match url="/*" /><conditions><add input="{{REQUEST_FILENAME}}" matchType="IsFile" negate="True" /></conditions><action type="Rewrite" url="server.js" /></rule>`,
			[]string{"public/site.css"}, []asked{{"/site.css", "/server.js"}}},
	}
}

func others() []shape {
	return []shape{
		{"trailing slash", `
<rule name="slash" stopProcessing="true"><match url="(.*[^/])$" /><conditions><add input="{REQUEST_FILENAME}" matchType="IsFile" negate="true" /></conditions>
<action type="Redirect" redirectType="Permanent" url="{R:1}/" /></rule>`, []string{"a.txt"}, []asked{
			{"/docs", "301 /docs/"}, {"/docs?x=1", "301 /docs/?x=1"}, {"/docs/", "/docs/"}, {"/a.txt", "/a.txt"}, {"/", "/"},
		}},
		{"http to https", `
<rule name="https" stopProcessing="true"><match url="(.*)" /><conditions><add input="{HTTPS}" pattern="^OFF$" /></conditions>
<action type="Redirect" url="https://{HTTP_HOST}/{R:1}" redirectType="Found" /></rule>`, nil, []asked{
			{"/a?b=c", "302 https://www.example.com/a?b=c"}, {"https://www.example.com/a?b=c", "/a?b=c"}, {"/", "302 https://www.example.com/"},
		}},
		{"canonical host", `
<rule name="www" stopProcessing="true"><match url=".*" /><conditions><add input="{HTTP_HOST}" pattern="^(www\.)?example\.com$" negate="true" /></conditions>
<action type="Redirect" url="http://www.example.com/{R:0}" redirectType="Permanent" /></rule>`, nil, []asked{
			{"GET /a\nHost: example.net", "301 http://www.example.com/a"}, {"GET /a\nHost: EXAMPLE.com", "/a"},
		}},
		{"static sub-folder", `
<rule name="map"><match url="^assets/(.*)" /><action type="Rewrite" url="/dist/assets/{R:1}" /></rule>`, nil, []asked{
			{"/assets/x/y.js?v=1", "/dist/assets/x/y.js?v=1"}, {"/Assets/x", "/dist/assets/x"}, {"/other", "/other"},
		}},
		{"pass through", `
<rule name="api" stopProcessing="true"><match url="^api/" /><action type="None" /></rule>
<rule name="logs" stopProcessing="true"><match url="iisnode.+" negate="true" /><conditions><add input="{REQUEST_METHOD}" pattern="^POST$" /></conditions></rule>
<rule name="all"><match url=".*" /><action type="Rewrite" url="/index.html" /></rule>`, nil, []asked{
			{"/api/x", "/api/x"}, {"/x", "/index.html"}, {"POST /x", "/x"}, {"POST /iisnode/0", "/index.html"},
		}},
		{"blocking", `
<rule name="git" stopProcessing="true"><match url="\.git" /><action type="CustomResponse" statusCode="403" subStatusCode="7" statusReason="Forbidden: {R:0}" statusDescription="not for you" /></rule>
<rule name="bot" patternSyntax="Wildcard"><match url="*" /><conditions><add input="{HTTP_USER_AGENT}" pattern="*Evil*" /></conditions><action type="AbortRequest" /></rule>`, nil, []asked{
			{"/.git/HEAD", "403.7 Forbidden: .git: not for you ..."}, {"GET /\nUser-Agent: an evil bot", "aborted"}, {"/", "/"},
		}},
		{"rule without match and action", `<rule name="a" /><rule name="b"><match url="x" /></rule><rule name="c" enabled="false"><action type="AbortRequest" /></rule>`, nil, []asked{{"/x", "/x"}}},
	}
}
