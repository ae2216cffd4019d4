//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// startPHP serves the site of peers/php as it is: its web.config comes from a Windows server.
func startPHP(t *testing.T, fastCGI string) *server {
	t.Helper()
	s := newHome(t, "static-content", "default-document", "http-errors", "http-logging", "url-rewrite", "fastcgi")
	site := filepath.Join(s.home, "sites/default")
	if err := os.RemoveAll(site); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(site, os.DirFS("peers/php")); err != nil {
		t.Fatal(err)
	}
	if fastCGI != "" {
		s.edit("config/applicationHost.config", "</configuration>", "<system.webServer><fastCgi>"+fastCGI+"</fastCgi></system.webServer></configuration>")
	}
	s.start("serve")
	return s
}

// page is an answer with its body read.
type page struct {
	*http.Response
	body string
}

func (s *server) fetch(method, path string, body io.Reader, header ...string) page {
	s.t.Helper()
	p, err := s.tryFetch(method, path, body, header...)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *server) tryFetch(method, path string, body io.Reader, header ...string) (page, error) {
	req, err := http.NewRequest(method, "http://"+s.addr+path, body)
	if err != nil {
		return page{}, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return page{resp, string(b)}, err
}

func TestPHPSiteRunsUnchanged(t *testing.T) {
	s := startPHP(t, "")
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/", 200, "home of /index.php"},
		{"/index.php/a/b", 200, "info  of /index.php"}, // the rules take the path info: there is no such file
		{"/public/a.txt", 200, "a file as it lies there\n"},
		{"/public/other.php", 200, "another script /public/other.php"},
		{"/nowhere", 404, "no route /nowhere"},
		{"/none.php", 404, "no route /none.php"}, // the rules lead it to the front controller
		{"/gone", 410, "gone"},
		{"/warning", 200, "fine"},
		{"/users/", 301, ""},
	} {
		if p := s.fetch("GET", c.path, nil); p.StatusCode != c.status || c.body != "" && p.body != c.body {
			t.Errorf("%s: %d %q, want %d %q", c.path, p.StatusCode, p.body, c.status, c.body)
		}
	}
	var got map[string]any
	p := s.fetch("GET", "/users/7?tab=1&q=%C3%A4", nil, "Proxy", "http://evil/", "X-Original-URL", "/admin", "X_Underscore", "1")
	if err := json.Unmarshal([]byte(p.body), &got); err != nil {
		t.Fatalf("%v: %s", err, p.body)
	}
	for name, want := range map[string]string{
		"script": "/index.php", "uri": "/users/7?tab=1&q=%C3%A4", "self": "/index.php", "https": "off",
		"original": "/users/7?tab=1&q=%C3%A4", "query": "map[q:ä tab:1]", "proxy": "false", "root": filepath.Join(s.home, "sites/default"),
	} {
		if text := fmt.Sprint(got[name]); text != want {
			t.Errorf("%s: %q, want %q", name, text, want)
		}
	}
	if p := s.fetch("GET", "/leave", nil); p.StatusCode != 302 || p.Header.Get("Location") != "/users/7?from=leave" {
		t.Errorf("/leave: %d %q", p.StatusCode, p.Header.Get("Location"))
	}
	if p := s.fetch("GET", "/cookies", nil); len(p.Header["Set-Cookie"]) != 2 {
		t.Errorf("/cookies: %q", p.Header["Set-Cookie"])
	}
	if p := s.fetch("HEAD", "/gone", nil); p.StatusCode != 410 || p.Header.Get("X-Why") != "moved on" || p.body != "" {
		t.Errorf("HEAD /gone: %d %v %q", p.StatusCode, p.Header, p.body)
	}
	if p := s.fetch("GET", "/fatal", nil); p.StatusCode != 500 {
		t.Errorf("/fatal: %d", p.StatusCode)
	}
	if p := s.fetch("GET", "/big", nil); len(p.body) != 4<<20 {
		t.Errorf("/big: %d bytes", len(p.body))
	}
	for _, want := range []string{"is a path of Windows", "the script complains"} {
		if !strings.Contains(s.hostLog(), want) {
			t.Errorf("the log does not tell %q", want)
		}
	}
}

func TestPHPSessionsAndUploads(t *testing.T) {
	s := startPHP(t, "")
	first := s.fetch("GET", "/visits", nil)
	cookie, _, _ := strings.Cut(first.Header.Get("Set-Cookie"), ";")
	if second := s.fetch("GET", "/visits", nil, "Cookie", cookie); first.body != "visit 1" || second.body != "visit 2" {
		t.Errorf("%q, %q", first.body, second.body)
	}
	content := bytes.Repeat([]byte("0123456789"), 100000) // below upload_max_filesize of Debian
	sum := md5.Sum(content)
	want := hex.EncodeToString(sum[:])
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	f, err := m.CreateFormFile("file", "ten.bin")
	if err != nil {
		t.Fatal(err)
	}
	f.Write(content)
	m.WriteField("title", "digits")
	m.Close()
	if p := s.fetch("POST", "/upload", &form, "Content-Type", m.FormDataContentType()); p.body != "ten.bin "+want+" digits" {
		t.Errorf("upload: %d %.200q", p.StatusCode, p.body)
	}
	length := strconv.Itoa(len(content))
	if p := s.fetch("PUT", "/raw", bytes.NewReader(content)); p.body != length+" "+want+" "+length {
		t.Errorf("with a length: %.200q", p.body)
	}
	if p := s.fetch("PUT", "/raw", io.MultiReader(bytes.NewReader(content))); p.body != length+" "+want+" "+length {
		t.Errorf("in chunks: %.200q", p.body)
	}
}

func TestPHPStreams(t *testing.T) {
	s := startPHP(t, "")
	flag := filepath.Join(t.TempDir(), "go")
	resp, err := http.Get("http://" + s.addr + "/stream?until=" + flag)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	if line, err := r.ReadString('\n'); line != "data: 1\n" || err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); string(rest) != "\ndata: 2\n\n" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestPHPWorkerKilled(t *testing.T) {
	s := startPHP(t, "")
	pid := s.fetch("GET", "/pid", nil).body
	if again := s.fetch("GET", "/pid", nil).body; again != pid {
		t.Errorf("the process is not kept: %s, then %s", pid, again)
	}
	if p := s.fetch("GET", "/die", nil); p.StatusCode != 500 || !strings.Contains(s.hostLog(), "SIGKILL") {
		t.Errorf("/die: %d", p.StatusCode)
	}
	if after := s.fetch("GET", "/pid", nil).body; after == pid || after == "" {
		t.Errorf("after the kill: %q", after)
	}
	if p := s.fetch("GET", "/", nil); p.StatusCode != 200 {
		t.Errorf("after the kill: %d", p.StatusCode)
	}
}

func TestPHPHostKilled(t *testing.T) {
	s := startPHP(t, "")
	pid, err := strconv.Atoi(s.fetch("GET", "/pid", nil).body)
	if err != nil {
		t.Fatal(err)
	}
	touched := filepath.Join(t.TempDir(), "busy")
	go s.tryFetch("GET", "/wait?touch="+touched, nil) // it is cut
	s.eventually("the script runs", func() error { _, err := os.Stat(touched); return err })
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.eventually("the PHP process ends", func() error {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !strings.Contains(string(b), ") Z") {
			return fmt.Errorf("process %d is there", pid)
		}
		return nil
	})
}

func TestPHPStderrMode(t *testing.T) {
	const app = `<application fullPath="C:\Program Files\PHP\v8.2\php-cgi.exe" `
	s := startPHP(t, app+`maxInstances="1" instanceMaxRequests="2"><environmentVariables><environmentVariable name="A" value="b" /></environmentVariables></application>`)
	if p := s.fetch("GET", "/warning", nil); p.StatusCode != 500 || !strings.Contains(s.hostLog(), "error stream: the script complains") {
		t.Errorf("ReturnStdErrIn500: %d", p.StatusCode)
	}
	a, b, c := s.fetch("GET", "/pid", nil).body, s.fetch("GET", "/pid", nil).body, s.fetch("GET", "/pid", nil).body
	if a == b && b == c {
		t.Errorf("instanceMaxRequests=2, and one process served three requests: %s", a)
	}
}

// TestPHPWithoutAMapping serves a site that leaves it to its server what runs PHP, as those of most hosters do.
func TestPHPWithoutAMapping(t *testing.T) {
	s := newHome(t, "default-document", "url-rewrite", "fastcgi")
	dir := filepath.Join(s.home, "sites-of-the-test", "blog")
	for name, text := range map[string]string{
		"index.php": `<?php echo "blog ", $_SERVER["REQUEST_URI"];`,
		"web.config": `<configuration><system.webServer>
  <defaultDocument><files><clear /><add value="index.php" /></files></defaultDocument>
  <rewrite><rules><rule name="permalinks"><match url=".*" />
    <conditions><add input="{REQUEST_FILENAME}" matchType="IsFile" negate="true" /><add input="{REQUEST_FILENAME}" matchType="IsDirectory" negate="true" /></conditions>
    <action type="Rewrite" url="index.php" /></rule></rules></rewrite>
</system.webServer></configuration>`,
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	port := strconv.Itoa(freePort(t))
	s.must("site", "add", dir, "--port", port)
	s.start("serve")
	for path, want := range map[string]string{"/": "blog /", "/2024/hello/": "blog /2024/hello/", "/index.php?p=1": "blog /index.php?p=1"} {
		if status, body := fetch(t, "http://127.0.0.1:"+port+path); status != 200 || body != want {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}
