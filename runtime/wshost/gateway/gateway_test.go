package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

func TestReadResponse(t *testing.T) {
	long := strings.Repeat("x", maxLine-len("A: \n"))
	for name, c := range map[string]struct {
		in     string
		status int // 0: refused
		header http.Header
		length int64
		body   string
	}{
		"plain":               {"Content-Type: text/html\r\n\r\nhi", 200, http.Header{"Content-Type": {"text/html"}}, -1, "hi"},
		"bare line feeds":     {"Content-Type: text/html\n\nhi", 200, http.Header{"Content-Type": {"text/html"}}, -1, "hi"},
		"status":              {"Status: 404 Not Found\r\n\r\n", 404, http.Header{}, -1, ""},
		"status alone":        {"Status: 204\r\n\r\n", 204, http.Header{}, -1, ""},
		"location":            {"Location: /x\r\n\r\n", 302, http.Header{"Location": {"/x"}}, -1, ""},
		"location and status": {"Status: 301 Gone\r\nLocation: /x\r\n\r\n", 301, http.Header{"Location": {"/x"}}, -1, ""},
		"two cookies":         {"Set-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n", 200, http.Header{"Set-Cookie": {"a=1", "b=2"}}, -1, ""},
		"length":              {"Content-Length: 2\r\n\r\nhi", 200, http.Header{}, 2, "hi"},
		"one length twice":    {"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 200, http.Header{}, 2, "hi"},
		"of the connection":   {"X: y\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\n\r\n", 200, http.Header{"X": {"y"}}, -1, ""},
		"longest line":        {"A: " + long + "\n\n", 200, http.Header{"A": {long}}, -1, ""},
		"line too long":       {"A: " + long + "y\n\n", 0, nil, 0, ""},
		"too many lines":      {strings.Repeat("A: b\n", maxHeader/5+1) + "\n", 0, nil, 0, ""},
		"two lengths":         {"Content-Length: 2\r\nContent-Length: 3\r\n\r\n", 0, nil, 0, ""},
		"negative length":     {"Content-Length: -1\r\n\r\n", 0, nil, 0, ""},
		"length with a sign":  {"Content-Length: +1\r\n\r\n", 0, nil, 0, ""},
		"folded":              {"A: b\r\n c: d\r\n\r\n", 0, nil, 0, ""},
		"space before colon":  {"A : b\r\n\r\n", 0, nil, 0, ""},
		"no colon":            {"<html>\r\n\r\n", 0, nil, 0, ""},
		"carriage return":     {"A: b\rC: d\r\n\r\n", 0, nil, 0, ""},
		"NUL":                 {"A: b\x00\r\n\r\n", 0, nil, 0, ""},
		"nothing":             {"", 0, nil, 0, ""},
		"no field":            {"\r\nbody", 0, nil, 0, ""},
		"no end":              {"A: b\r\n", 0, nil, 0, ""},
		"status out of range": {"Status: 600\r\n\r\n", 0, nil, 0, ""},
		"informational":       {"Status: 101 Switching\r\n\r\n", 0, nil, 0, ""},
		"status is no number": {"Status: OK\r\n\r\n", 0, nil, 0, ""},
		"two statuses":        {"Status: 200\r\nStatus: 404\r\n\r\n", 0, nil, 0, ""},
	} {
		resp, err := ReadResponse(strings.NewReader(c.in))
		if c.status == 0 {
			if !errors.Is(err, ErrHeader) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.Status != c.status || resp.Length != c.length || string(body) != c.body || len(resp.Header) != len(c.header) {
			t.Errorf("%s: %d %v %d %q", name, resp.Status, resp.Header, resp.Length, body)
		}
		for k, v := range c.header {
			if !slices.Equal(resp.Header[k], v) {
				t.Errorf("%s: %s is %q", name, k, resp.Header[k])
			}
		}
	}
}

// FuzzReadResponse holds that what is read can be sent: no field has a line end in it, no status is out of range.
func FuzzReadResponse(f *testing.F) {
	f.Add("Status: 200 OK\r\nContent-Type: text/html\r\n\r\nbody")
	f.Add("Location: /a\nA: b\n c\n\n")
	f.Fuzz(func(t *testing.T, in string) {
		resp, err := ReadResponse(strings.NewReader(in))
		if err != nil {
			return
		}
		if resp.Status < 200 || resp.Status > 599 {
			t.Fatal(resp.Status)
		}
		for name, values := range resp.Header {
			for _, v := range append(values, name) {
				if strings.ContainsAny(v, "\r\n\x00") {
					t.Fatalf("%q", v)
				}
			}
		}
	})
}

// folder is module.Files for one folder, enough for these tests.
type folder struct {
	module.Files
	dir string
}

func (f folder) Stat(p string) (os.FileInfo, error) { return os.Stat(filepath.Join(f.dir, p)) }
func (f folder) Physical(p string) string           { return filepath.Join(f.dir, p) }

func TestVariables(t *testing.T) {
	q := &module.Request{SiteID: 7, SiteName: "Site", Files: folder{dir: "/srv/site"}, User: ""}
	r := httptest.NewRequest("POST", "http://www.example.com:8080/shop/x?a=%20b", nil)
	r.RequestURI = "/shop/x?a=%20b"
	r.URL.Path = "/index.php/x"
	r.RemoteAddr = "192.0.2.1:4711"
	for name, value := range map[string]string{
		"Proxy": "http://evil/", "X-Original-Url": "/admin", "X-Rewrite-Url": "/admin", "X_Forwarded_For": "127.0.0.1", "X-Forwarded-For": "192.0.2.9",
		"Content-Type": "text/plain", "Cookie": "a=b", "Connection": "close", "Authorization": "Basic eA==",
	} {
		r.Header[name] = []string{value}
	}
	v := Variables(r, q, Script{"/index.php", "/x"}, 5)
	for name, want := range map[string]string{
		"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_NAME": "www.example.com", "SERVER_PORT": "8080", "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": "POST",
		"QUERY_STRING": "a=%20b", "REQUEST_URI": "/shop/x?a=%20b", "UNENCODED_URL": "/shop/x?a=%20b", "SCRIPT_NAME": "/index.php",
		"SCRIPT_FILENAME": "/srv/site/index.php", "PATH_INFO": "/x", "PATH_TRANSLATED": "/srv/site/x", "DOCUMENT_ROOT": "/srv/site", "APPL_PHYSICAL_PATH": "/srv/site/",
		"REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "4711", "HTTPS": "off", "CONTENT_LENGTH": "5", "CONTENT_TYPE": "text/plain", "HTTP_HOST": "www.example.com:8080",
		"HTTP_COOKIE": "a=b", "HTTP_X_FORWARDED_FOR": "192.0.2.9", "HTTP_X_ORIGINAL_URL": "/shop/x?a=%20b", "HTTP_AUTHORIZATION": "Basic eA==", "INSTANCE_ID": "7",
	} {
		if v[name] != want {
			t.Errorf("%s: %q, want %q", name, v[name], want)
		}
	}
	for _, name := range []string{"HTTP_PROXY", "HTTP_X_REWRITE_URL", "HTTP_CONNECTION", "HTTP_CONTENT_TYPE", "REMOTE_USER"} {
		if value, ok := v[name]; ok {
			t.Errorf("%s is %q", name, value)
		}
	}
	r.URL.Path = "/shop/x"
	if _, ok := Variables(r, q, Script{"/shop/x", ""}, 0)["HTTP_X_ORIGINAL_URL"]; ok {
		t.Error("a client's X-Original-URL is believed")
	}
}

func TestFindScript(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.py"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		handler, url string
		want         Script
	}{
		{"/index.php", "/index.php/a", Script{"/index.php", "/a"}},
		{"/index.php", "/index.php", Script{"/index.php", ""}},
		{"/app.py/a", "/app.py/a", Script{"/app.py", "/a"}},
		{"/none/a", "/none/a", Script{"/none/a", ""}},
		{"/", "/", Script{"/", ""}},
	} {
		q := &module.Request{Files: folder{dir: dir}, Handler: &module.Handler{Script: c.handler}}
		if got := FindScript(q, c.url); got != c.want {
			t.Errorf("%s of %s: %v, want %v", c.handler, c.url, got, c.want)
		}
	}
}

func TestFindProgram(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"php-cgi", "python3"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	php := filepath.Join(dir, "php-cgi")
	for in, want := range map[string]string{
		`C:\php\php-cgi.exe`: php, `c:/PHP/PHP-CGI.EXE`: php, `php-cgi.exe`: php, "php-cgi": php, php: php, `D:\home\Python\python.exe`: filepath.Join(dir, "python3"),
		`C:\php\php.exe`: php, `C:\perl\perl.exe`: "", "/nowhere/php-cgi": "", "": "", "ruby": "",
	} {
		got, err := FindProgram(in)
		if got.Path != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got.Path, err, want)
		}
		if windows := IsWindowsPath(in); err == nil && windows != (got.Note != "") {
			t.Errorf("%q: note %q", in, got.Note)
		}
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string][2]string{
		`C:\php\php-cgi.exe`: {`C:\php\php-cgi.exe`, ""}, `"C:\p p\a.exe"|-c "x y"`: {`C:\p p\a.exe`, `-c "x y"`}, "a|b|c": {"a", "b|c"},
	} {
		if p, a := SplitProcessor(in); p != want[0] || a != want[1] {
			t.Errorf("%q: %q %q", in, p, a)
		}
	}
	for in, want := range map[string][]string{
		"": nil, " a  b ": {"a", "b"}, `-c "C:\p p\x.ini" -d a="b c"`: {"-c", `C:\p p\x.ini`, "-d", "a=b c"}, `""`: {""}, `a"`: {"a"},
	} {
		if got := SplitArguments(in); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string][2]string{"unix:/run/php.sock": {"unix", "/run/php.sock"}, "tcp://127.0.0.1:9000": {"tcp", "127.0.0.1:9000"}, "/usr/bin/php": {}} {
		if n, a, ok := IsAddress(in); n != want[0] || a != want[1] || ok != (n != "") {
			t.Errorf("%q: %q %q %v", in, n, a, ok)
		}
	}
}

func TestBody(t *testing.T) {
	for _, c := range []struct {
		body   string
		length int64
		want   int64
		status int
	}{{"", 0, 0, 0}, {"abc", 3, 3, 0}, {"abcd", -1, 4, 0}, {"abcde", -1, 0, 413}, {"", -1, 0, 0}} {
		r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(c.body)))
		r.ContentLength = c.length
		dir := t.TempDir()
		b, n, done, refusal := Body(r, dir, 4)
		if refusal != nil && refusal.Status != c.status || refusal == nil && c.status != 0 || n != c.want {
			t.Errorf("%q of %d: %d, %v", c.body, c.length, n, refusal)
			continue
		}
		if b != nil {
			if got, _ := io.ReadAll(b); string(got) != c.body {
				t.Errorf("%q: %q", c.body, got)
			}
		}
		done()
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%q: a file is left", c.body)
		}
	}
}
