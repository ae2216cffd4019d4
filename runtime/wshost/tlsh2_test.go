package wshost

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// Types of HTTP/2 frames (RFC 9113, section 6).
const (
	frameData     = 0
	frameHeaders  = 1
	frameReset    = 3
	frameSettings = 4
	frameGoAway   = 7
)

// h2Client speaks HTTP/2 frame by frame, for what the client of net/http does not do: the extended CONNECT.
type h2Client struct {
	t *testing.T
	c *tls.Conn
}

type h2Frame struct {
	kind, flags byte
	stream      uint32
	payload     []byte
}

func dialH2(t *testing.T, addr, name string) *h2Client {
	t.Helper()
	c, err := dialTLS(addr, name, func(c *tls.Config) { c.NextProtos = []string{"h2"} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	h := &h2Client{t, c}
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	h.write(h2Frame{kind: frameSettings})
	return h
}

func (h *h2Client) write(f h2Frame) {
	h.t.Helper()
	head := binary.BigEndian.AppendUint32(nil, uint32(len(f.payload))<<8|uint32(f.kind))
	head = binary.BigEndian.AppendUint32(append(head, f.flags), f.stream)
	if _, err := h.c.Write(append(head, f.payload...)); err != nil {
		h.t.Fatal(err)
	}
}

// open sends a header of literal fields without indexing (RFC 7541, section 6.2.2).
func (h *h2Client) open(stream uint32, end bool, fields ...string) {
	h.t.Helper()
	var block []byte
	for i := 0; i < len(fields); i += 2 {
		block = append(append(block, 0, byte(len(fields[i]))), fields[i]...)
		block = append(append(block, byte(len(fields[i+1]))), fields[i+1]...)
	}
	flags := byte(4) // END_HEADERS
	if end {
		flags |= 1 // END_STREAM
	}
	h.write(h2Frame{frameHeaders, flags, stream, block})
}

func (h *h2Client) connect(stream uint32, path string) {
	h.t.Helper()
	h.open(stream, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":path", path, ":authority", "a.example", "sec-websocket-version", "13")
}

// next returns the next frame of one of the kinds.
func (h *h2Client) next(kinds ...byte) h2Frame {
	h.t.Helper()
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(h.c, head); err != nil {
			h.t.Fatalf("wait for a frame of %v: %v", kinds, err)
		}
		f := h2Frame{kind: head[3], flags: head[4], stream: binary.BigEndian.Uint32(head[5:])}
		f.payload = make([]byte, binary.BigEndian.Uint32(head)>>8)
		if _, err := io.ReadFull(h.c, f.payload); err != nil {
			h.t.Fatal(err)
		}
		if f.kind == frameSettings && f.flags == 0 {
			h.write(h2Frame{kind: frameSettings, flags: 1})
		}
		if slices.Contains(kinds, f.kind) {
			return f
		}
	}
}

// streams is a module that echoes on the streams of extended CONNECT and refuses those for /refused.
func streams() *fake {
	return &fake{name: "StreamModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		if !handshake.WantedConnect(r) || r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		buf := make([]byte, 64)
		for {
			n, err := r.Body.Read(buf)
			if err != nil {
				return
			}
			_, _ = w.Write(buf[:n])
			_ = http.NewResponseController(w).Flush()
		}
	}}
}

func (h *h2Client) echo(stream uint32, text string) {
	h.t.Helper()
	h.write(h2Frame{frameData, 0, stream, []byte(text)})
	if f := h.next(frameData, frameReset); f.kind != frameData || f.stream != stream || string(f.payload) != text {
		h.t.Fatalf("stream %d answers %+v", stream, f)
	}
}

// TestWebSocketStreams holds that the host announces the extended CONNECT, that a refused one ends its stream alone, and
// that closing the binding lets open streams go on.
func TestWebSocketStreams(t *testing.T) {
	a := newAuthority(t, "test")
	h := newTestHost(t, streams())
	addr := freeAddr(t)
	h.issue(a, "c", "a.example")
	h.configure(h.secure(1, "A", "", fmt.Sprintf(`bindingInformation="%s:" certificateFile="c.pem" privateKeyFile="c.key"`, addr)))
	h.start()
	c := dialH2(t, addr, "a.example")
	settings := map[uint16]uint32{}
	for s := range slices.Chunk(c.next(frameSettings).payload, 6) {
		settings[binary.BigEndian.Uint16(s)] = binary.BigEndian.Uint32(s[2:])
	}
	if settings[8] != 1 || settings[3] != maxStreams { // RFC 8441, section 3; RFC 9113, section 6.5.2
		t.Errorf("settings %v", settings)
	}
	c.connect(1, "/open")
	c.next(frameHeaders)
	c.echo(1, "first")
	for i := range 3 {
		c.connect(uint32(3+2*i), "/refused")
		if f := c.next(frameHeaders, frameGoAway); f.kind != frameHeaders {
			t.Fatalf("a refused upgrade ends the connection: %+v", f)
		}
	}
	if f := c.next(frameReset, frameGoAway); f.kind == frameGoAway {
		t.Fatal("a refused upgrade ends the connection")
	}
	c.echo(1, "second")

	h.configure(h.site(1, "A", "", freeAddr(t)+":"))
	h.reload()
	c.next(frameGoAway)
	c.echo(1, "after the binding")
	if _, err := dialTLS(addr, "a.example", nil); err == nil {
		t.Error("the binding is still open")
	}
	c.write(h2Frame{frameData, 1, 1, nil})
	h.s.endpoints.retired.Wait() // ends with the last stream
}

// TestRapidReset holds that a client that opens and resets streams without end is let go (CVE-2023-44487).
func TestRapidReset(t *testing.T) {
	a := newAuthority(t, "test")
	release := make(chan struct{})
	h := newTestHost(t, &fake{name: "SlowModule", serve: func(http.ResponseWriter, *http.Request, http.Handler) { <-release }})
	defer close(release)
	addr := freeAddr(t)
	h.issue(a, "c", "a.example")
	h.configure(h.secure(1, "A", "", fmt.Sprintf(`bindingInformation="%s:" certificateFile="c.pem" privateKeyFile="c.key"`, addr)))
	h.start()
	c := dialH2(t, addr, "a.example")
	go func() {
		var stop bool
		for i := uint32(1); !stop; i += 2 {
			var b []byte
			for _, f := range []h2Frame{
				{frameHeaders, 5, i, []byte("\x00\x07:method\x03GET\x00\x07:scheme\x05https\x00\x05:path\x01/\x00\x0a:authority\x01a")},
				{frameReset, 0, i, []byte{0, 0, 0, 8}},
			} {
				b = binary.BigEndian.AppendUint32(b, uint32(len(f.payload))<<8|uint32(f.kind))
				b = append(binary.BigEndian.AppendUint32(append(b, f.flags), f.stream), f.payload...)
			}
			_, err := c.c.Write(b)
			stop = err != nil
		}
	}()
	f := c.next(frameGoAway)
	if code := binary.BigEndian.Uint32(f.payload[4:]); code != 11 { // ENHANCE_YOUR_CALM
		t.Errorf("GOAWAY with %d %q", code, f.payload)
	}
	if n := h.s.Status().Requests; n > maxStreams {
		t.Errorf("%d requests ran at once", n)
	}
}
