package wshost

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// response keeps a request's Outcome current while the response is being sent. Like every ResponseWriter it is used by
// one goroutine at a time.
type response struct {
	http.ResponseWriter
	q        *module.Request
	noBody   bool  // HEAD, or a status without body: net/http takes the bytes and sends none
	upgrade  bool  // the request asks for a WebSocket over HTTP/1.1
	conn     *conn // nil when the connection is none of the host's endpoints, or speaks TLS
	hijacked net.Conn
}

// WriteHeader records the status. A second final status is passed over, as net/http does.
func (w *response) WriteHeader(status int) {
	if w.q.Outcome.Status != 0 || w.hijacked != nil {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status) // informational: the response is yet to come
		return
	}
	if w.upgrade && status != http.StatusSwitchingProtocols {
		// What the client sends next may be frames: nothing after a refused upgrade is read as a request. net/http
		// looks for "close" in the first field; options of the module, such as the Upgrade of a 426, stay.
		h := w.Header()
		others := slices.DeleteFunc(slices.Clone(h["Connection"]), func(v string) bool { return strings.EqualFold(v, "close") })
		h["Connection"] = append([]string{"close"}, others...)
	}
	w.q.Outcome.Status = status
	w.noBody = w.noBody || status == http.StatusNoContent || status == http.StatusNotModified
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *response) Write(p []byte) (int, error) {
	w.implicit()
	// net/http makes two writes of a header and more than it buffers.
	if len(p) >= netHTTPBuffer && len(w.Header()["Content-Length"]) > 0 {
		defer w.together()()
	}
	n, err := w.ResponseWriter.Write(p)
	w.sent(int64(n))
	return n, err
}

// WriteString sends a part of the body.
func (w *response) WriteString(s string) (int, error) {
	w.implicit()
	n, err := io.WriteString(w.ResponseWriter, s)
	w.sent(int64(n))
	return n, err
}

// ReadFrom sends all of src. The underlying writer lets the kernel copy files.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	w.implicit()
	if isFile(src) {
		defer w.together()()
	}
	n, err := io.Copy(w.ResponseWriter, src)
	w.sent(n)
	return n, err
}

// netHTTPBuffer is how much net/http buffers of a connection.
const netHTTPBuffer = 4 << 10

// together has the first write of a body, which begins with the header, wait for the second one: they leave with one call,
// a file in one packet. What it returns ends that, for the case that no second write came.
func (w *response) together() (done func()) {
	if w.conn == nil || w.noBody || w.q.Outcome.BytesSent > 0 {
		return func() {}
	}
	w.conn.more.Store(true)
	return w.conn.noMore
}

// isFile reports whether more of a file is to be sent than net/http puts into one packet with the header by itself.
func isFile(src io.Reader) bool {
	l, ok := src.(*io.LimitedReader)
	if !ok || l.N <= sniffed {
		return false
	}
	_, ok = l.R.(*openFile)
	return ok
}

func (w *response) implicit() {
	if w.q.Outcome.Status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}

func (w *response) sent(n int64) {
	if !w.noBody {
		w.q.Outcome.BytesSent += n
	}
}

// Flush sends what is buffered.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError sends what is buffered and tells whether that worked.
func (w *response) FlushError() error {
	w.implicit()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hands the connection over. The host's handlers hijack only to switch protocols, so the outcome is 101 unless
// a response was sent before; whoever takes the connection sets Outcome otherwise, and its byte counts, before the
// request ends.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, brw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	line := c
	if t, ok := c.(*tls.Conn); ok {
		line = t.NetConn()
	}
	if own, ok := line.(*conn); ok {
		own.upgraded.Store(true)
	}
	w.hijacked = c
	if w.q.Outcome.Status == 0 {
		w.q.Outcome.Status = http.StatusSwitchingProtocols
	}
	return c, brw, nil
}

// Unwrap returns the writer below, for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
