package all_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// proofApp answers what is below /app/ by itself.
func proofApp(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/app/gone":
		w.WriteHeader(http.StatusGone)
		_, _ = io.WriteString(w, "own words")
	case "/app/server":
		w.Header().Set("Server", "app")
	case "/app/text":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, prose(5000))
	}
}

func coreProofs() []proofs {
	handler := func(rest string) string { return `<handlers><add name="mine" ` + rest + `/></handlers>` }
	fields := func(list, redirect, status string) []proof {
		in := func(s string) string { return `<httpProtocol><` + list + `>` + s + `</` + list + `></httpProtocol>` }
		with := func(a, b string) string { return status + " " + a + " " + b }
		return []proof{
			{of: list + "/add@name", in: in(`<add § value="1"/>`), with: "X-A", without: "X-B", ask: redirect, see: "X-A X-B", want: with("1", ""), otherwise: with("", "1")},
			{of: list + "/add@value", in: in(`<add name="X-A" §/>`), with: "1", without: unset, ask: redirect, see: "X-A", want: status + " 1", otherwise: status + " "},
			{of: list + "#remove", in: in(`<add name="X-A" value="1"/>§`), with: `<remove name="X-A"/>`, without: unset, ask: redirect, see: "X-A", want: status + " ", otherwise: status + " 1"},
			{of: list + "#clear", in: in(`<add name="X-A" value="1"/>§`), with: `<clear/>`, without: unset, ask: redirect, see: "X-A", want: status + " ", otherwise: status + " 1"},
		}
	}
	empty := fields("customHeaders", "/app/empty", "200") // which writes nothing
	protocol := append(empty, append(fields("customHeaders", "", "200"), fields("redirectHeaders", "/sub", "301")...)...)
	return []proofs{
		{section: "system.webServer/handlers", cases: []proof{
			{of: "@accessPolicy", with: "Script", without: "Read", want: "403.2", otherwise: "200"},
			{of: "@accessPolicy", with: "Read, NoRemoteRead", without: "Read", ask: "/a.txt\n" + elsewhere, want: "403", otherwise: "200"},
			{of: "add@name", in: `<handlers><add § path="*" verb="*" modules="Nobody"/><remove name="mine"/></handlers>`, with: "mine", without: "yours", want: "200", otherwise: "500.21"},
			{of: "add@path", in: handler(`§ verb="*" modules="Nobody"`), with: "*.txt", without: "*.php", want: "500.21", otherwise: "200"},
			{of: "add@verb", in: handler(`path="*" § modules="Nobody"`), with: "GET,HEAD", without: "POST", want: "500.21", otherwise: "200"},
			{of: "add@type", in: handler(`path="*" verb="*" §`), with: "My.Class", without: unset, see: "has My.Class", want: "500.21 true", otherwise: "500.21 false"},
			{of: "add@modules", in: handler(`path="*" verb="*" §`), with: "StaticFileModule", without: unset, want: "200", otherwise: "500.21"},
			{of: "add@resourceType", in: handler(`path="*" verb="*" modules="Nobody" §`), with: "Directory", without: "File", want: "200", otherwise: "500.21"},
			{of: "add@requireAccess", in: handler(`path="*" verb="*" modules="StaticFileModule" §`), with: "Write", without: "Read", want: "403.3", otherwise: "200"},
			{of: "add@preCondition", in: handler(`path="*" verb="*" modules="Nobody" §`), with: "classicMode", without: "integratedMode", want: "200", otherwise: "500.21"},
			{of: "#remove", in: `<handlers>§</handlers>`, with: `<remove name="StaticFile"/>`, without: unset, want: "404.4", otherwise: "200"},
			{of: "#clear", in: `<handlers>§</handlers>`, with: `<clear/>`, without: unset, want: "404.4", otherwise: "200"},
			{of: "#first", in: `<handlers>§</handlers>`, with: `<add name="mine" path="*" verb="*" modules="Nobody"/>`, without: unset, want: "500.21", otherwise: "200"},
		}},
		{section: "system.webServer/httpProtocol", cases: append(protocol,
			proof{of: "@allowKeepAlive", with: "false", without: "true", do: keptAlive, want: "closed", otherwise: "kept"})},
		{section: "system.webServer/security/access", cases: []proof{
			{of: "@sslFlags", with: "Ssl", without: unset, want: "403.4", otherwise: "200"},
			{of: "@sslFlags", with: "Ssl128", without: "SslNegotiateCert", want: "403.5", otherwise: "200"},
			{of: "@sslFlags", with: "SslRequireCert", without: "None", want: "403.7", otherwise: "200"},
		}},
		{section: "system.webServer/serverInfo", cases: []proof{
			{of: "@enabled", with: "true", without: unset, ask: "/server-info.json", see: "Content-Type", want: "200 application/json", otherwise: "404.0 text/html; charset=utf-8"},
		}},
	}
}

// keptAlive asks twice over one connection.
func keptAlive(v *variant) string {
	c, err := net.Dial("tcp", v.addr)
	if err != nil {
		v.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	for range 2 {
		if _, err := fmt.Fprintf(c, "GET /a.txt HTTP/1.1\r\nHost: %s\r\n\r\n", v.name); err != nil {
			return "closed"
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return "closed"
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	return "kept"
}

func documentProofs() []proofs {
	files := func(s string) string { return `<defaultDocument><files>` + s + `</files></defaultDocument>` }
	cache := func(s string) string { return `<staticContent><clientCache ` + s + ` §/></staticContent>` }
	maps := func(s string) string { return `<staticContent>` + s + `</staticContent>` }
	redirect := func(s string) string {
		return `<httpRedirect enabled="true">` + s + `</httpRedirect>`
	}
	const date = "Tue, 19 Jan 2038 03:14:07 GMT"
	return []proofs{
		{section: "system.webServer/defaultDocument", cases: []proof{
			{of: "@enabled", with: "false", without: "true", ask: "/doc/", want: "403.14", otherwise: "200"},
			{of: "files/add@value", in: files(`<add §/>`), with: "first.txt", without: "none.txt", ask: "/doc/", see: "body", want: "200 first", otherwise: "200 html"},
			{of: "files#remove", in: files(`§`), with: `<remove value="index.html"/>`, without: unset, ask: "/doc/", want: "403.14", otherwise: "200"},
			{of: "files#clear", in: files(`§`), with: `<clear/>`, without: unset, ask: "/doc/", want: "403.14", otherwise: "200"},
			{of: "files#first", in: files(`§`), with: `<add value="first.txt"/>`, without: unset, ask: "/doc/", see: "body", want: "200 first", otherwise: "200 html"},
		}},
		{section: "system.webServer/directoryBrowse", cases: []proof{
			{of: "@enabled", with: "true", without: unset, ask: "/sub/", want: "200", otherwise: "403.14"},
			{of: "@showFlags", in: `<directoryBrowse enabled="true" §/>`, with: "Size", without: "Extension", ask: "/sub/", see: "has >x.txt<", want: "200 false", otherwise: "200 true"},
			{of: "@showFlags", in: `<directoryBrowse enabled="true" §/>`, with: "Size", without: "None", ask: "/sub/", see: "has Size", want: "200 true", otherwise: "200 false"},
			{of: "@showFlags", in: `<directoryBrowse enabled="true" §/>`, with: "Time", without: "None", ask: "/sub/", see: "has <time", want: "200 true", otherwise: "200 false"},
		}},
		{section: "system.webServer/staticContent", cases: []proof{
			{of: "clientCache@cacheControlMode", with: "DisableCache", without: unset, see: "Cache-Control", want: "200 no-cache", otherwise: "200 "},
			{of: "clientCache@cacheControlMaxAge", in: cache(`cacheControlMode="UseMaxAge"`), with: "00:01:00", without: unset, see: "Cache-Control", want: "200 max-age=60", otherwise: "200 max-age=86400"},
			{of: "clientCache@httpExpires", in: cache(`cacheControlMode="UseExpires"`), with: date, without: unset, see: "Expires", want: "200 " + date, otherwise: "200 "},
			{of: "clientCache@cacheControlCustom", with: "private", without: unset, see: "Cache-Control", want: "200 private", otherwise: "200 "},
			{of: "clientCache@setEtag", with: "false", without: unset, see: "field Etag", want: "200 false", otherwise: "200 true"},
			{of: "mimeMap@fileExtension", in: maps(`<mimeMap § mimeType="x/y"/>`), with: ".txt", without: ".yyy", see: "Content-Type", want: "200 x/y", otherwise: "200 text/plain"},
			{of: "mimeMap@mimeType", in: maps(`<mimeMap fileExtension=".txt" §/>`), with: "x/y", without: "x/z", see: "Content-Type", want: "200 x/y", otherwise: "200 x/z"},
			{of: "#remove", in: maps(`§`), with: `<remove fileExtension=".txt"/>`, without: unset, want: "404.3", otherwise: "200"},
			{of: "#clear", in: maps(`§`), with: `<clear/>`, without: unset, want: "404.3", otherwise: "200"},
		}},
		{section: "system.webServer/httpRedirect", cases: []proof{
			{of: "@enabled", in: `<httpRedirect § destination="/new"/>`, with: "true", without: unset, see: "Location", want: "302 /new/a.txt", otherwise: "200 "},
			{of: "@destination", in: `<httpRedirect enabled="true" §/>`, with: "/new", without: unset, see: "Location", want: "302 /new/a.txt", otherwise: "200 "},
			{of: "@exactDestination", in: `<httpRedirect enabled="true" destination="/new" §/>`, with: "true", without: unset, see: "Location", want: "302 /new", otherwise: "302 /new/a.txt"},
			{of: "@childOnly", in: `<httpRedirect enabled="true" destination="/new" §/>`, with: "true", without: unset, ask: "/sub/x.txt", see: "Location", want: "200 ", otherwise: "302 /new/sub/x.txt"},
			{of: "@httpResponseStatus", in: `<httpRedirect enabled="true" destination="/new" §/>`, with: "Permanent", without: unset, want: "301", otherwise: "302"},
			{of: "add@wildcard", in: redirect(`<add § destination="/new"/>`), with: "*.txt", without: "*.zip", see: "Location", want: "302 /new", otherwise: "200 "},
			{of: "add@destination", in: redirect(`<add wildcard="*.txt" §/>`), with: "/new", without: "/other", see: "Location", want: "302 /new", otherwise: "302 /other"},
			{of: "#remove", in: redirect(`<add wildcard="*.txt" destination="/new"/>§`), with: `<remove wildcard="*.txt"/>`, without: unset, want: "200", otherwise: "302"},
			{of: "#clear", in: redirect(`<add wildcard="*.txt" destination="/new"/>§`), with: `<clear/>`, without: unset, want: "200", otherwise: "302"},
		}},
	}
}

func errorProofs() []proofs {
	custom := func(s string) string { return `<httpErrors errorMode="Custom">` + s + `</httpErrors>` }
	entry := func(s string) string { return custom(`<error ` + s + `/>`) }
	const own = "has own page"
	return []proofs{{section: "system.webServer/httpErrors", cases: []proof{
		{of: "@errorMode", with: "Custom", without: unset, ask: "/none", want: "404", otherwise: "404.0"},
		{of: "@errorMode", with: "Detailed", without: unset, ask: "/none\n" + elsewhere, want: "404.0", otherwise: "404"},
		{of: "@existingResponse", with: "PassThrough", without: unset, ask: "/none", want: "404", otherwise: "404.0"},
		{of: "@existingResponse", with: "Replace", without: unset, ask: "/app/gone", see: "has own words", want: "410.0 false", otherwise: "410 true"},
		{of: "@defaultPath", in: `<httpErrors errorMode="Custom" §><clear/></httpErrors>`, with: "own.htm", without: unset, ask: "/none", see: own, want: "404 true", otherwise: "404 false"},
		{of: "@defaultResponseMode", atop: true, in: `<httpErrors errorMode="Custom" defaultPath="/own.htm" §><clear/></httpErrors>`, with: "Redirect", without: unset, ask: "/none", see: "Location", want: "302 /own.htm", otherwise: "404 "},
		{of: "@detailedMoreInformationLink", with: "https://help.example/", without: unset, ask: "/none", see: "has https://help.example/?IIS70Error=404,0", want: "404.0 true", otherwise: "404.0 false"},
		{of: "@allowAbsolutePathsWhenDelegated", with: "true", without: unset, ask: "/none", see: own, want: "404 true", otherwise: "404 false",
			beside: custom(`<error statusCode="404" subStatusCode="0" path="$SITE/own.htm"/>`)},
		{of: "error@statusCode", in: entry(`§ subStatusCode="0" path="own.htm"`), with: "404", without: "405", ask: "/none", see: own, want: "404 true", otherwise: "404 false"},
		{of: "error@subStatusCode", in: entry(`statusCode="404" § path="own.htm"`), with: "0", without: "8", ask: "/none", see: own, want: "404 true", otherwise: "404 false"},
		{of: "error@prefixLanguageFilePath", in: entry(`statusCode="404" subStatusCode="0" § path="own.htm"`), with: ".", without: unset, ask: "/none\nAccept-Language: de", see: "body", want: "404 eigen", otherwise: "404 own page"},
		{of: "error@path", in: entry(`statusCode="404" subStatusCode="0" §`), with: "own.htm", without: "sub/x.txt", ask: "/none", see: "body", want: "404 own page", otherwise: "404 x"},
		{of: "error@responseMode", in: entry(`statusCode="404" subStatusCode="0" path="/own.htm" §`), with: "Redirect", without: "ExecuteURL", ask: "/none", see: "Location", want: "302 /own.htm", otherwise: "404 "},
		{of: "error@responseMode", in: entry(`statusCode="404" subStatusCode="0" path="/own.htm?page" §`), with: "ExecuteURL", without: unset, ask: "/none", see: own, want: "404 true", otherwise: "404 false"},
		{of: "#remove", in: custom(`<error statusCode="404" subStatusCode="0" path="own.htm"/>§`), with: `<remove statusCode="404" subStatusCode="0"/>`, without: unset, ask: "/none", see: own, want: "404 false", otherwise: "404 true"},
		{of: "#clear", in: custom(`<error statusCode="404" subStatusCode="0" path="own.htm"/>§`), with: `<clear/>`, without: unset, ask: "/none", see: own, want: "404 false", otherwise: "404 true"},
	}}}
}
