//go:build e2e

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// appEnvironment is what the applications below sites need of the machine: the packages of this folder for node, Debian's
// Python before any other, and a dotnet, which is a script that runs the application with node.
func appEnvironment(t *testing.T) {
	t.Helper()
	nodePath(t)
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "dotnet"), []byte("#!/bin/sh\nexec node \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:"+os.Getenv("PATH"))
}

// jar builds the application of sites/spring, as a build tool would.
func jar(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "app.jar")
	for _, args := range [][]string{
		{"javac", "-d", filepath.Join(dir, "classes"), "sites/spring/App.java"},
		{"jar", "--create", "--file", file, "--main-class", "App", "-C", filepath.Join(dir, "classes"), "."},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	return file
}

// request is one of a table of requests to an application.
type request struct {
	method, path, body string
	status             int
	want               []string // parts of the answer
}

func (r request) check(t *testing.T, client *http.Client, base string) {
	t.Helper()
	req, err := http.NewRequest(r.method, base+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Errorf("%s %s: %v", r.method, r.path, err)
		return
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != r.status {
		t.Errorf("%s %s: %d, want %d (%v)\n%.2000s", r.method, r.path, resp.StatusCode, r.status, err, b)
		return
	}
	for _, want := range r.want {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s %s: %.600s\nwant %s", r.method, r.path, b, want)
		}
	}
}

// patient is an HTTP client with a limit, which trusts the development authority when a server is given.
func patient(t *testing.T, s *server) *http.Client {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true}
	if s != nil {
		pool := x509.NewCertPool()
		pem, err := os.ReadFile(s.authority())
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			t.Fatalf("the development authority cannot be read: %v", err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Timeout: 2 * patience, Transport: transport}
}

// TestAppsRunUnchanged brings applications as they lie on a Windows server, with a command for what each needs and one
// to add it, and holds that they answer.
func TestAppsRunUnchanged(t *testing.T) {
	appEnvironment(t)
	app := jar(t)
	s := newHome(t, "http-errors")
	s.start("serve")
	client := patient(t, nil)
	for _, c := range []struct {
		site     string
		requests []request
		log      string // file below the site that holds what the program writes
		logged   string // what the host explains
	}{
		{"iisnode", []request{
			{"GET", "/", "", 200, []string{`"url":"/"`, `"mode":"production"`}},
			{"GET", "/style.css", "", 200, []string{"margin"}},
			{"GET", "/bin/tool.txt", "", 200, []string{"a tool"}},
			{"GET", "/server.js", "", 200, []string{`"url":"/server.js"`}}, // the program, not its source
			{"POST", "/api/items?q=%C3%A4&x=1", "words", 200, []string{`"url":"/api/items?q=%C3%A4&x=1"`, `"body":"words"`}},
			{"GET", "/missing", "", 404, []string{`"url":"/missing"`}},
		}, "iisnode/*.log", ""},
		{"core", []request{
			{"GET", "/shop?id=1", "", 200, []string{`"url":"/shop?id=1"`, `"scheme":"http"`, `"client":"127.0.0.1`, `"environment":"Staging"`, `"base":"/"`, `"arguments":2`}},
			{"PUT", "/upload", strings.Repeat("x", 1<<20), 200, []string{`"length":1048576`}},
		}, "logs/stdout*.log", "App.dll"},
		{"spring", []request{
			{"POST", "/a%20b?c", "body", 200, []string{"POST /a%20b?c body for 127.0.0.1", "over http", "ipv4 true"}},
			{"GET", "/none", "", 404, []string{"GET /none"}},
		}, "logs/app*.log", "app.jar"},
		{"flask", []request{
			{"GET", "/", "", 200, []string{"<h1>Grüße</h1>"}},
			{"GET", "/seen?a=1&a=2", "", 200, []string{`"a": ["1", "2"]`, `"scheme": "http"`}},
			{"POST", "/form", "name=Ada&city=London", 201, []string{"city=London, name=Ada"}},
			{"GET", "/none", "", 404, []string{"no such route"}},
		}, "python.log_*.log", `python.exe`},
	} {
		t.Run(c.site, func(t *testing.T) {
			dir := filepath.Join(s.home, "sites-of-the-test", c.site)
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("sites", c.site))); err != nil {
				t.Fatal(err)
			}
			if c.site == "spring" {
				if err := os.Rename(app, filepath.Join(dir, "app.jar")); err != nil {
					t.Fatal(err)
				}
			}
			s.must("install", "--for", dir)
			port := freePort(t)
			s.must("site", "add", dir, "--port", strconv.Itoa(port))
			for _, r := range c.requests {
				r.check(t, client, "http://127.0.0.1:"+strconv.Itoa(port))
			}
			if files, _ := filepath.Glob(filepath.Join(dir, c.log)); len(files) == 0 {
				t.Errorf("there is no %s", c.log)
			}
			if !strings.Contains(s.hostLog(), c.logged) {
				t.Errorf("the log does not explain %q", c.logged)
			}
			if b, _ := os.ReadFile(filepath.Join(dir, "web.config")); string(b) != readFile(t, filepath.Join("sites", c.site, "web.config")) {
				t.Error("the web.config is not what it was")
			}
		})
	}
	if state := s.read("state.toml"); !strings.Contains(state, `id = "websocket"`) {
		t.Errorf("install --for did not see that iisnode's site needs websocket:\n%s", state)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestCoreBehindTLS holds what an application of ASP.NET Core learns of a client over https, and that it believes nobody
// but its own host.
func TestCoreBehindTLS(t *testing.T) {
	appEnvironment(t)
	s := newHome(t, "http-platform")
	s.site("core", "core")
	s.start("serve")
	base := "https://localhost:" + s.secureSite("core")
	client := patient(t, s)
	var seen struct {
		Host, Scheme, Client, ForwardedHost, Upgrade string
		Port                                         int
	}
	req, err := http.NewRequest("GET", base+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("MS-ASPNETCORE-TOKEN", "guessed")
	req.Header.Set("X-Forwarded-Proto", "http")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s %.500s", resp.Proto, resp.Status, b)
	}
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	if seen.Scheme != "https" || !strings.HasPrefix(seen.Client, "127.0.0.1") && !strings.HasPrefix(seen.Client, "::1") || "https://"+seen.ForwardedHost != base {
		t.Errorf("the application saw %+v", seen)
	}
	for _, token := range []string{"", "guessed"} {
		direct, err := http.NewRequest("GET", "http://127.0.0.1:"+strconv.Itoa(seen.Port)+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		direct.Header.Set("MS-ASPNETCORE-TOKEN", token)
		resp, err := client.Do(direct)
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != 400 {
			t.Errorf("past the host, with the token %q: %s", token, resp.Status)
		}
	}
}

// job is one for peers/matrix.mjs.
type job struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	Deflate bool   `json:"deflate"`
	Client  string `json:"client"`
	App     string `json:"app"`
}

// jobs are the two for an application: with and without permessage-deflate of the client. A relay negotiates with each
// side by itself and leaves the application's uncompressed; in a tunnel both sides have what they agree on.
func jobs(name, url, mode string, appDeflates bool) []job {
	const deflate = "permessage-deflate"
	with := job{name + " " + mode + " with", url, true, deflate, "none"}
	if mode == "tunnel" {
		with.Client = ""
		if appDeflates {
			with.Client, with.App = deflate, deflate
		}
	}
	return []job{with, {name + " " + mode + " without", url, false, "", "none"}}
}

// TestWebSocketApps has WebSocket applications of ASP.NET Core's shape, node, Python and Java behind relay and tunnel.
func TestWebSocketApps(t *testing.T) {
	appEnvironment(t)
	app := jar(t)
	s := newHome(t, "http-platform", "url-rewrite", "request-filtering", "static-content", "http-errors", "websocket")
	var all []job
	urls := map[string]string{}
	for _, c := range []struct{ site, old, relay, tunnel string }{
		{"core", "<security>", "<security>", `<webSocket enabled="false" /><security>`},
		{"iisnode", `<webSocket enabled="false" />`, `<webSocket enabled="true" />`, `<webSocket enabled="false" />`},
		{"pythonws", "<handlers>", "<handlers>", `<webSocket enabled="false" /><handlers>`},
		{"spring", "<handlers>", "<handlers>", `<webSocket enabled="false" /><handlers>`},
	} {
		for mode, edit := range map[string]string{"relay": c.relay, "tunnel": c.tunnel} {
			dir, url := s.site(c.site+"-"+mode, c.site, c.old, edit)
			url = "ws" + strings.TrimPrefix(url, "http")
			urls[c.site+" "+mode] = url
			switch c.site {
			case "iisnode":
				all = append(all, jobs("node", url+"/socket", mode, true)...)
				all = append(all, jobs("plain node", url+"/plain", mode, false)...)
			case "spring":
				if err := os.WriteFile(filepath.Join(dir, "app.jar"), []byte(readFile(t, app)), 0o644); err != nil {
					t.Fatal(err)
				}
				all = append(all, jobs(c.site, url+"/echo", mode, false)...)
			default:
				all = append(all, jobs(c.site, url+"/echo", mode, true)...)
			}
		}
	}
	s.start("serve")
	port := s.secureSite("core-tunnel")
	all = append(all, jobs("core over TLS", "wss://localhost:"+port+"/echo", "tunnel", true)...)
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := s.trusting(peer(t, "matrix", string(text))).CombinedOutput(); err != nil {
		t.Errorf("node against the applications: %v\n%s", err, out)
	}
	for _, c := range [][2]string{{"python", "spring relay"}, {"python", "spring tunnel"}, {"java", "pythonws relay"}, {"java", "pythonws tunnel"}} {
		if out, ok := runPeer(t, c[0], urls[c[1]]+"/echo"); !ok {
			t.Errorf("%s against %s:\n%s", c[0], c[1], out)
		}
	}
	// What an application answers instead of 101 is passed on.
	for _, mode := range []string{"relay", "tunnel"} {
		if status := handshakeStatus(t, urls["iisnode "+mode], "/nowhere"); status != 404 {
			t.Errorf("%s: a handshake that the application refuses: %d", mode, status)
		}
	}
	s.eventually("the host has let go of every socket", func() error { return wantSockets(s, 0) })
}

// handshakeStatus sends an opening handshake and returns the status of the answer.
func handshakeStatus(t *testing.T, url, path string) int {
	t.Helper()
	host := strings.TrimPrefix(url, "ws://")
	c, err := net.DialTimeout("tcp", host, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, host)
	var version string
	var status int
	if _, err := fmt.Fscan(c, &version, &status); err != nil {
		t.Fatal(err)
	}
	return status
}

// TestBrowserOverHTTP2ToApps has Chromium on the socket.io application over https, in one tab inside HTTP/2 and in another
// over HTTP/1.1: behind the relay, behind the tunnel, and without the feature.
func TestBrowserOverHTTP2ToApps(t *testing.T) {
	nodePath(t)
	s := newHome(t, "http-platform", "url-rewrite", "websocket")
	dir, url := s.site("app", "socketio")
	s.start("serve")
	port := s.secureSite("app")
	key := spki(t, filepath.Join(s.home, "certificates/dev/localhost.pem"))
	tabs := startTalk(t, peer(t, "tabs", "h2,http/1.1", key, "https://localhost:"+port+"/", "https://h1.localhost:"+port+"/"))
	tabs.does("websocket")
	wantLines(t, s, "relay")
	editFile(t, filepath.Join(dir, "web.config"), "<iisnode ", snippet)
	s.eventually("the change is seen", func() error {
		one := startCounting(t, url, 1)
		one.over(s, "websocket")
		defer one.ask("end")
		return haveEndpoints(s, "tunnel", 1)
	})
	tabs.does("websocket")
	wantLines(t, s, "tunnel")
	s.must("remove", "websocket")
	tabs.does("polling")
	s.eventually("no socket is left", func() error { return wantSockets(s, 0) })
	tabs.say("end")
	tabs.hears("ok")
}

// wantLines waits until the host's record holds one connection over HTTP/2 and one over HTTP/1.1, both over TLS.
func wantLines(t *testing.T, s *server, endpoint string) {
	t.Helper()
	s.eventually("the host's record of the connections", func() error {
		got := map[string]int{}
		for _, c := range s.connections() {
			got[c.Endpoint+" "+c.Protocol+" "+c.TLS]++
		}
		if want := map[string]int{endpoint + " HTTP/1.1 TLS 1.3": 1, endpoint + " HTTP/2 TLS 1.3": 1}; fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%v, want %v", got, want)
		}
		return nil
	})
	if out := s.must("connections"); !strings.Contains(out, "HTTP/2") || strings.Count(out, " /socket.io/ ") != 2 {
		t.Errorf("rolemgr connections:\n%s", out)
	}
}
