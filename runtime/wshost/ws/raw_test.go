package ws_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// raw is a client that knows nothing of the engine: it writes and reads bytes as RFC 6455 draws them.
type raw struct {
	t testing.TB
	net.Conn
	br *bufio.Reader
}

// rawDial performs the opening handshake by hand. Bytes in early are sent in one piece with the request.
func rawDial(t testing.TB, url string, early ...byte) *raw {
	t.Helper()
	conn := rawLine(t, url)
	r := &raw{t, conn, bufio.NewReader(conn)}
	r.send(append([]byte("GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"), early...)...)
	var head string
	for !strings.HasSuffix(head, "\r\n\r\n") {
		line, err := r.br.ReadString('\n')
		if err != nil {
			t.Fatalf("response %q: %v", head+line, err)
		}
		head += line
	}
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") || !strings.Contains(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") {
		t.Fatalf("response %q", head)
	}
	return r
}

// rawLine connects to the host of a URL.
func rawLine(t testing.TB, url string) net.Conn {
	t.Helper()
	_, host, _ := strings.Cut(url, "://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second)) // of the whole test: a peer that hangs must fail it
	return conn
}

func (r *raw) send(b ...byte) {
	r.t.Helper()
	if _, err := r.Write(b); err != nil {
		r.t.Fatalf("raw client: %v", err)
	}
}

// masked makes a frame as a client sends it. first is the first byte: FIN, reserved bits and opcode.
func masked(first byte, payload string) []byte {
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 65536:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, key[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return b
}

// recv reads one frame of a server and returns its first byte and its payload.
func (r *raw) recv() (first byte, payload []byte, err error) {
	var h [2]byte
	if _, err := io.ReadFull(r.br, h[:]); err != nil {
		return 0, nil, err
	}
	n := uint64(h[1])
	var ext [8]byte
	switch h[1] {
	case 126:
		_, err = io.ReadFull(r.br, ext[6:])
		n = binary.BigEndian.Uint64(ext[:])
	case 127:
		_, err = io.ReadFull(r.br, ext[:])
		n = binary.BigEndian.Uint64(ext[:])
	}
	if err != nil || h[1] >= 128 || n > 64<<20 {
		return 0, nil, fmt.Errorf("header %x %x: %v", h, ext, err)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r.br, payload)
	return h[0], payload, err
}

// want reads one frame and compares it.
func (r *raw) want(first byte, payload string) {
	r.t.Helper()
	f, p, err := r.recv()
	if err != nil || f != first || string(p) != payload {
		r.t.Fatalf("got frame %#x %.80q, error %v; want %#x %.80q", f, p, err, first, payload)
	}
}

// wantClose reads frames up to a close frame with code, and then the end of the line without a reset.
func (r *raw) wantClose(code uint16) (reason string) {
	r.t.Helper()
	for {
		f, p, err := r.recv()
		if err != nil {
			r.t.Fatalf("waiting for close %d: %v", code, err)
		}
		if f != 0x88 {
			continue
		}
		if len(p) < 2 || binary.BigEndian.Uint16(p) != code {
			r.t.Fatalf("got close payload %q, want code %d", p, code)
		}
		if _, err := r.br.ReadByte(); err != io.EOF {
			r.t.Fatalf("after close %d: %v, want EOF", code, err)
		}
		return string(p[2:])
	}
}
