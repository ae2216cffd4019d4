package wshost

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// drainTime is how long the rest of a body that no module read may take to arrive.
const drainTime = 5 * time.Second

// body counts a request's body and cuts a client that sends nothing of it for the site's connectionTimeout: each read
// renews the deadline. From the end of the body on net/http watches the connection and lifts the deadline by itself.
type body struct {
	io.ReadCloser
	rc      *http.ResponseController
	timeout time.Duration
	n       atomic.Int64 // a proxy's transport may still read while the request is ending
	ended   atomic.Bool
}

func watchBody(w http.ResponseWriter, r *http.Request, timeout time.Duration) *body {
	return &body{ReadCloser: r.Body, rc: http.NewResponseController(w), timeout: timeout}
}

// Read renews the deadline and reads.
func (b *body) Read(p []byte) (int, error) {
	if !b.ended.Load() {
		_ = b.rc.SetReadDeadline(time.Now().Add(b.timeout))
	}
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	if err != nil {
		b.ended.Store(true)
	}
	return n, err
}

// leave bounds the time that net/http spends on reading what is left of the body.
func (b *body) leave() {
	if !b.ended.Load() {
		_ = b.rc.SetReadDeadline(time.Now().Add(drainTime))
	}
}
