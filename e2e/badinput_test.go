//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const goodKey = "dGhlIHNhbXBsZSBub25jZQ=="

// goodHandshake is the head of a correct opening handshake without its last line (RFC 6455, section 4.2.1).
func goodHandshake(addr string) []string {
	return []string{
		"GET /echo HTTP/1.1", "Host: " + addr, "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: " + goodKey, "Sec-WebSocket-Version: 13",
	}
}

// replaced returns the head with the line that begins with prefix replaced; no lines means taken out.
func replaced(head []string, prefix string, by ...string) []string {
	i := slices.IndexFunc(head, func(l string) bool { return strings.HasPrefix(l, prefix) })
	return slices.Replace(slices.Clone(head), i, i+1, by...)
}

// exchange sends bytes on a connection of its own and reads answers until the server closes it.
func exchange(t *testing.T, addr string, request []byte) (answers []*http.Response, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience / 3)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = c.Write(request) }() // the server may stop reading before the end
	r := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			return answers, !errors.Is(err, os.ErrDeadlineExceeded)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(body))
		answers = append(answers, resp)
		if err != nil {
			return answers, !errors.Is(err, os.ErrDeadlineExceeded)
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return answers, false
		}
	}
}

func lines(head []string) []byte { return []byte(strings.Join(head, "\r\n") + "\r\n\r\n") }

// TestBrokenHandshakes breaks each rule of RFC 6455, section 4.2.1, one at a time. The pipelined request behind each
// must never run: a peer that tunnels on the wish to upgrade would hand it to the server as the client's own.
func TestBrokenHandshakes(t *testing.T) {
	s := startServer(t, "websocket")
	good := goodHandshake(s.addr)
	if answers, _ := exchange(t, s.addr, lines(good)); len(answers) != 1 || answers[0].StatusCode != 101 {
		t.Fatal("the correct handshake is not answered with 101: the rules below would prove nothing")
	}
	page := []string{"GET /iisstart.htm HTTP/1.1", "Host: " + s.addr}
	if answers, _ := exchange(t, s.addr, append(lines(page), lines(append(page, "Connection: close"))...)); len(answers) != 2 {
		t.Fatal("an ordinary pipelined request does not run: its absence below would prove nothing")
	}
	type rule struct {
		name   string
		head   []string
		status int
	}
	change := func(prefix string, by ...string) []string { return replaced(good, prefix, by...) }
	rules := []rule{
		{"method POST", change("GET", "POST /echo HTTP/1.1", "Content-Length: 0"), 405},
		{"method HEAD", change("GET", "HEAD /echo HTTP/1.1"), 405},
		{"HTTP/1.0", change("GET", "GET /echo HTTP/1.0"), 400},
		{"no Host", change("Host"), 400},
		{"two Hosts", change("Host", "Host: a", "Host: b"), 400},
		{"no upgrade token in Connection", change("Connection", "Connection: keep-alive"), 400},
		{"no Connection", change("Connection"), 400},
		{"no key", change("Sec-WebSocket-Key"), 400},
		{"empty key", change("Sec-WebSocket-Key", "Sec-WebSocket-Key:"), 400},
		{"key of 15 bytes", change("Sec-WebSocket-Key", "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1"), 400},
		{"key of 17 bytes", change("Sec-WebSocket-Key", "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Njc="), 400},
		{"key not base64", change("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!=="), 400},
		{"two keys", change("Sec-WebSocket-Key", "Sec-WebSocket-Key: "+goodKey, "Sec-WebSocket-Key: "+goodKey), 400},
		{"no version", change("Sec-WebSocket-Version"), 426},
		{"version 12", change("Sec-WebSocket-Version", "Sec-WebSocket-Version: 12"), 426},
		{"version 14", change("Sec-WebSocket-Version", "Sec-WebSocket-Version: 14"), 426},
		{"version 0 with zeros", change("Sec-WebSocket-Version", "Sec-WebSocket-Version: 013"), 426},
		{"version not a number", change("Sec-WebSocket-Version", "Sec-WebSocket-Version: thirteen"), 426},
		{"two versions", append(slices.Clone(good), "Sec-WebSocket-Version: 13"), 400},
		{"a body", append(slices.Clone(good), "Content-Length: 3"), 400},
		{"a chunked body", append(slices.Clone(good), "Transfer-Encoding: chunked"), 400},
		{"foreign origin", append(slices.Clone(good), "Origin: https://evil.example"), 403},
		{"origin null", append(slices.Clone(good), "Origin: null"), 403},
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			answers, closed := exchange(t, s.addr, append(lines(r.head), lines(page)...))
			if len(answers) != 1 {
				t.Fatalf("%d answers; the request behind the refused upgrade must not run", len(answers))
			}
			a := answers[0]
			if a.StatusCode != r.status {
				t.Errorf("status %d, want %d", a.StatusCode, r.status)
			}
			if !closed || !a.Close {
				t.Errorf("the connection stays open after a refused upgrade (header %v)", a.Header)
			}
			if r.status == 426 && a.Header.Get("Sec-WebSocket-Version") != "13" {
				t.Errorf("426 names the versions %q, want 13", a.Header.Get("Sec-WebSocket-Version"))
			}
		})
	}
	s.stillServes()
}

// stillServes checks that the server took no harm: a page and an echo.
func (s *server) stillServes() {
	s.t.Helper()
	if status, _ := s.get("/iisstart.htm"); status != http.StatusOK {
		s.t.Errorf("the start page is answered with %d afterwards", status)
	}
	c, err := dialRaw(s.addr, "/echo")
	if err != nil {
		s.t.Fatalf("no handshake afterwards: %v", err)
	}
	defer c.Close()
	if err := c.echo([]byte("still there")); err != nil {
		s.t.Error(err)
	}
}

func TestOversizedHeaders(t *testing.T) {
	s := startServer(t, "websocket")
	before := s.memory("VmHWM")
	t.Run("one long field", func(t *testing.T) {
		head := append(goodHandshake(s.addr), "X-Long: "+strings.Repeat("a", 8<<20))
		answers, closed := exchange(t, s.addr, lines(head))
		if !closed || len(answers) > 1 || len(answers) == 1 && answers[0].StatusCode != 431 {
			t.Errorf("8 MiB of header: %d answers, closed %v", len(answers), closed)
		}
	})
	t.Run("no end", func(t *testing.T) {
		const most = 64 << 20
		c, err := net.Dial("tcp4", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, c) }() // the refusal, if there is one
		sent, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\n", s.addr)
		field := []byte("X-More: " + strings.Repeat("b", 4096) + "\r\n")
		for err == nil && sent < most {
			var n int
			n, err = c.Write(field)
			sent += n
		}
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the server still reads after %d bytes of header (%v)", sent, err)
		}
	})
	if grown := s.memory("VmHWM") - before; grown > 64<<20 {
		t.Errorf("the headers made the server %d MiB larger", grown>>20)
	}
	s.stillServes()
}

// memory returns a line of /proc/PID/status in bytes.
func (s *server) memory(name string) int64 {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "status"))
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		rest, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		return kib << 10
	}
	s.t.Fatalf("no %s in the status of the process", name)
	return 0
}

// TestSlowLoris leaves many requests unfinished: everybody else is served meanwhile, and the site's connectionTimeout
// cuts them.
func TestSlowLoris(t *testing.T) {
	const stalled = 300
	s := newHome(t, "websocket")
	s.edit("config/applicationHost.config", "</bindings>", `</bindings><limits connectionTimeout="00:00:03" />`)
	s.start("serve")
	conns := make([]net.Conn, stalled)
	for i := range conns {
		c, err := net.Dial("tcp4", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: %s\r\nX-Slow: ", i, s.addr); err != nil {
			t.Fatal(err)
		}
		conns[i] = c
	}
	s.stillServes()
	for i, c := range conns {
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("request %d was never finished and still holds its connection", i)
		}
	}
	s.stillServes()
}

func TestPathTraversal(t *testing.T) {
	s := startServer(t, "websocket")
	const secret = "nobody-may-read-this-9d1c"
	s.write("sites/secret.txt", secret)
	s.write("sites/default/sub/page.txt", "a page")
	if err := os.Symlink(filepath.Join(s.home, "sites", "secret.txt"), filepath.Join(s.home, "sites/default/link.txt")); err != nil {
		t.Fatal(err)
	}
	if status, body := s.get("/sub/page.txt"); status != 200 || body != "a page" {
		t.Fatalf("the page that may be read is answered with %d %q", status, body)
	}
	paths := []string{
		"/../secret.txt", "/sub/../../secret.txt", "/..", "/%2e%2e/secret.txt", "/%2E%2E%2Fsecret.txt", "/..%2fsecret.txt",
		"/sub/..%2f..%2fsecret.txt", "/..%5csecret.txt", `/..\secret.txt`, `/sub\..\..\secret.txt`, "/%252e%252e/secret.txt",
		"/..%252fsecret.txt", "/%c0%ae%c0%ae/secret.txt", "/..%c0%afsecret.txt", "/%e0%80%ae%e0%80%ae/secret.txt", "//../secret.txt",
		"/./../secret.txt", "/.../secret.txt", "/..;/secret.txt", "/sub/%00/../../secret.txt", "/secret.txt%00.htm",
		"/..%00/secret.txt", "/%u002e%u002e/secret.txt", "/link.txt", "/link.txt/", s.home + "/sites/secret.txt", "/" + s.home + "/sites/secret.txt",
		"http://" + s.addr + "/../secret.txt", "/sub/page.txt/../../../secret.txt", "../secret.txt", "*",
	}
	for _, p := range paths {
		answers, _ := exchange(t, s.addr, []byte("GET "+p+" HTTP/1.1\r\nHost: "+s.addr+"\r\nConnection: close\r\n\r\n"))
		if len(answers) != 1 {
			t.Errorf("GET %s: %d answers", p, len(answers))
			continue
		}
		body, err := io.ReadAll(answers[0].Body)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(body), secret) || answers[0].StatusCode < 300 {
			t.Errorf("GET %s: %s\n%.200s", p, answers[0].Status, body)
		}
	}
	for _, p := range []string{"/web.config", "/WEB.CONFIG", "/web%2econfig", "/web.config::$DATA", "/sub/../web.config", "/web.config/"} {
		if status, body := s.get(p); status == 200 || strings.Contains(body, "<configuration") {
			t.Errorf("GET %s: %d\n%.200s", p, status, body)
		}
	}
	s.stillServes()
}

// TestDeclaredLengths declares frames far larger than any limit, without sending them. They are refused by their
// header alone: nothing may be allocated for them.
func TestDeclaredLengths(t *testing.T) {
	s := startServer(t, "websocket")
	s.stillServes()
	tests := []struct {
		name     string
		declared uint64
		code     int
	}{
		{"limit and one byte", 4<<20 + 1, 1009},
		{"1 GiB", 1 << 30, 1009},
		{"largest", 1<<63 - 1, 1009},
		{"highest bit set", 1 << 63, 1002},
	}
	before := s.memory("VmHWM")
	for _, tt := range tests {
		for range 20 {
			c, err := dialRaw(s.addr, "/echo")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write(frame(finBit|opBinary, tt.declared, []byte("a few bytes"))); err != nil {
				t.Fatal(err)
			}
			code, err := c.closeCode()
			if err != nil || code != tt.code {
				t.Fatalf("%s: closed with %d, %v; want %d", tt.name, code, err, tt.code)
			}
			_ = c.Close() // it is closed by the server too
		}
	}
	if grown := s.memory("VmHWM") - before; grown > 32<<20 {
		t.Errorf("declared lengths made the server %d MiB larger", grown>>20)
	}
	s.stillServes()
}
