package ws

import (
	"bytes"
	"errors"
	"net/http"
	"time"

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
}

// Upgrade answers an opening handshake and returns the connection. When the request is not a correct handshake it
// writes the refusal (400, 403, 405, 426 with Sec-WebSocket-Version) with "Connection: close" and returns a
// *handshake.Error: the caller must not write anything. Fields that w.Header holds, as Set-Cookie, go out with the
// answer. After Upgrade w and r.Body must not be used.
func (u *Upgrader) Upgrade(w http.ResponseWriter, r *http.Request) (*Conn, error) {
	answer, err := handshake.Check(r, handshake.Options{Origins: u.Origins, Subprotocols: u.Subprotocols})
	if err != nil {
		return nil, refuse(w, err)
	}
	line, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, refuse(w, &handshake.Error{Status: http.StatusInternalServerError, Reason: "the server cannot hand over its connection"})
	}
	// The client may have sent frames right behind its request, and the HTTP server may have read them. They are
	// taken along here, and the buffers are dropped.
	var unread []byte
	if n := rw.Reader.Buffered(); n > 0 {
		unread, _ = rw.Reader.Peek(n)
		unread = clone(unread)
	}
	limits := u.Limits.resolved()
	var head bytes.Buffer
	_ = answer.Write(&head, w.Header()) // a buffer takes everything
	if limits.WriteTimeout > 0 {
		_ = line.SetWriteDeadline(time.Now().Add(limits.WriteTimeout))
	}
	if _, err := line.Write(head.Bytes()); err != nil {
		_ = line.Close()
		return nil, &handshake.Error{Reason: "the client left before the answer: " + err.Error()}
	}
	_ = line.SetDeadline(time.Time{}) // those of the HTTP server do not concern frames
	return newConn(line, frame.Server, limits, answer.Subprotocol, unread), nil
}

func refuse(w http.ResponseWriter, err error) error {
	var refusal *handshake.Error
	if errors.As(err, &refusal) {
		refusal.Send(w)
	}
	return err
}
