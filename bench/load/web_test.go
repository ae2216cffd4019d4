package load

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name, text string
		status     int
		body       int64
		fails      string
	}{
		{"a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5, ""},
		{"no content", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, 0, ""},
		{"a 304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, 0, ""},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1A;x=y\r\n" + strings.Repeat("x", 26) + "\r\n0\r\n\r\n", 200, 31, ""},
		{"chunks and a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n", 200, 5, ""},
		{"another status", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 200, 0, "want status 200"},
		{"too much", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!", 200, 0, "come after the answer"},
		{"too much after chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n!", 200, 0, "come after the answer"},
		{"no chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 200, 0, "no size of a chunk"},
		{"the end of the connection", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, 0, "is to stay open"},
		{"no HTTP", "SSH-2.0-OpenSSH\r\n\r\n", 200, 0, "want status 200"},
	} {
		for size := 1; size <= len(c.text); size++ {
			a := answer{status: c.status}
			var err error
			for i := 0; i < len(c.text) && err == nil; i += size {
				err = a.feed([]byte(c.text[i:min(i+size, len(c.text))]))
			}
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%s, by %d bytes: %v", c.name, size, err)
				}
				continue
			}
			if err != nil || !a.whole || a.body != c.body {
				t.Errorf("%s, by %d bytes: %d bytes, whole %v, %v", c.name, size, a.body, a.whole, err)
			}
			if a.reset(); a.whole || a.body != 0 || a.inBody || len(a.head) > 0 {
				t.Errorf("%s: something is left: %+v", c.name, a)
			}
		}
	}
}

func TestRunWeb(t *testing.T) {
	body := strings.Repeat("x", 100_000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/chunks":
			_ = http.NewResponseController(w).Flush()
		case "/none":
			w.WriteHeader(http.StatusNotModified)
			return
		case "/length":
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		_, _ = w.Write([]byte(body))
	}))
	defer s.Close()
	addr := s.Listener.Addr().String()
	web := func(path string, status int, size int64) Web {
		return Web{Name: path, Addr: addr, PID: os.Getpid(), Conns: 3, Status: status, Body: size,
			Request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, addr)}
	}
	for _, w := range []Web{web("/length", 200, 100_000), web("/chunks", 200, 100_000), web("/none", 304, 0)} {
		r, err := RunWeb(w, 0.02)
		if err != nil || r.Messages == 0 || r.Checked < r.Messages || r.CPU <= 0 || r.P50 <= 0 || r.RSS == 0 || r.Conns != 3 {
			t.Errorf("%s: %+v, %v", w.Name, r, err)
		}
	}
	if _, err := RunWeb(web("/length", 200, 99_999), 0.02); err == nil || !strings.Contains(err.Error(), "100000 bytes of content, want 99999") {
		t.Errorf("another length: %v", err)
	}
	if _, err := RunWeb(web("/length", 304, 0), 0.02); err == nil || !strings.Contains(err.Error(), "want status 304") {
		t.Errorf("another status: %v", err)
	}
	if _, err := RunWeb(web("/length", 200, 100_000), 0); err == nil {
		t.Error("no time passed")
	}
}
