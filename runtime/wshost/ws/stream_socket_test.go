package ws

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// nodeSocket speaks WebSocket over HTTP/2 (the handshake and frames are written by hand), says "hello" and takes leave.
const nodeSocket = `
const h2 = require('node:http2')
const c = h2.connect(process.argv[1], {rejectUnauthorized: false})
const frame = (op, s) => Buffer.concat([Buffer.from([0x80 | op, 0x80 | s.length, 0, 0, 0, 0]), Buffer.from(s)])
c.on('remoteSettings', () => {
  const r = c.request({
    ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', 'sec-websocket-version': '13', 'sec-websocket-protocol': 'chat',
    origin: process.argv[2],
  })
  let got = ''
  r.on('response', (h) => {
    console.log(h[':status'], h['sec-websocket-protocol'], h['sec-websocket-version'])
    r.write(frame(1, 'hello'))
  })
  r.on('data', (d) => {
    got += d.toString('latin1')
    if (got === '\x81\x05hello') r.write(frame(8, Buffer.from([3, 232])))
  })
  r.on('end', () => { console.log('end', JSON.stringify(got)); r.end() })
  r.on('error', (e) => console.log('error', e.message))
  r.on('close', () => {
    const more = c.request({':path': '/more'}) // the connection goes on
    more.on('response', (h) => { console.log('more', h[':status']); c.close() })
    more.on('error', (e) => console.log('more', e.message))
    more.resume()
  })
})
`

// echoing sends back what comes.
type echoing struct{ closed chan error }

func (echoing) Opened(*Socket)                                     {}
func (echoing) Message(s *Socket, op frame.Opcode, payload []byte) { _ = s.Write(op, payload) }
func (e echoing) Closed(_ *Socket, err error)                      { e.closed <- err }

func TestSocketOverHTTP2(t *testing.T) {
	u := &Upgrader{Subprotocols: []string{"chat"}}
	closed := make(chan error, 2)
	for style, serve := range map[string]http.HandlerFunc{
		"handler": func(w http.ResponseWriter, r *http.Request) {
			if err := u.Serve(w, r, echoing{closed}); err != nil {
				closed <- err
			}
		},
		"conn": func(w http.ResponseWriter, r *http.Request) {
			c, err := u.Upgrade(w, r)
			for err == nil {
				var op frame.Opcode
				var p []byte
				if op, p, err = c.Read(context.Background()); err == nil {
					err = c.Write(context.Background(), op, p)
				}
			}
			closed <- err
		},
	} {
		t.Run(style, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "CONNECT" {
					serve(w, r)
				}
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			for origin, want := range map[string]string{
				server.URL:             "200 chat undefined\nend \"\u0081\\u0005hello\u0088\\u0002\\u0003\u00e8\"\nmore 200\n",
				"https://evil.example": "403 undefined undefined\nend \"websocket handshake: origin is not allowed\\n\"\nmore 200\n",
			} {
				out, err := exec.Command("node", "-e", nodeSocket, server.URL, origin).CombinedOutput()
				if err != nil || string(out) != want {
					t.Errorf("node printed %q, %v, want %q", out, err, want)
				}
				switch err := <-closed; {
				case origin == server.URL:
					var end *CloseError
					if !errors.As(err, &end) || end.Code != frame.NormalClosure {
						t.Errorf("closed with %v", err)
					}
				default:
					var refusal *handshake.Error
					if !errors.As(err, &refusal) {
						t.Errorf("refused with %v", err)
					}
				}
			}
		})
	}
}

// hammered is written to by another goroutine from its beginning to its end, as by a hub.
type hammered struct{ done chan struct{} }

func (h hammered) Opened(s *Socket) {
	go func() {
		defer close(h.done)
		for s.Write(frame.Text, []byte("news")) == nil || s.State() == Open {
		}
	}()
}
func (hammered) Message(*Socket, frame.Opcode, []byte) {}
func (hammered) Closed(*Socket, error)                 {}

// Nothing may use the ResponseWriter when the handler has returned, however much others write.
func TestSocketOverHTTP2IsWrittenToAtItsEnd(t *testing.T) {
	u := &Upgrader{}
	for range 20 {
		h := hammered{make(chan struct{})}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := u.Serve(w, r, h); err != nil {
				t.Error(err)
			}
		}))
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		server.Start()
		c := openRaw(t, server, 1<<30)
		c.next(dataFrame)
		c.send("\x88\x80\x00\x00\x00\x00") // a close frame
		for kind, flags := byte(0), byte(0); kind != dataFrame || flags != 1; {
			kind, flags, _ = c.frame()
		}
		<-h.done
		server.Close()
	}
}
