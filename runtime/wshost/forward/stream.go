package forward

import (
	"io"
	"net"
	"net/http"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// joinStream is join for a client that asked over HTTP/2: the stream lives as long as the handler (RFC 8441, section 5).
func (f *Forwarder) joinStream(w http.ResponseWriter, r *http.Request, q *module.Request, resp *http.Response, line net.Conn, early []byte) {
	h := w.Header()
	for name, values := range resp.Header {
		h[name] = append(h[name], values...)
	}
	h.Del("Sec-Websocket-Accept") // the status says it
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Time{})
	w.WriteHeader(http.StatusOK)
	if err := control.Flush(); err != nil {
		_ = line.Close()
		return
	}
	t := f.carry(r, q, &stream{w, r.Body, control}, line, early, nil, 0)
	select {
	case <-t.Done():
	case <-r.Context().Done():
		t.Cut()
		<-t.Done()
	}
}

// stream is an HTTP/2 stream as a line. Close ends it by itself only when the handler returns; until then it ends reads.
type stream struct {
	w       http.ResponseWriter
	body    io.ReadCloser
	control *http.ResponseController
}

var _ net.Conn = (*stream)(nil)

// Read reads what the client sends.
func (s *stream) Read(p []byte) (int, error) { return s.body.Read(p) }

// Write sends at once.
func (s *stream) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err == nil {
		err = s.control.Flush()
	}
	return n, err
}

// Close ends what waits for the client.
func (s *stream) Close() error {
	_ = s.control.SetReadDeadline(time.Unix(1, 0))
	_ = s.control.SetWriteDeadline(time.Unix(1, 0))
	return nil
}

// LocalAddr and RemoteAddr are not asked for; deadlines are those of the stream.
func (*stream) LocalAddr() net.Addr  { return nil }
func (*stream) RemoteAddr() net.Addr { return nil }

// SetDeadline sets both deadlines.
func (s *stream) SetDeadline(t time.Time) error {
	_ = s.control.SetReadDeadline(t)
	return s.control.SetWriteDeadline(t)
}

// SetReadDeadline bounds reads.
func (s *stream) SetReadDeadline(t time.Time) error { return s.control.SetReadDeadline(t) }

// SetWriteDeadline bounds writes.
func (s *stream) SetWriteDeadline(t time.Time) error { return s.control.SetWriteDeadline(t) }
