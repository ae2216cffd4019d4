package ws

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	_ "github.com/rolemgr/rolemgr/runtime/wshost/ws/xconnect" // the server must announce extended CONNECT
)

// streamServer starts an HTTP/2 server without TLS whose handler opens a stream and gives it to use.
func streamServer(t *testing.T, edit func(*http.Server), use func(*stream)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line, err := openStream(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		defer line.release()
		use(line)
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	if edit != nil {
		edit(server.Config)
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// rawClient is a client of HTTP/2 that does what it is told and no more.
type rawClient struct {
	t    *testing.T
	line net.Conn
}

// The frame types (RFC 9113, section 6).
const (
	dataFrame = 0
	headFrame = 1
	rstFrame  = 3
	setFrame  = 4
)

// openRaw sends an extended CONNECT on stream 1 and reads until the answer. window is what it lets the server send, on the
// connection and on the stream.
func openRaw(t *testing.T, server *httptest.Server, window uint32) *rawClient {
	t.Helper()
	line, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	_ = line.SetDeadline(time.Now().Add(time.Minute))
	c := &rawClient{t, line}
	_, _ = io.WriteString(line, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	c.write(setFrame, 0, 0, binary.BigEndian.AppendUint32([]byte{0, 4}, window)) // SETTINGS_INITIAL_WINDOW_SIZE
	if window > 65535 {
		c.write(8, 0, 0, binary.BigEndian.AppendUint32(nil, window-65535)) // WINDOW_UPDATE
	}
	var block []byte
	for _, f := range [][2]string{
		{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a.example"},
		{"sec-websocket-version", "13"},
	} { // literals without indexing and without Huffman code: RFC 7541, section 6.2.2
		block = append(append(block, 0, byte(len(f[0]))), f[0]...)
		block = append(append(block, byte(len(f[1]))), f[1]...)
	}
	c.write(headFrame, 4, 1, block) // END_HEADERS
	if head := c.next(headFrame); head[0] != 0x88 {
		t.Fatalf("the answer is not 200 but begins with %#x", head[0])
	}
	return c
}

func (c *rawClient) write(kind, flags byte, id uint32, payload []byte) {
	c.t.Helper()
	n := len(payload)
	head := []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags}
	if _, err := c.line.Write(append(binary.BigEndian.AppendUint32(head, id), payload...)); err != nil {
		c.t.Fatal(err)
	}
}

// frame reads one frame.
func (c *rawClient) frame() (kind, flags byte, payload []byte) {
	c.t.Helper()
	head := make([]byte, 9)
	if _, err := io.ReadFull(c.line, head); err != nil {
		c.t.Fatal(err)
	}
	payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(c.line, payload); err != nil {
		c.t.Fatal(err)
	}
	return head[3], head[4], payload
}

// next reads until a frame of a kind comes and returns its payload.
func (c *rawClient) next(kind byte) []byte {
	c.t.Helper()
	for {
		if k, _, payload := c.frame(); k == kind {
			return payload
		}
	}
}

// text reads data until it is want.
func (c *rawClient) text(want string) {
	c.t.Helper()
	var got string
	for len(got) < len(want) {
		got += string(c.next(dataFrame))
	}
	if got != want {
		c.t.Errorf("client got %q, want %q", got, want)
	}
}

func (c *rawClient) send(s string) { c.t.Helper(); c.write(dataFrame, 0, 1, []byte(s)) }

// node is a client of another maker: Node.js. It prints what it sees.
const node = `
const h2 = require('node:http2')
const c = h2.connect(process.argv[1], {rejectUnauthorized: false})
c.on('remoteSettings', (s) => {
  const r = c.request({':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', 'sec-websocket-version': '13'})
  const sent = Buffer.alloc(1 << 20, 'abcdefg'), got = []
  r.on('response', (h) => {
    console.log(s.enableConnectProtocol, h[':status'], h['x-test'])
    for (let i = 0; i < sent.length; i += 50000) r.write(sent.subarray(i, i + 50000))
    r.end()
  })
  r.on('data', (d) => got.push(d))
  r.on('end', () => console.log('end', Buffer.concat(got).equals(sent)))
  r.on('error', (e) => console.log('error', e.message))
  r.on('close', () => { console.log('close', r.rstCode); c.close() })
})
`

func TestStreamWithNode(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Test", "yes")
		line, err := openStream(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		defer line.release()
		if n, err := io.Copy(line, line); n != 1<<20 || err != nil {
			t.Errorf("copied %d, %v", n, err)
		}
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	out, err := exec.Command("node", "-e", node, server.URL).CombinedOutput()
	if want := "true 200 yes\nend true\nclose 0\n"; string(out) != want || err != nil {
		t.Errorf("node printed %q, %v, want %q", out, err, want)
	}
}

func TestStreamEnds(t *testing.T) {
	read := make(chan error, 2)
	server := streamServer(t, nil, func(s *stream) {
		b := make([]byte, 4)
		_, err := io.ReadFull(s, b)
		read <- err
		_, err = s.Read(b)
		read <- err
		if _, err := s.Write([]byte("bye")); err != nil { // the peer ended its direction, not ours
			t.Error(err)
		}
	})
	c := openRaw(t, server, 1000)
	c.send("da")
	c.write(dataFrame, 1, 1, []byte("ta")) // END_STREAM
	if err := <-read; err != nil {
		t.Error(err)
	}
	if err := <-read; err != io.EOF {
		t.Errorf("at the end of the stream: %v", err)
	}
	c.text("bye")
	for {
		if kind, flags, payload := c.frame(); kind == rstFrame {
			t.Fatalf("the stream was reset with %v", payload)
		} else if kind == dataFrame && flags == 1 {
			break
		}
	}
}

func TestStreamIsReset(t *testing.T) {
	result := make(chan error, 2)
	server := streamServer(t, nil, func(s *stream) {
		_, err := s.Read(make([]byte, 10))
		result <- err
		_, err = s.Write([]byte("x"))
		result <- err
	})
	openRaw(t, server, 1000).write(rstFrame, 0, 1, []byte{0, 0, 0, 8}) // CANCEL
	if err := <-result; err == nil || err == io.EOF {
		t.Errorf("read: %v", err)
	}
	if err := <-result; err == nil {
		t.Error("a write into a stream that the peer reset succeeds")
	}
}

func TestStreamReadDeadlineIsSoft(t *testing.T) {
	server := streamServer(t, nil, func(s *stream) {
		b := make([]byte, 10)
		for i := range 3 {
			read := make(chan error, 1)
			go func() { _, err := s.Read(b); read <- err }()
			s.asking(t)
			_ = s.SetReadDeadline(past())
			if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("interrupted: %v", err)
			}
			if i == 0 { // one that has passed hits before any byte
				if _, err := s.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("after the deadline: %v", err)
				}
			}
			_ = s.SetReadDeadline(time.Time{})
			_, _ = s.Write([]byte("go"))
			n, err := io.ReadFull(s, b[:4])
			if got := string(b[:n]); got != "data" || err != nil {
				t.Errorf("after the interruption: %q, %v", got, err)
			}
		}
		_ = s.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := s.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("in time: %v", err)
		}
	})
	c := openRaw(t, server, 1000)
	for range 3 {
		c.text("go")
		c.send("da")
		c.send("ta")
	}
	c.next(dataFrame)
}

// asking waits until a Read waits for the peer.
func (s *stream) asking(t *testing.T) {
	until(t, func() bool {
		if s.reading.TryLock() {
			s.reading.Unlock()
			return false
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.filler && len(s.want) == 0
	})
}

// sending waits until a Write is under way.
func (s *stream) sending(t *testing.T) {
	until(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.busy
	})
}

// until waits for a condition that nobody signals.
func until(t *testing.T, ok func() bool) {
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Error("waited in vain")
			return
		}
	}
}

func TestStreamWriteDeadline(t *testing.T) {
	server := streamServer(t, nil, func(s *stream) {
		_ = s.SetWriteDeadline(past())
		if n, err := s.Write([]byte("lost")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline: %d, %v", n, err)
		}
		_ = s.SetWriteDeadline(time.Time{})
		if _, err := s.Write([]byte("0123456789")); err != nil {
			t.Errorf("after the deadline was moved: %v", err)
		}
		wrote := make(chan error, 1)
		go func() { _, err := s.Write(make([]byte, 100)); wrote <- err }()
		s.sending(t)
		_ = s.SetWriteDeadline(past())
		if err := <-wrote; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("interrupted: %v", err)
		}
		_ = s.SetWriteDeadline(time.Time{})
		if _, err := s.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after half a write: %v", err)
		}
	})
	c := openRaw(t, server, 10)
	c.text("0123456789")
	if code := c.next(rstFrame); !bytes.Equal(code, []byte{0, 0, 0, 2}) {
		t.Errorf("reset with %v", code)
	}
}

// A client that reads nothing from its whole connection blocks HTTP/2, resets included. Write comes back all the same.
func TestStreamOnADeadConnection(t *testing.T) {
	done := make(chan struct{})
	server := streamServer(t, nil, func(s *stream) {
		defer close(done)
		_ = s.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		p := make([]byte, 1<<20)
		for range 64 { // more than the buffers of the kernel take
			if _, err := s.Write(p); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error(err)
				}
				return
			}
		}
		t.Error("64 MiB have left")
	})
	c := openRaw(t, server, 1<<30)
	<-done
	c.line.Close()
}

func TestStreamClose(t *testing.T) {
	after := make(chan *stream, 1)
	server := streamServer(t, nil, func(s *stream) {
		results := make(chan error, 2)
		go func() { _, err := s.Read(make([]byte, 10)); results <- err }()
		go func() { _, err := s.Write(make([]byte, 100)); results <- err }()
		s.asking(t)
		s.sending(t)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := <-results; !errors.Is(err, net.ErrClosed) {
				t.Errorf("closed meanwhile: %v", err)
			}
		}
		<-s.done()
		after <- s
	})
	c := openRaw(t, server, 10)
	c.next(rstFrame)
	s := <-after
	s.usage.Wait()
	if err := errors.Join(s.SetDeadline(past()), s.Close()); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	s.release()
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if _, err := s.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write: %v", err)
	}
}

func TestStreamAfterItsHandler(t *testing.T) {
	lines := make(chan *stream, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line, err := openStream(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		lines <- line // and no release
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	c := openRaw(t, server, 1000)
	s := <-lines
	c.next(dataFrame) // the end of the stream: the handler has returned
	if _, err := s.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write: %v", err)
	}
	s.release()
	if err := s.use(func() error { panic("as net/http does") }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("used too late: %v", err)
	}
}

func TestStreamOutlivesTheTimeoutsOfTheServer(t *testing.T) {
	const timeout = 300 * time.Millisecond
	edit := func(s *http.Server) { s.ReadTimeout, s.WriteTimeout = timeout, timeout }
	server := streamServer(t, edit, func(s *stream) {
		b := make([]byte, 4)
		_ = s.SetReadDeadline(time.Now().Add(2 * timeout))
		if _, err := s.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("nobody sent: %v", err)
		}
		_ = s.SetReadDeadline(time.Time{})
		_, _ = s.Write([]byte("go"))
		if _, err := io.ReadFull(s, b); err != nil {
			t.Error(err)
		}
		_, _ = s.Write(b)
	})
	c := openRaw(t, server, 1000)
	c.text("go")
	c.send("data")
	c.text("data")
}

func TestStreamAddresses(t *testing.T) {
	addresses := make(chan [2]string, 1)
	server := streamServer(t, nil, func(s *stream) {
		addresses <- [2]string{s.RemoteAddr().String(), s.LocalAddr().String()}
		if _, ok := s.RemoteAddr().(*net.TCPAddr); !ok {
			t.Errorf("remote address is a %T", s.RemoteAddr())
		}
	})
	c := openRaw(t, server, 1000)
	if got, want := <-addresses, [2]string{c.line.LocalAddr().String(), c.line.RemoteAddr().String()}; got != want {
		t.Errorf("addresses %v, want %v", got, want)
	}
	if a := addressOf("@"); a.String() != "@" || a.Network() != "tcp" {
		t.Errorf("address of a socket file: %v", a)
	}
}

func TestStreamNotSupported(t *testing.T) {
	for name, major := range map[string]int{"HTTP/1.1": 1, "a writer without deadlines": 2} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("CONNECT", "/", strings.NewReader(""))
		r.ProtoMajor = major
		if s, err := openStream(w, r); !errors.Is(err, http.ErrNotSupported) || s != nil || w.Flushed {
			t.Errorf("%s: %v", name, fmt.Sprint(s, err))
		}
	}
}
