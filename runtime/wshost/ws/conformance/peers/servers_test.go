package peers

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
)

// maxMessage lets through what the cases send, so that limits hide no fault.
const maxMessage = 80 << 20

// atOnce is how many cases run at once: most of them wait.
const atOnce = 16

// serve starts an echo server and returns its address.
func serve(t *testing.T, echo http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(echo)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // the breaches of the cases are no news
	srv.Start()
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http") + "/"
}

// gorillaEcho looks at text itself, as the documentation of the engine asks of whoever uses it.
func gorillaEcho(limit int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		u := gorilla.Upgrader{EnableCompression: true}
		c, err := u.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		c.SetReadLimit(limit)
		echoOnGorilla(c)
	}
}

func echoOnGorilla(c *gorilla.Conn) {
	defer c.Close()
	c.EnableWriteCompression(true)
	for {
		kind, p, err := c.ReadMessage()
		if err != nil {
			return
		}
		if kind == gorilla.TextMessage && !utf8.Valid(p) {
			_ = c.WriteMessage(gorilla.CloseMessage, gorilla.FormatCloseMessage(gorilla.CloseInvalidFramePayloadData, ""))
			return
		}
		if c.WriteMessage(kind, p) != nil {
			return
		}
	}
}

// coderEcho looks at text itself: the engine leaves it to whoever uses it.
func coderEcho(w http.ResponseWriter, r *http.Request) {
	c, err := coder.Accept(w, r, &coder.AcceptOptions{CompressionMode: coder.CompressionContextTakeover})
	if err != nil {
		return
	}
	echoOnCoder(r.Context(), c)
}

func echoOnCoder(ctx context.Context, c *coder.Conn) {
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(maxMessage)
	for {
		kind, p, err := c.Read(ctx)
		if err != nil {
			return
		}
		if kind == coder.MessageText && !utf8.Valid(p) {
			_ = c.Close(coder.StatusInvalidFramePayloadData, "")
			return
		}
		if c.Write(ctx, kind, p) != nil {
			return
		}
	}
}

// gobwasEcho uses the helpers of wsutil, which look at text and answer control frames.
func gobwasEcho(w http.ResponseWriter, r *http.Request) {
	conn, rw, _, err := gobwas.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	defer conn.Close()
	c := buffered{conn, rw.Reader}
	for {
		p, op, err := wsutil.ReadClientData(c)
		if err != nil || wsutil.WriteServerMessage(c, op, p) != nil {
			return
		}
	}
}

// buffered reads what the handshake has read too far.
type buffered struct {
	net.Conn
	in io.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.in.Read(p) }

// gwsServer is an echo on gws that counts how often the engine panics.
type gwsServer struct {
	gws.BuiltinEventHandler
	limit  int  // of a message
	async  bool // echoes are queued by the engine
	panics atomic.Int32
}

func (*gwsServer) OnPing(c *gws.Conn, p []byte) { _ = c.WritePong(p) }

func (s *gwsServer) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	if s.async {
		c.WriteAsync(m.Opcode, bytes.Clone(m.Bytes()), func(error) {})
		return
	}
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

func (s *gwsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u := gws.NewUpgrader(s, &gws.ServerOption{
		CheckUtf8Enabled: true, ReadMaxPayloadSize: s.limit, WriteMaxPayloadSize: maxMessage, Logger: silent{},
		PermessageDeflate: gws.PermessageDeflate{Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true},
	})
	c, err := u.Upgrade(w, r)
	if err != nil {
		return
	}
	defer func() {
		if recover() != nil {
			s.panics.Add(1)
			_ = c.NetConn().Close()
		}
	}()
	c.ReadLoop()
}

// silent is a logger that logs nothing.
type silent struct{}

func (silent) Error(...any) {}
