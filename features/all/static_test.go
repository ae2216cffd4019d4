package all_test

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func staticHost(t *testing.T) *testHost {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "http-errors"))
	h.site("hello.txt", "0123456789")
	h.site("sub dir/page.htm", "<p>page")
	h.site("noextension", "x")
	h.site("thing.unknown", "x")
	h.site("empty.txt", "")
	h.site("app.dll.config", "<x/>")
	return h
}

func TestStaticFiles(t *testing.T) {
	h := staticHost(t)
	if err := unix.Mkfifo(filepath.Join(h.home, "sites/default/pipe.txt"), 0o644); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(h.home, "secret.txt")
	write(t, outside, "secret")
	if err := os.Symlink(outside, filepath.Join(h.home, "sites/default/link.txt")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, request string
		status        int
		sub           string // expected in the detailed page
		header, body  string // "Name: value"; exact body of a good answer
	}{
		{"a file", "GET /hello.txt HTTP/1.1", 200, "", "Content-Type: text/plain", "0123456789"},
		{"an empty file", "GET /empty.txt HTTP/1.1", 200, "", "Content-Length: 0", ""},
		{"a query is passed over", "GET /hello.txt?x=1 HTTP/1.1", 200, "", "Content-Length: 10", "0123456789"},
		{"an escaped name", "GET /sub%20dir/page.htm HTTP/1.1", 200, "", "Content-Type: text/html", "<p>page"},
		{"HEAD", "HEAD /hello.txt HTTP/1.1", 200, "", "Content-Length: 10", ""},
		{"two extensions", "GET /app.dll.config HTTP/1.1", 200, "", "Content-Type: text/xml", "<x/>"},
		{"nothing there", "GET /missing.txt HTTP/1.1", 404, "404.0", "", ""},
		{"a file as folder", "GET /hello.txt/ HTTP/1.1", 404, "404.0", "", ""},
		{"below a file", "GET /hello.txt/x.txt HTTP/1.1", 404, "404.0", "", ""},
		{"other case", "GET /Hello.txt HTTP/1.1", 404, "404.0", "", ""},
		{"unknown extension", "GET /thing.unknown HTTP/1.1", 404, "404.3", "", ""},
		{"no extension", "GET /noextension HTTP/1.1", 404, "404.3", "", ""},
		{"the configuration", "GET /web.config HTTP/1.1", 404, "404.8", "", ""},
		{"a pipe", "GET /pipe.txt HTTP/1.1", 403, "403.0", "", ""},
		{"a link that leads out", "GET /link.txt HTTP/1.1", 403, "403.0", "", ""},
		{"POST", "POST /hello.txt HTTP/1.1\nContent-Length: 0", 405, "405.0", "Allow: GET, HEAD, OPTIONS", ""},
		{"DELETE", "DELETE /hello.txt HTTP/1.1", 405, "405.0", "Allow: GET, HEAD, OPTIONS", ""},
		{"DELETE of a folder", "DELETE /sub%20dir/ HTTP/1.1", 405, "405.0", "Allow: GET, HEAD, OPTIONS", ""},
		{"POST to a folder without slash", "POST /sub%20dir HTTP/1.1\nContent-Length: 0", 405, "405.0", "Allow: GET, HEAD, OPTIONS", ""},
		{"HEAD of a folder without slash", "HEAD /sub%20dir HTTP/1.1", 301, "", "Location: /sub%20dir/", ""},
		{"a folder without slash", "GET /sub%20dir?q=a%20b HTTP/1.1", 301, "", "Location: /sub%20dir/?q=a%20b", ""},
		{"a folder", "GET /sub%20dir/ HTTP/1.1", 403, "403.14", "", ""},
		{"no other host by redirect", "GET //sub%20dir HTTP/1.1", 301, "", "Location: /sub%20dir/", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.ask(c.request, "")
			if a.status != c.status {
				t.Fatalf("status %d, want %d\n%s", a.status, c.status, a.body)
			}
			if k, v, ok := strings.Cut(c.header, ": "); ok && a.header.Get(k) != v {
				t.Errorf("%s: %q, want %q", k, a.header.Get(k), v)
			}
			if c.sub != "" && !strings.Contains(a.body, "HTTP Error "+c.sub) {
				t.Errorf("the page does not name %s:\n%s", c.sub, a.body)
			}
			if c.status == 200 && a.body != c.body {
				t.Errorf("body %q, want %q", a.body, c.body)
			}
			if strings.Contains(a.body, "secret") {
				t.Error("the file outside the site was sent")
			}
		})
	}
}

func TestMimeMapOfASite(t *testing.T) {
	h := staticHost(t)
	for _, c := range []struct {
		name, section, path string
		status              int
		typ                 string
	}{
		{"a new extension", `<mimeMap fileExtension=".unknown" mimeType="x/y" />`, "/thing.unknown", 200, "x/y"},
		{"any extension", `<mimeMap fileExtension=".*" mimeType="x/any" />`, "/thing.unknown", 200, "x/any"},
		{"any extension, none", `<mimeMap fileExtension=".*" mimeType="x/any" />`, "/noextension", 200, "x/any"},
		{"any extension, a known one", `<mimeMap fileExtension=".*" mimeType="x/any" />`, "/hello.txt", 200, "text/plain"},
		{"any extension, the configuration", `<mimeMap fileExtension=".*" mimeType="x/any" />`, "/web.config", 404, ""},
		{"no extension", `<mimeMap fileExtension="." mimeType="x/none" />`, "/noextension", 200, "x/none"},
		{"no extension is not any", `<mimeMap fileExtension="." mimeType="x/none" />`, "/thing.unknown", 404, ""},
		{"taken out", `<remove fileExtension=".txt" />`, "/hello.txt", 404, ""},
		{"replaced", `<remove fileExtension=".txt" /><mimeMap fileExtension=".txt" mimeType="text/x" />`, "/hello.txt", 200, "text/x"},
		{"replaced, other case", `<remove fileExtension=".TXT" /><mimeMap fileExtension=".Txt" mimeType="text/x" />`, "/hello.txt", 200, "text/x"},
		{"an own type for a known one", `<mimeMap fileExtension=".TXT" mimeType="text/x" />`, "/hello.txt", 200, "text/x"},
		{"a known one repeated", `<mimeMap fileExtension=".json" mimeType="application/json" /><mimeMap fileExtension=".woff2" mimeType="font/woff2" />`, "/hello.txt", 200, "text/plain"},
		{"added twice", `<mimeMap fileExtension=".txt" mimeType="text/x" /><mimeMap fileExtension=".txt" mimeType="text/x" />`, "/hello.txt", 500, ""},
		{"cleared", `<clear />`, "/hello.txt", 404, ""},
		{"no type", `<mimeMap fileExtension=".new" mimeType="" />`, "/hello.txt", 500, ""},
		{"a blank type", `<mimeMap fileExtension=".new" mimeType=" " />`, "/hello.txt", 500, ""},
		{"a second header line", `<mimeMap fileExtension=".unknown" mimeType="x/y&#10;Evil: 1" />`, "/thing.unknown", 500, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.webConfig("<staticContent>" + c.section + "</staticContent>")
			a := h.get(c.path)
			if a.status != c.status || c.status == 200 && a.header.Get("Content-Type") != c.typ {
				t.Errorf("%d %q, want %d %q\n%s", a.status, a.header.Get("Content-Type"), c.status, c.typ, a.body)
			}
		})
	}
}

func TestConditionsAndRanges(t *testing.T) {
	h := staticHost(t)
	first := h.get("/hello.txt")
	tag, modified := first.header.Get("ETag"), first.header.Get("Last-Modified")
	if !strings.HasPrefix(tag, `"`) || modified == "" {
		t.Fatalf("no validators: %v", first.header)
	}
	past := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for _, c := range []struct {
		name, field string
		status      int
		body        string
	}{
		{"the same tag", "If-None-Match: " + tag, 304, ""},
		{"another tag", `If-None-Match: "x"`, 200, "0123456789"},
		{"not modified", "If-Modified-Since: " + modified, 304, ""},
		{"modified", "If-Modified-Since: " + past, 200, "0123456789"},
		{"a precondition met", "If-Match: " + tag, 200, "0123456789"},
		{"a precondition not met", `If-Match: "x"`, 412, ""},
		{"one of several tags", `If-None-Match: "x", W/` + tag + `, "y"`, 304, ""},
		{"any tag", "If-None-Match: *", 304, ""},
		{"the tag goes before the date", "If-None-Match: \"x\"\nIf-Modified-Since: " + modified, 200, "0123456789"},
		{"a date that is none", "If-Modified-Since: yesterday", 200, "0123456789"},
		{"a precondition of any state", "If-Match: *", 200, "0123456789"},
		{"a precondition compares strongly", "If-Match: W/" + tag, 412, ""},
		{"unmodified", "If-Unmodified-Since: " + modified, 200, "0123456789"},
		{"modified since", "If-Unmodified-Since: " + past, 412, ""},
		{"the tag of a precondition goes before its date", "If-Match: " + tag + "\nIf-Unmodified-Since: " + past, 200, "0123456789"},
		{"the precondition goes before the range", "If-Match: \"x\"\nRange: bytes=0-0", 412, ""},
		{"not modified goes before the range", "If-None-Match: " + tag + "\nRange: bytes=0-0", 304, ""},
		{"a range of the same date", "Range: bytes=0-0\nIf-Range: " + modified, 206, "0"},
		{"a range of another date", "Range: bytes=0-0\nIf-Range: " + past, 200, "0123456789"},
		{"a range compares strongly", "Range: bytes=0-0\nIf-Range: W/" + tag, 200, "0123456789"},
		{"If-Range alone", "If-Range: " + tag, 200, "0123456789"},
		{"a range", "Range: bytes=2-4", 206, "234"},
		{"a suffix", "Range: bytes=-2", 206, "89"},
		{"beyond the end", "Range: bytes=10-", 416, ""},
		{"a range without the last bytes", "Range: bytes=-0", 416, ""},
		{"a unit nobody knows", "Range: items=0-1", 200, "0123456789"},
		{"a unit in other case", "Range: Bytes=0-1", 206, "01"},
		{"a range of the same", "Range: bytes=0-0\nIf-Range: " + tag, 206, "0"},
		{"a range of another", "Range: bytes=0-0\nIf-Range: \"x\"", 200, "0123456789"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.get("/hello.txt", c.field)
			if a.status != c.status || c.body != "" && a.body != c.body {
				t.Errorf("%d %q, want %d %q", a.status, a.body, c.status, c.body)
			}
		})
	}
	// Refusals have the pages of HTTP Errors, for visitors as well.
	for _, c := range []struct{ field, named, contentRange string }{
		{"If-Match: \"x\"", "412.0", ""}, {"If-Unmodified-Since: " + past, "412.0", ""}, {"Range: bytes=10-", "416.0", "bytes */10"},
	} {
		a := h.get("/hello.txt", c.field)
		if a.named() != c.named || a.header.Get("Content-Range") != c.contentRange || a.header.Get("ETag") != "" {
			t.Errorf("%s: %s %v", c.field, a.named(), a.header)
		}
		if a = h.get("/hello.txt", c.field, elsewhere); !strings.Contains(a.body, "<h1>") || a.header.Get("Content-Range") != c.contentRange {
			t.Errorf("%s, a visitor: %v %s", c.field, a.header, a.body)
		}
	}
	if a := h.ask("HEAD /hello.txt HTTP/1.1\nRange: bytes=0-0", ""); a.status != 200 || a.header.Get("Content-Length") != "10" {
		t.Errorf("a range of a HEAD: %d %v", a.status, a.header)
	}
	h.site("hello.txt", "9876543210")
	if a := h.get("/hello.txt"); a.header.Get("ETag") == tag {
		t.Error("another file of the same size has the same tag")
	}
}

func TestSeveralRanges(t *testing.T) {
	h := staticHost(t)
	a := h.get("/hello.txt", "Range: bytes=0-1,8-9")
	kind, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || kind != "multipart/byteranges" || a.status != 206 {
		t.Fatalf("two ranges: %d %v %v", a.status, a.header, err)
	}
	parts := multipart.NewReader(strings.NewReader(a.body), params["boundary"])
	for _, want := range []string{"01", "89"} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(p); string(b) != want || p.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("part %q %v, want %q", b, p.Header, want)
		}
	}
}

// TestRangeWithoutErrorPages sees to it that a 416 tells the size where HTTP Errors is not installed.
func TestRangeWithoutErrorPages(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "static-content"))
	h.site("hello.txt", "0123456789")
	if a := h.get("/hello.txt", "Range: bytes=10-"); a.status != 416 || a.body != "" || a.header.Get("Content-Range") != "bytes */10" {
		t.Errorf("%d %v %q", a.status, a.header, a.body)
	}
}

func TestClientCache(t *testing.T) {
	h := staticHost(t)
	const date = "Tue, 19 Jan 2038 03:14:07 GMT"
	for _, c := range []struct {
		attributes, control, expires string
		etag                         bool
		status                       int
	}{
		{``, "", "", true, 200},
		{`cacheControlMode="NoControl"`, "", "", true, 200},
		{`cacheControlMode="DisableCache"`, "no-cache", "", true, 200},
		{`cacheControlMode="UseMaxAge"`, "max-age=86400", "", true, 200},
		{`cacheControlMode="UseMaxAge" cacheControlMaxAge="00:01:00" cacheControlCustom="public"`, "max-age=60, public", "", true, 200},
		{`cacheControlCustom="private"`, "private", "", true, 200},
		{`cacheControlMode="UseExpires" httpExpires="` + date + `"`, "", date, true, 200},
		{`httpExpires="` + date + `"`, "", "", true, 200},
		{`cacheControlMode="UseExpires" httpExpires="Sunday, 06-Nov-94 08:49:37 GMT"`, "", "Sun, 06 Nov 1994 08:49:37 GMT", true, 200},
		{`cacheControlMode="UseMaxAge" cacheControlMaxAge="00:00:00"`, "max-age=0", "", true, 200},
		{`cacheControlMode="UseMaxAge" cacheControlMaxAge="-00:00:01"`, "", "", false, 500},
		{`setEtag="false"`, "", "", false, 200},
		{`cacheControlMode="UseExpires" httpExpires="soon"`, "", "", false, 500},
		{`cacheControlMode="Sometimes"`, "", "", false, 500},
	} {
		t.Run(c.attributes, func(t *testing.T) {
			h.webConfig("<staticContent><clientCache " + c.attributes + " /></staticContent>")
			a := h.get("/hello.txt")
			if a.status != c.status {
				t.Fatalf("%d\n%s", a.status, a.body)
			}
			if c.status != 200 {
				return
			}
			if a.header.Get("Cache-Control") != c.control || a.header.Get("Expires") != c.expires || (a.header.Get("ETag") != "") != c.etag {
				t.Errorf("%v", a.header)
			}
		})
	}
}

// TestNotModified: a 304 brings the validators again and nothing of the content (RFC 9110, section 15.4.5).
func TestNotModified(t *testing.T) {
	h := staticHost(t)
	h.webConfig(`<staticContent><clientCache cacheControlMode="UseMaxAge" /></staticContent>`)
	tag := h.get("/hello.txt").header.Get("ETag")
	for _, method := range []string{"GET", "HEAD"} {
		a := h.ask(method+" /hello.txt HTTP/1.1\nIf-None-Match: "+tag, "")
		if a.status != 304 || a.body != "" || a.header.Get("ETag") != tag || a.header.Get("Cache-Control") == "" || a.header.Get("Content-Type") != "" || a.header.Get("Content-Length") != "" {
			t.Errorf("%s: %d %v", method, a.status, a.header)
		}
	}
	if a := h.ask("HEAD /hello.txt HTTP/1.1\nIf-Match: \"x\"", ""); a.status != 412 || a.body != "" {
		t.Errorf("HEAD: %d %v", a.status, a.header)
	}
}

// TestDocFooters: what is not supported is accepted, has no effect, and stays locked as on IIS.
func TestDocFooters(t *testing.T) {
	h := staticHost(t)
	for section, status := range map[string]int{
		`enableDocFooter="true" defaultDocFooter="&lt;hr&gt;"`: 200, `isDocFooterFileName="true"`: 500, `enableDocFooter="perhaps"`: 500,
	} {
		h.webConfig("<staticContent " + section + " />")
		if a := h.get("/hello.txt"); a.status != status || status == 200 && a.body != "0123456789" {
			t.Errorf("%s: %d %s", section, a.status, a.body)
		}
	}
}
