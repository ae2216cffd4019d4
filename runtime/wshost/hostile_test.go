package wshost

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// fileServer serves the site's files without a thought: what protects them is the host.
func fileServer() *fake {
	return &fake{name: "FileModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		q := module.FromRequest(r)
		f, err := q.Files.Open(r.URL.Path)
		if err != nil {
			q.Fail(w, r, &module.HTTPError{Status: 404, Summary: err.Error()})
			return
		}
		defer f.Close()
		_, _ = io.Copy(w, f)
	}}
}

func TestPathTraversal(t *testing.T) {
	h := newTestHost(t, fileServer()).start()
	h.write("sites/secret.txt", "TOP SECRET")
	h.write("sites/default/sub/below.txt", "below")
	if err := os.Symlink(filepath.Join(h.home, "sites/secret.txt"), filepath.Join(h.home, "sites/default/link.txt")); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		"/../secret.txt", "/./../secret.txt", "/sub/../../secret.txt", "/%2e%2e/secret.txt", "/%2E./secret.txt", "/.%2e/secret.txt",
		"/%2e%2e%2fsecret.txt", "/..%2fsecret.txt", "/..%5csecret.txt", "/..\\secret.txt", "/sub%5c..%5c..%5csecret.txt",
		"/%252e%252e/secret.txt", "/%252e%252e%252fsecret.txt", "/%c0%ae%c0%ae/secret.txt", "/%e0%80%ae%e0%80%ae/secret.txt",
		"/..%00/secret.txt", "/secret.txt%00", "/..;/secret.txt", "/.../secret.txt", "/%uff0e%uff0e/secret.txt", "/ ../secret.txt",
		"//..//secret.txt", "/link.txt", "http://x/../secret.txt", "../secret.txt", "/sub/..%2f..%2fsecret.txt", "/%2f..%2f../secret.txt",
		"/..%c0%afsecret.txt", "/..%ef%bc%8fsecret.txt", "/" + filepath.Join(h.home, "sites/secret.txt"),
	} {
		resp := dialRaw(t, h.addr).send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").response()
		b, _ := io.ReadAll(resp.Body)
		if strings.Contains(string(b), "SECRET") || resp.StatusCode < 400 || resp.StatusCode > 404 {
			t.Errorf("%s: %s %q", target, resp.Status, b)
		}
	}
	for target, want := range map[string]string{"/sub/../file.txt": "content of a file\n", "/sub/below.txt": "below", "/sub//%62elow.txt": "below"} {
		resp := dialRaw(t, h.addr).send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").response()
		if b, _ := io.ReadAll(resp.Body); string(b) != want {
			t.Errorf("%s: %s %q, want %q", target, resp.Status, b, want)
		}
	}
}

func TestRawRequests(t *testing.T) {
	h := newTestHost(t, hello("hello")).start()
	const request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: "
	const room = 16<<10 - len(request) - len("\r\n\r\n") // request line and header together
	tests := []struct {
		name, request string
		status        int
	}{
		{"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 200},
		{"HTTP/1.1 without Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400},
		{"a Host that is none", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400},
		{"absolute form", "GET http://x/ HTTP/1.1\r\nHost: y\r\nConnection: close\r\n\r\n", 200},
		{"OPTIONS for the server as a whole", "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200},
		{"CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\nConnection: close\r\n\r\n", 405},
		{"no request", "\x16\x03\x01\x02\x00\x01\r\n\r\n", 400},
		{"HTTP/2 without upgrade", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
		{"both lengths", "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
		{"a coding that nobody knows", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\n", 501},
		{"a header that fits", request + strings.Repeat("a", room) + "\r\n\r\n", 200},
		{"a header that does not", request + strings.Repeat("a", room+1) + "\r\n\r\n", 431},
		{"a request line that does not fit", "GET /" + strings.Repeat("a", 20<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dialRaw(t, h.addr).send(tt.request)
			if resp := c.response(); resp.StatusCode != tt.status {
				t.Errorf("%s, want %d", resp.Status, tt.status)
			}
			_ = c.Close()
		})
	}
}

func TestEndlessHeader(t *testing.T) {
	h := newTestHost(t, hello("hello")).start()
	c := dialRaw(t, h.addr).send("GET / HTTP/1.1\r\nHost: x\r\n")
	sent := 0
	for sent < 10<<20 {
		n, err := io.WriteString(c, "X-Endless: "+strings.Repeat("a", 100)+"\r\n")
		if sent += n; err != nil {
			break
		}
	}
	if sent >= 10<<20 {
		t.Errorf("the host took %d bytes of header", sent)
	}
}

// slowHost has a site with a connectionTimeout of one second, the least there is.
func slowHost(t *testing.T, f *fake) *testHost {
	h := newTestHost(t, f)
	h.configure(h.site(1, "Default Web Site", `<limits connectionTimeout="00:00:01"/>`, "127.0.0.1:0:"))
	return h.start()
}

func TestSlowHeaderIsCut(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	h := slowHost(t, &fake{name: "HelloModule", serve: func(http.ResponseWriter, *http.Request, http.Handler) { served.Add(1) }})
	for _, first := range []string{"", "GET / HT"} {
		c := dialRaw(t, h.addr).send(first)
		gone := make(chan error, 1)
		go func() { // a byte now and then does not buy time
			var err error
			for err == nil {
				time.Sleep(50 * time.Millisecond)
				if first != "" {
					_, err = c.Write([]byte("x"))
				} else {
					_, err = c.Write(nil)
					if _, rerr := c.r.Peek(1); rerr != nil {
						err = rerr
					}
				}
			}
			gone <- err
		}()
		select {
		case err := <-gone:
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%q: the client was not cut", first)
			}
		case <-time.After(patience):
			t.Errorf("%q: the client was not cut", first)
		}
	}
	if served.Load() != 0 {
		t.Errorf("%d requests were served", served.Load())
	}
}

func TestSlowBodyIsCut(t *testing.T) {
	t.Parallel()
	got := make(chan error, 1)
	h := slowHost(t, &fake{name: "BodyModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, err := io.Copy(io.Discard, r.Body)
		got <- err
	}})
	dialRaw(t, h.addr).send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\npart")
	select {
	case err := <-got:
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Errorf("the body ended with %v, want a timeout", err)
		}
	case <-time.After(patience):
		t.Fatal("the module still waits for the body")
	}
}

func TestSteadyBodyIsNotCut(t *testing.T) {
	t.Parallel()
	read := make(chan struct{}, 5)
	h := slowHost(t, &fake{name: "BodyModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		b := make([]byte, 1)
		for {
			n, err := r.Body.Read(b)
			if n > 0 {
				read <- struct{}{}
			}
			if err != nil {
				break
			}
		}
		time.Sleep(1200 * time.Millisecond) // longer than the timeout: the body's deadline must be lifted
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusTeapot)
		}
	}})
	c := dialRaw(t, h.addr).send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
	for range 5 {
		time.Sleep(300 * time.Millisecond)
		c.send("x")
		<-read
	}
	if resp := c.response(); resp.StatusCode != 200 {
		t.Errorf("%s: a client that sends steadily was cut", resp.Status)
	}
	if resp := c.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response(); resp.StatusCode != 200 {
		t.Errorf("%s on the same connection", resp.Status)
	}
}

func TestReaderThatDoesNotReadIsCut(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	h := slowHost(t, &fake{name: "FloodModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		b := make([]byte, 64<<10)
		for {
			if _, err := w.Write(b); err != nil {
				ended <- err
				return
			}
		}
	}})
	dialRaw(t, h.addr).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the response ended with %v, want the write deadline", err)
		}
	case <-time.After(patience):
		t.Fatal("the module still writes")
	}
}

func TestLargeFilesAreWhole(t *testing.T) {
	h := newTestHost(t, fileServer())
	h.fakes[0].serve = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		f, err := module.FromRequest(r).Files.Open(r.URL.Path)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		http.ServeContent(w, r, "x.bin", time.Time{}, f) // sets the length and hands the file over in an io.LimitedReader
	}
	h.start()
	content := strings.Repeat("0123456789abcdef", (3*sendChunk+4711)/16)
	h.write("sites/default/large.bin", content)
	for field, want := range map[string]string{"": content, "Range: bytes=100-2000099\r\n": content[100:2000100], "Range: bytes=0-1048575\r\n": content[:sendChunk]} {
		c := dialRaw(t, h.addr).send("GET /large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + field + "\r\n")
		resp := c.response()
		if b, _ := io.ReadAll(resp.Body); string(b) != want {
			t.Errorf("%q: %s, %d bytes of %d", field, resp.Status, len(b), len(want))
		}
		c.ended() // not a byte more
	}
}

// TestBodiesOfEverySize sends bodies around the size from which header and body leave with one call: all of each comes, in
// order, and nothing is kept back, whatever the client asks next on the line.
func TestBodiesOfEverySize(t *testing.T) {
	h := newTestHost(t, fileServer())
	content := strings.Repeat("0123456789abcdef", 8<<10)
	h.fakes[0].serve = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		size, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Length", strconv.Itoa(size))
		_, _ = w.Write([]byte(content[:size]))
	}
	h.start()
	c := dialRaw(t, h.addr)
	sizes := []int{0, 1, 100 << 10, len(content)}
	for size := netHTTPBuffer - 512; size <= netHTTPBuffer+64; size++ { // less the header
		sizes = append(sizes, size)
	}
	for _, size := range sizes {
		for _, method := range []string{"GET", "HEAD"} {
			want := content[:size]
			if method == "HEAD" {
				want = ""
			}
			c.send(fmt.Sprintf("%s /%d HTTP/1.1\r\nHost: x\r\n\r\n", method, size))
			resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(resp.Body); err != nil || string(b) != want {
				t.Fatalf("%s of %d bytes: %d came, %v", method, size, len(b), err)
			}
		}
	}
}
