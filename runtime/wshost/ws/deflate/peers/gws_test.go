package peers

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/lxzan/gws"
)

// gwsEcho is an echo server of lxzan/gws whose connection is memory.
type gwsEcho struct {
	in   chan []byte // frames for the server
	done chan int    // bytes of the payloads it answered a batch with

	rest []byte
	sent int
}

func newGWS(tb testing.TB, takeover bool) *gwsEcho {
	g := &gwsEcho{in: make(chan []byte), done: make(chan int)}
	up := gws.NewUpgrader(echoHandler{}, &gws.ServerOption{PermessageDeflate: gws.PermessageDeflate{
		Enabled: true, Threshold: 1, ServerMaxWindowBits: 15, ClientMaxWindowBits: 15,
		ServerContextTakeover: takeover, ClientContextTakeover: takeover,
	}})
	r, _ := http.NewRequest(http.MethodGet, "http://localhost/", nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Sec-WebSocket-Version", "13")
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	r.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits=15")
	c := &memory{gwsEcho: g}
	socket, err := up.UpgradeFromConn(c, bufio.NewReader(c), r)
	if err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		socket.ReadLoop()
		close(ended)
	}()
	<-g.done // it reads, so the handshake's answer is written
	tb.Cleanup(func() {
		close(g.in)
		<-ended
	})
	return g
}

// echo sends payloads in frames and returns how long the answers' payloads are together.
func (g *gwsEcho) echo(payloads [][]byte) int {
	var frames []byte
	for _, p := range payloads {
		frames = append(frames, 0xc1, 0x80|126) // FIN, RSV1, text; masked, 16 bits of length
		frames = binary.BigEndian.AppendUint16(frames, uint16(len(p)))
		frames = append(frames, 0, 0, 0, 0) // a key that changes nothing; gws applies it all the same
		frames = append(frames, p...)
	}
	g.in <- frames
	return <-g.done
}

type echoHandler struct{ gws.BuiltinEventHandler }

func (echoHandler) OnMessage(socket *gws.Conn, m *gws.Message) {
	_ = socket.WriteMessage(m.Opcode, m.Bytes())
	_ = m.Close()
}

// memory is the server's end. It has read everything when it asks for more.
type memory struct{ *gwsEcho }

func (m *memory) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		m.done <- m.sent
		frames, ok := <-m.in
		if !ok {
			return 0, io.EOF
		}
		m.rest, m.sent = frames, 0
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// Write counts payloads: gws writes a frame at a time.
func (m *memory) Write(p []byte) (int, error) {
	switch {
	case len(p) >= 2 && p[1] < 126:
		m.sent += len(p) - 2
	case len(p) >= 4:
		m.sent += len(p) - 4
	}
	return len(p), nil
}

func (m *memory) Close() error                     { return nil }
func (m *memory) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (m *memory) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }
