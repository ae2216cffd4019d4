package forward_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// versions serves the host over HTTP/1.1 and over HTTP/2.
func versions(t *testing.T, test func(t *testing.T, start func(*front) *http.Client)) {
	t.Run("HTTP/1.1", func(t *testing.T) {
		test(t, func(f *front) *http.Client { f.Start(); return f.Client() })
	})
	t.Run("HTTP/2", func(t *testing.T) {
		test(t, func(f *front) *http.Client { f.StartTLS(); return f.Client() })
	})
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestStreams has each part of a body arrive while the next one does not exist yet, in both directions.
func TestStreams(t *testing.T) {
	versions(t, func(t *testing.T, start func(*front) *http.Client) {
		a := newApplication(t, func(c net.Conn, br *bufio.Reader, _ string) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
			for range 3 {
				size, _ := br.ReadString('\n')
				text, _ := br.ReadString('\n')
				_, _ = io.WriteString(c, size+text)
			}
			_, _ = io.WriteString(c, "0\r\n\r\n")
		})
		f := newFront(t, a.l.Addr().String(), nil)
		c := start(f)
		body, send := io.Pipe()
		answer := make(chan *http.Response, 1)
		go func() {
			resp, err := c.Do(request(t, "POST", f.URL, body))
			if err != nil {
				t.Error(err)
			}
			answer <- resp
		}()
		_, _ = io.WriteString(send, "one")
		resp := <-answer
		if resp == nil {
			return
		}
		for i, text := range []string{"one", "two", "six"} {
			if i > 0 {
				_, _ = io.WriteString(send, text)
			}
			got := make([]byte, 3)
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != text {
				t.Fatalf("%q, %v, want %q", got, err, text)
			}
		}
		_ = send.Close()
		if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) != 0 {
			t.Errorf("%q, %v", rest, err)
		}
	})
}

func TestTrailers(t *testing.T) {
	versions(t, func(t *testing.T, start func(*front) *http.Client) {
		a := newApplication(t, says("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\nX-More: 8\r\n\r\n"))
		f := newFront(t, a.l.Addr().String(), nil)
		c := start(f)
		r := request(t, "POST", f.URL, io.MultiReader(strings.NewReader("ab")))
		r.Trailer = http.Header{"X-Up": {"9"}}
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(resp.Body)
		if resp.Trailer.Get("X-Sum") != "7" || resp.Trailer.Get("X-More") != "8" || resp.Header.Get("X-Sum") != "" {
			t.Errorf("trailer %v of %v", resp.Trailer, resp.Header)
		}
		if saw := a.saw(); !strings.Contains(saw, "\r\nTrailer: X-Up\r\n") || !strings.HasSuffix(saw, "\r\n0\r\nX-Up: 9\r\n\r\n") {
			t.Errorf("the application saw %q", saw)
		}
	})
}

// TestInterimAnswers has 103 pass, and the application decide whether a body is wanted.
func TestInterimAnswers(t *testing.T) {
	versions(t, func(t *testing.T, start func(*front) *http.Client) {
		a := newApplication(t, func(c net.Conn, br *bufio.Reader, head string) {
			_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
			if strings.Contains(head, "POST /take") {
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
				_, _ = io.ReadFull(br, make([]byte, 4))
			}
			_, _ = io.WriteString(c, ok)
		})
		f := newFront(t, a.l.Addr().String(), nil)
		c := start(f)
		var early []string
		r := request(t, "GET", f.URL, nil)
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			early = append(early, h.Get("Link"))
			return nil
		}}))
		resp, err := c.Do(r)
		if err != nil || resp.StatusCode != 200 || len(early) != 1 || early[0] != "</a.css>" {
			t.Fatalf("%v, %v, early %q", resp, err, early)
		}
		if f.TLS != nil {
			return
		}
		const post = " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
		got := exchange(t, f, "POST /refuse"+post)
		if strings.Contains(got, "100 Continue") || !strings.Contains(got, "200 OK") {
			t.Errorf("a body that the application does not want: %q", got)
		}
		got = exchange(t, f, "POST /take"+post+"abcd")
		if strings.Count(got, "100 Continue") != 1 || !strings.HasSuffix(a.saw(), "\r\n\r\nabcd") {
			t.Errorf("%q; the application saw %q", got, a.saw())
		}
	})
}

// TestTimeLimit ends where the header has come.
func TestTimeLimit(t *testing.T) {
	a := newApplication(t, func(c net.Conn, br *bufio.Reader, head string) {
		if strings.Contains(head, "GET /slow") {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
			time.Sleep(150 * time.Millisecond) // longer than the limit: this is what is tested
			_, _ = io.WriteString(c, "k")
			return
		}
		_, _ = br.ReadByte() // says nothing until the host gives up
	})
	f := newFront(t, a.l.Addr().String(), func(o *forward.Options) { o.Timeout = 50 * time.Millisecond })
	f.Start()
	if got := exchange(t, f, "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasSuffix(got, "\r\n\r\nok") {
		t.Errorf("%q", got)
	}
	got := exchange(t, f, "GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if e := <-f.failed; status(got) != "502" || e.SubStatus != 3 || e.Win32 != 12002 {
		t.Errorf("%q, %+v", got, e)
	}
}

// TestClientLeaves has the application see that nobody waits for its answer.
func TestClientLeaves(t *testing.T) {
	versions(t, func(t *testing.T, start func(*front) *http.Client) {
		asked, left := make(chan bool, 1), make(chan error, 1)
		a := newApplication(t, func(_ net.Conn, br *bufio.Reader, _ string) {
			asked <- true
			_, err := br.ReadByte()
			left <- err
		})
		f := newFront(t, a.l.Addr().String(), nil)
		c := start(f)
		r := request(t, "GET", f.URL, nil)
		ctx, cancel := context.WithCancel(r.Context())
		go func() { <-asked; cancel() }()
		if _, err := c.Do(r.WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := <-left; !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
			t.Errorf("the application saw %v", err)
		}
	})
}

// TestDiesWithinTheBody has the client see that something is missing.
func TestDiesWithinTheBody(t *testing.T) {
	for name, answer := range map[string]string{
		"length": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok",
		"chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
	} {
		versions(t, func(t *testing.T, start func(*front) *http.Client) {
			a := newApplication(t, says(answer))
			f := newFront(t, a.l.Addr().String(), nil)
			c := start(f)
			resp, err := c.Do(request(t, "GET", f.URL, nil))
			if err != nil {
				return // the line may be cut before the header is through
			}
			if got, err := io.ReadAll(resp.Body); err == nil {
				t.Errorf("%s: the body %q looks complete", name, got)
			}
		})
	}
}

// TestAgain counts how often a request is sent whose line breaks: again only on a line that was kept, and only when it
// may be repeated.
func TestAgain(t *testing.T) {
	for _, c := range []struct {
		method, body string
		kept         bool
		status, sent int
	}{
		{"GET", "", true, 200, 2}, {"GET", "", false, 502, 1}, {"DELETE", "", true, 502, 1}, {"POST", "", true, 502, 1}, {"POST", "a", true, 502, 1}, {"PUT", "a", true, 502, 1},
	} {
		var broken atomic.Bool
		a := newApplication(t, func(conn net.Conn, br *bufio.Reader, head string) {
			if strings.Contains(head, "/break") && !broken.Swap(true) {
				_ = conn.Close()
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		})
		f := newFront(t, a.l.Addr().String(), nil)
		f.Start()
		if c.kept {
			if resp, err := f.Client().Do(request(t, "GET", f.URL+"/keep", nil)); err != nil || resp.StatusCode != 200 {
				t.Fatal(resp, err)
			}
		}
		resp, err := f.Client().Do(request(t, c.method, f.URL+"/break?keep", bytes.NewReader([]byte(c.body))))
		if err != nil {
			t.Fatal(err)
		}
		if sent := strings.Count(a.saw(), "/break"); resp.StatusCode != c.status || sent != c.sent {
			t.Errorf("%s %q, kept %v: status %d, sent %d times, want %d, %d", c.method, c.body, c.kept, resp.StatusCode, sent, c.status, c.sent)
		}
	}
}

// TestUnreachable asks whoever can help before it fails.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	for _, helped := range []bool{true, false} {
		f := newFront(t, l.Addr().String(), func(o *forward.Options) {
			o.Again = func(w http.ResponseWriter, r *http.Request, _ error) bool {
				if helped {
					_, _ = io.WriteString(w, r.URL.Path)
				}
				return helped
			}
			o.Prepare = func(out, _ *http.Request) { out.URL.Path = "/other" }
		})
		f.Start()
		got := exchange(t, f, "GET /mine HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if helped && !strings.HasSuffix(got, "/mine") {
			t.Errorf("%q", got)
		}
		if helped {
			continue
		}
		if e := <-f.failed; status(got) != "502" || e.SubStatus != 3 || e.Win32 != 12029 {
			t.Errorf("%q, %+v", got, e)
		}
	}
}

// TestHandshakes has an application see only handshakes that are correct, and clients only answers that belong to theirs.
func TestHandshakes(t *testing.T) {
	const shake = "GET /s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nForwarded: for=evil\r\n"
	for _, c := range []struct {
		name, request, answer, status string
		seen                          bool
	}{
		{"a body", shake + "Content-Length: 3\r\n\r\nabc", "", "400", false},
		{"chunks", shake + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", "400", false},
		{"a short key", strings.Replace(shake, "AAAA=", "A=", 1) + "\r\n", "", "400", false},
		{"another version", strings.Replace(shake, ": 13", ": 12", 1) + "\r\n", "", "426", false},
		{"a refusal", shake + "\r\n", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "403", true},
		{"an early hint", shake + "\r\n", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "403", true},
		{"a wrong key", shake + "\r\n", "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n", "502", true},
		{"another protocol", shake + "\r\n", "HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "502", true},
		{"a long header", shake + "\r\n", "HTTP/1.1 403 F\r\nX: " + strings.Repeat("x", 2<<20), "502", true},
	} {
		a := newApplication(t, says(c.answer))
		f := newFront(t, a.l.Addr().String(), nil)
		f.sockets = &module.Sockets{}
		f.Start()
		got := exchange(t, f, strings.Replace(c.request, "Connection: Upgrade", "Connection: Upgrade, close", 1))
		saw := a.saw()
		if status(got) != c.status || c.seen != (saw != "") || strings.Contains(saw, "evil") {
			t.Errorf("%s: answered %.200q; the application saw %q", c.name, got, saw)
		}
	}
}
