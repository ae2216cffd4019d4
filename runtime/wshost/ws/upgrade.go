package ws

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// Upgrader performs the server's opening handshake (RFC 6455, section 4.2). The zero value is ready and strict: same
// origin only, default limits. It must not be changed while in use; Upgrade may be called concurrently.
type Upgrader struct {
	// Origins allows further origins beside the request's own host: "https://example.com", or "*" for any.
	Origins []string
	// Subprotocols are offered in order of preference; the first that the client asked for is chosen.
	Subprotocols []string
	// Limits bounds each connection; zero fields mean the defaults.
	Limits Limits
	// Admission bounds how many connections are open at once; nil means the defaults for this Upgrader alone.
	Admission *Admission
	// Compression, if not nil, accepts permessage-deflate from clients that offer it.
	Compression *Compression
	// Driver chooses how Serve waits for its connections.
	Driver Driver
	// Engine, if not nil, is the poller driver to use, so that several Upgraders share its threads; nil means one of this
	// Upgrader's own.
	Engine *Engine

	once sync.Once
	set  *settings
	own  Engine
	gate Admission
}

// settings returns what the connections of u share. u.once guards against concurrent first uses.
func (u *Upgrader) settings() *settings {
	u.once.Do(func() {
		u.set = newSettings(u.Limits.resolved(), newMemory())
		u.set.compress(u.Compression)
	})
	return u.set
}

// Upgrade answers an opening handshake and returns the connection, to be read by its owner. When the request is not a
// correct handshake it writes the refusal (400, 403, 405, 426 with Sec-WebSocket-Version) with "Connection: close" and
// returns a *handshake.Error: the caller must not write anything. Fields that w.Header holds, as Set-Cookie, go out with
// the answer. After Upgrade w and r.Body must not be used. A request over HTTP/2 (RFC 8441) is answered too; the
// connection then ends when the handler of the request returns, which must be after Close and the last Write have.
func (u *Upgrader) Upgrade(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	o, err := u.open(w, r, u.Subprotocols)
	if err != nil {
		return nil, err
	}
	c := newConn(o.line, frame.Server, u.settings(), o.subprotocol, newCodec(u.settings(), frame.Server, o.agreed), o.unread)
	c.client = o.client
	return c, nil
}

// opened is a line after the opening handshake.
type opened struct {
	line        net.Conn
	subprotocol string
	client      *client
	agreed      *deflate.Agreement
	unread      []byte // what came behind the handshake
	stream      bool   // the line is an HTTP/2 stream and ends with the request's handler
}

// openStream performs the handshake over HTTP/2 (RFC 8441).
func (u *Upgrader) openStream(w http.ResponseWriter, r *http.Request, options handshake.Options) (*opened, error) {
	answer, err := handshake.CheckConnect(r, options)
	if err != nil {
		return nil, refuse(w, err)
	}
	o := &opened{subprotocol: answer.Subprotocol, agreed: u.Compression.answer(answer, &u.settings().limits), stream: true}
	answer.SetHeader(w.Header())
	line, err := openStream(w, r)
	if err != nil {
		release(o.agreed)
		if errors.Is(err, http.ErrNotSupported) {
			return nil, refuse(w, &handshake.Error{Status: http.StatusInternalServerError, Reason: "the server cannot hand over its stream", Shared: true})
		}
		return nil, &handshake.Error{Reason: err.Error()}
	}
	o.line = line
	return o, nil
}

// open performs the handshake in the HTTP version of the request, when there is room for another connection.
func (u *Upgrader) open(w http.ResponseWriter, r *http.Request, subprotocols []string) (*opened, error) {
	client, err := u.admission().admit(r.RemoteAddr, false)
	if err != nil {
		var refusal *handshake.Error
		if errors.As(err, &refusal) {
			refusal.Shared = r.ProtoMajor == 2
		}
		return nil, refuse(w, err)
	}
	o, err := u.shake(w, r, subprotocols)
	if err != nil {
		client.leave()
		return nil, err
	}
	o.client = client
	return o, nil
}

func (u *Upgrader) admission() *Admission {
	if u.Admission != nil {
		return u.Admission
	}
	return &u.gate
}

// shake performs the handshake.
func (u *Upgrader) shake(w http.ResponseWriter, r *http.Request, subprotocols []string) (*opened, error) {
	if u.Compression != nil {
		if err := u.Compression.check(); err != nil {
			return nil, refuse(w, &handshake.Error{Status: http.StatusInternalServerError, Reason: err.Error()})
		}
	}
	options := handshake.Options{Origins: u.Origins, Subprotocols: subprotocols}
	if handshake.WantedConnect(r) {
		return u.openStream(w, r, options)
	}
	answer, err := handshake.Check(r, options)
	if err != nil {
		return nil, refuse(w, err)
	}
	line, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, refuse(w, &handshake.Error{Status: http.StatusInternalServerError, Reason: "the server cannot hand over its connection"})
	}
	o := &opened{line: line, subprotocol: answer.Subprotocol, agreed: u.Compression.answer(answer, &u.settings().limits)}
	// The client may have sent frames right behind its request, and the HTTP server may have read them. They are
	// taken along here, and the buffers are dropped.
	if n := rw.Reader.Buffered(); n > 0 {
		o.unread, _ = rw.Reader.Peek(n)
		o.unread = clone(o.unread)
	}
	if d := u.settings().limits.WriteTimeout; d > 0 {
		_ = line.SetWriteDeadline(time.Now().Add(d))
	}
	if err := answer.Write(line, w.Header()); err != nil {
		_ = line.Close()
		release(o.agreed)
		return nil, &handshake.Error{Reason: "the client left before the answer: " + err.Error()}
	}
	_ = line.SetDeadline(time.Time{}) // those of the HTTP server do not concern frames
	return o, nil
}

func refuse(w http.ResponseWriter, err error) error {
	var refusal *handshake.Error
	if errors.As(err, &refusal) {
		refusal.Send(w)
	}
	return err
}
