//go:build e2e

package interop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
)

// wire stands between a client and a server and writes down the frames that pass. It parses them itself, so that what
// is compressed, fragmented and closed is known from the bytes and not from the engine.
type wire struct {
	t      *testing.T
	target string
	listen net.Listener

	mu    sync.Mutex
	conns []*traffic
	lines map[net.Conn]bool
	done  bool
}

// traffic is what passed on one connection, in both directions.
type traffic struct {
	up, down transcript // to the server, and to the client
}

// transcript is one direction: the head of the request or the answer, and the frames behind it.
type transcript struct {
	mu     sync.Mutex
	head   []byte
	buf    []byte // what is not understood yet
	bytes  int64  // behind the head
	frames []seen
	skip   uint64 // bytes of payload still to come
	keep   bool   // whether they are kept
}

// seen is one frame.
type seen struct {
	fin, rsv1 bool
	op        byte
	size      uint64
	payload   []byte // unmasked, of control frames
	mask      [4]byte
}

const (
	opText, opBinary         = 0x1, 0x2
	opClose, opPing, opPong  = 0x8, 0x9, 0xA
	finBit, rsv1Bit, maskBit = 0x80, 0x40, 0x80
)

// tap starts a wire to a server's address.
func tap(t *testing.T, target string) *wire {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, target: target, listen: l, lines: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed at the end of the test
			}
			running.Go(func() { w.carry(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.mu.Lock()
		w.done = true
		for c := range w.lines {
			_ = c.Close() // a browser keeps connections for later
		}
		w.mu.Unlock()
		running.Wait()
	})
	return w
}

func (w *wire) addr() string { return w.listen.Addr().String() }

// hold remembers lines to be closed at the end, and tells whether that has come.
func (w *wire) hold(lines ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range lines {
		w.lines[c] = true
	}
	return !w.done
}

// carry passes bytes in both directions until both have ended.
func (w *wire) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp4", w.target)
	if err != nil {
		w.t.Errorf("wire: %v", err)
		return
	}
	defer server.Close()
	if !w.hold(client, server) {
		return
	}
	c := &traffic{}
	w.mu.Lock()
	w.conns = append(w.conns, c)
	w.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { pass(server, client, &c.up) })
	both.Go(func() { pass(client, server, &c.down) })
	both.Wait()
}

// pass carries one direction, and ends it when it ends. A reset is passed on as an end.
func pass(to, from net.Conn, s *transcript) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		s.add(buf[:n])
		if _, failed := to.Write(buf[:n]); failed != nil || err != nil {
			break
		}
	}
	_ = to.(*net.TCPConn).CloseWrite() // it may be closed already
}

// sockets returns what passed on the connections that became WebSockets.
func (w *wire) sockets() []*traffic {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []*traffic
	for _, c := range w.conns {
		if strings.HasPrefix(c.down.line(), "HTTP/1.1 101 ") {
			out = append(out, c)
		}
	}
	return out
}

// line returns the first line of the head.
func (s *transcript) line() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	line, _, _ := bytes.Cut(s.head, []byte("\r\n"))
	return string(line)
}

// field returns a field of the head.
func (s *transcript) field(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.SplitSeq(string(s.head), "\r\n") {
		key, value, ok := strings.Cut(line, ":")
		if ok && textproto.CanonicalMIMEHeaderKey(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// all returns the frames so far.
func (s *transcript) all() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.frames)
}

// size returns how many bytes came behind the head.
func (s *transcript) size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// add takes the next bytes of the direction.
func (s *transcript) add(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf = append(s.buf, p...)
	s.bytes += int64(len(p))
	if s.head == nil {
		end := bytes.Index(s.buf, []byte("\r\n\r\n"))
		if end < 0 {
			return
		}
		s.head = s.buf[:end+2]
		s.buf = s.buf[end+4:]
		s.bytes = int64(len(s.buf))
	}
	if !bytes.Contains(bytes.ToLower(s.head), []byte("\r\nupgrade: websocket\r\n")) {
		s.buf = nil // plain HTTP
		return
	}
	for s.step() {
	}
}

// step understands one header or some payload and reports whether there may be more.
func (s *transcript) step() bool {
	if s.skip > 0 {
		n := min(s.skip, uint64(len(s.buf)))
		if s.keep {
			f := &s.frames[len(s.frames)-1]
			for _, b := range s.buf[:n] {
				f.payload = append(f.payload, b^f.mask[len(f.payload)%4])
			}
		}
		s.buf, s.skip = s.buf[n:], s.skip-n
		return n > 0
	}
	if len(s.buf) < 2 {
		return false
	}
	f := seen{fin: s.buf[0]&finBit != 0, rsv1: s.buf[0]&rsv1Bit != 0, op: s.buf[0] & 0xF, size: uint64(s.buf[1] &^ maskBit)}
	length, masked := 2, s.buf[1]&maskBit != 0
	extended := map[uint64]int{126: 2, 127: 8}[f.size]
	length += extended
	if masked {
		length += 4
	}
	if len(s.buf) < length {
		return false
	}
	if extended > 0 {
		var wide [8]byte
		copy(wide[8-extended:], s.buf[2:])
		f.size = binary.BigEndian.Uint64(wide[:])
	}
	if masked {
		copy(f.mask[:], s.buf[length-4:])
	}
	s.frames = append(s.frames, f)
	s.buf, s.skip, s.keep = s.buf[length:], f.size, f.op >= opClose
	return true
}

// compressed counts the messages that say they are compressed, and all others that are not empty.
func (s *transcript) compressed() (yes, no int) {
	for _, f := range s.all() {
		switch {
		case f.rsv1:
			yes++
		case f.op == opText || f.op == opBinary:
			no++
		}
	}
	return yes, no
}

// count counts the frames with an opcode; with fragment only those that are the beginning of a fragmented message.
func (s *transcript) count(op byte, fragment bool) int {
	n := 0
	for _, f := range s.all() {
		if f.op == op && (!fragment || !f.fin) {
			n++
		}
	}
	return n
}

// closing returns the code and the reason of the close frame, "none" without one.
func (s *transcript) closing() string {
	for _, f := range s.all() {
		if f.op == opClose && uint64(len(f.payload)) == f.size {
			return closeText(f.payload)
		}
	}
	return "none"
}

func closeText(p []byte) string {
	if len(p) < 2 {
		return "1005"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", binary.BigEndian.Uint16(p), p[2:]))
}

// TestWire holds the observer to bytes that are known: it is the judge of every other test.
func TestWire(t *testing.T) {
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	down := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-A: b\r\n\r\n" +
		"\xc1\x05abcde" + "\x02\x7e\x01\x00" + strings.Repeat("x", 256) + "\x80\x00" + "\x88\x04\x0f\xa1hi"
	up := "GET / HTTP/1.1\r\nUPGRADE: WebSocket\r\n\r\n" + "\x81\x80\x01\x02\x03\x04" + "\x89\x82\x01\x02\x03\x04hi"
	go func() {
		c, err := server.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, down)
		_, _ = io.Copy(io.Discard, c)
	}()
	w := tap(t, server.Addr().String())
	c, err := net.Dial("tcp4", w.addr())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []byte(up) { // the hardest way to cut it
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, io.EOF) || string(got) != down {
		t.Fatalf("the wire passed on %d bytes of %d: %v", len(got), len(down), err)
	}
	socket := w.sockets()[0]
	yes, no := socket.down.compressed()
	if yes != 1 || no != 1 || socket.down.count(opBinary, true) != 1 || socket.down.closing() != "4001 hi" || socket.down.field("X-A") != "b" {
		t.Errorf("down: %d compressed, %d not, %d fragmented, closed with %q", yes, no, socket.down.count(opBinary, true), socket.down.closing())
	}
	if f := socket.up.all(); len(f) != 2 || socket.up.size() != 14 || f[0].op != opText || string(f[1].payload) != "ik" || f[1].op != opPing {
		t.Errorf("up: %+v", f)
	}
}
