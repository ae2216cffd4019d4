//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// rawConn is a WebSocket client written for these tests alone, so that the engine is not its own judge. It sends what
// it is told, right or wrong.
type rawConn struct {
	net.Conn
	r *bufio.Reader
}

const (
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPong   = 0xA
	finBit   = 0x80
)

// dialRaw performs a correct opening handshake and checks the answer.
func dialRaw(addr, path string) (*rawConn, error) {
	c, err := net.Dial("tcp4", addr)
	if err != nil {
		return nil, err
	}
	conn := &rawConn{Conn: c, r: bufio.NewReader(c)}
	if err := conn.handshake(addr, path); err != nil {
		_ = c.Close() // the handshake's error is the one to tell
		return nil, err
	}
	return conn, nil
}

func (c *rawConn) handshake(addr, path string) error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	key := base64.StdEncoding.EncodeToString(nonce)
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", path, addr, key); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the handshake was answered with %s", resp.Status)
	}
	if got := resp.Header.Get("Sec-WebSocket-Accept"); got != acceptFor(key) {
		return fmt.Errorf("Sec-WebSocket-Accept is %q, want %q", got, acceptFor(key))
	}
	return nil
}

// acceptFor computes Sec-WebSocket-Accept (RFC 6455, section 4.2.2).
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// frame returns a masked frame; declared is the length that its header claims.
func frame(first byte, declared uint64, payload []byte) []byte {
	b := []byte{first}
	switch {
	case declared < 126:
		b = append(b, 0x80|byte(declared))
	case declared <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(declared))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), declared)
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask[:]...)
	for i, p := range payload {
		b = append(b, p^mask[i%4])
	}
	return b
}

// send sends one whole message.
func (c *rawConn) send(op byte, payload []byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := c.Write(frame(finBit|op, uint64(len(payload)), payload))
	return err
}

// receive reads one frame of the server, which is never masked (RFC 6455, section 5.1).
func (c *rawConn) receive() (first byte, payload []byte, err error) {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	var h [2]byte
	if _, err := io.ReadFull(c.r, h[:]); err != nil {
		return 0, nil, err
	}
	if h[1]&0x80 != 0 {
		return 0, nil, errors.New("the server masked a frame")
	}
	n := uint64(h[1])
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(c.r, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(c.r, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, nil, err
	}
	if n > 64<<20 {
		return 0, nil, fmt.Errorf("the server declared a frame of %d bytes", n)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(c.r, payload)
	return h[0], payload, err
}

// echo sends a binary message and compares what comes back.
func (c *rawConn) echo(payload []byte) error {
	if err := c.send(opBinary, payload); err != nil {
		return err
	}
	first, got, err := c.receive()
	if err != nil {
		return err
	}
	if first == finBit|opClose {
		return fmt.Errorf("closed with %s", closeText(got))
	}
	if first != finBit|opBinary || !bytes.Equal(got, payload) {
		return fmt.Errorf("sent %d bytes, got a frame %#x with %d other bytes", len(payload), first, len(got))
	}
	return nil
}

// closeCode reads frames until the server's close frame and returns its code; 1005 when it has none.
func (c *rawConn) closeCode() (int, error) {
	for {
		first, payload, err := c.receive()
		if err != nil {
			return 0, err
		}
		if first == finBit|opClose {
			if len(payload) < 2 {
				return 1005, nil
			}
			return int(binary.BigEndian.Uint16(payload)), nil
		}
	}
}

func closeText(payload []byte) string {
	if len(payload) < 2 {
		return "no code"
	}
	return fmt.Sprintf("%d %q", binary.BigEndian.Uint16(payload), payload[2:])
}

// openSockets opens n echo sockets on the default site and sees one echo on each. They are closed with the test.
func (s *server) openSockets(n int) []*rawConn {
	s.t.Helper()
	conns := make([]*rawConn, n)
	for i := range conns {
		c, err := dialRaw(s.addr, "/echo")
		if err != nil {
			s.t.Fatalf("socket %d: %v", i, err)
		}
		s.t.Cleanup(func() { _ = c.Close() }) // many are closed already
		conns[i] = c
	}
	echoAll(s.t, conns, "first")
	return conns
}

// echoAll sees one echo on every socket.
func echoAll(t *testing.T, conns []*rawConn, label string) {
	t.Helper()
	for i, c := range conns {
		if err := c.echo(fmt.Appendf(nil, "%s message on socket %d", label, i)); err != nil {
			t.Fatalf("socket %d of %d: %v", i, len(conns), err)
		}
	}
}

// sockets returns how many upgraded connections the host counts for WebSocket Protocol.
func (s *server) sockets() int {
	s.t.Helper()
	return s.status().Sockets["websocket"]
}
