package dynamiccompression

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// minSize is the length below which an answer is left as it is: the frame of the coding takes what is saved. IIS has no
// such bound; its minFileSizeForComp is for files.
const minSize = 256

// state is what has become of an answer.
type state string

// The states of a writer.
const (
	header   state = ""         // no final status yet; to held, plain or encoding
	held     state = "held"     // it may be compressed, and too little is known: status and bytes wait; to plain or encoding
	plain    state = "plain"    // sent as it comes; terminal
	encoding state = "encoding" // sent through the encoder; terminal
)

// writer compresses an answer while it is sent. Like every ResponseWriter it is used by one goroutine at a time.
type writer struct {
	http.ResponseWriter
	m *compressionModule
	r *http.Request
	q *module.Request

	state   state
	status  int
	buf     []byte // of held
	encoder *compress.Encoder
}

// WriteHeader notes the status, and sends it at once when nothing is to be compressed.
func (w *writer) WriteHeader(status int) {
	switch {
	case w.state != header:
		return // a second status, which net/http passes over too
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.ResponseWriter.WriteHeader(status) // informational: the response is yet to come
		return
	}
	w.status = status
	if w.bodyless(status) || compress.Untouchable(w.Header()) || w.q.StaticFile != nil {
		w.sendPlain()
		return
	}
	if n := w.length(); n < 0 || n >= minSize {
		w.state = held
		return
	}
	w.sendPlain()
}

// bodyless reports whether an answer has no body to compress, and marks a 304 as one that varies: which type the 200 had
// is not known, and a field too many costs a cache little.
func (w *writer) bodyless(status int) bool {
	if status == http.StatusNotModified && w.q.StaticFile == nil {
		if s, u, err := w.m.settings.Get(w.q.Config); err == nil && u.Dynamic && len(s.Dynamic.Offers) > 0 {
			compress.MarkNotModified(w.Header(), w.r)
		}
	}
	return status < 200 || status == http.StatusNoContent || status == http.StatusResetContent ||
		status == http.StatusPartialContent || status == http.StatusNotModified
}

// length returns the Content-Length that the handler set, -1 for none.
func (w *writer) length() int64 {
	n, err := strconv.ParseInt(w.Header().Get("Content-Length"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// sendPlain sends the header and what was held, and everything after it as it comes.
func (w *writer) sendPlain() {
	w.state = plain
	w.ResponseWriter.WriteHeader(w.status)
	if len(w.buf) > 0 {
		_, _ = w.ResponseWriter.Write(w.buf)
		w.buf = nil
	}
}

// begin decides about a held answer; first is what comes next of its body.
func (w *writer) begin(first []byte) {
	h := w.Header()
	typ, named := h["Content-Type"]
	if !named && len(w.buf)+len(first) > 0 {
		// net/http finds the type out only of what it can read.
		h.Set("Content-Type", http.DetectContentType(append(w.buf, first...)))
		typ = h["Content-Type"]
	}
	s, u, err := w.m.settings.Get(w.q.Config)
	if err != nil || !u.Dynamic || len(typ) == 0 || !s.Dynamic.Worth(typ[0], minSize) {
		w.sendPlain()
		return
	}
	compress.AddVary(h)
	coding := s.Coding(&s.Dynamic, w.r)
	if coding == compress.Identity || w.r.Method == http.MethodHead {
		w.sendPlain()
		return
	}
	e, err := w.m.pools.Get(coding, s.Dynamic.Level(coding), w.ResponseWriter)
	if err != nil {
		w.sendPlain()
		return
	}
	s.MarkEncoded(h, coding)
	w.state, w.encoder = encoding, e
	w.ResponseWriter.WriteHeader(w.status)
	if len(w.buf) > 0 {
		_, _ = e.Write(w.buf) // an error comes back with the next write
		w.buf = nil
	}
}

// Write sends a part of the body.
func (w *writer) Write(p []byte) (int, error) {
	if w.state == header {
		w.WriteHeader(http.StatusOK)
	}
	if w.state == held {
		if len(w.buf)+len(p) < minSize && w.length() < 0 {
			if w.buf == nil {
				w.buf = make([]byte, 0, minSize)
			}
			w.buf = append(w.buf, p...)
			return len(p), nil
		}
		w.begin(p)
	}
	if w.state == encoding {
		return w.encoder.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom sends all of src. What is not compressed goes the way on which the kernel copies.
func (w *writer) ReadFrom(src io.Reader) (int64, error) {
	if w.state == plain {
		return io.Copy(w.ResponseWriter, src)
	}
	return io.Copy(writeOnly{w}, src)
}

// writeOnly hides ReadFrom from io.Copy.
type writeOnly struct{ io.Writer }

// FlushError sends what is buffered, in the encoder too: an event stream arrives event by event.
func (w *writer) FlushError() error {
	if w.state == header {
		w.WriteHeader(http.StatusOK)
	}
	if w.state == held {
		w.begin(nil)
	}
	if w.state == encoding {
		if err := w.encoder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for those who ask for an http.Flusher.
func (w *writer) Flush() { _ = w.FlushError() }

// Hijack hands the connection over; nothing that was held is sent.
func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, brw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.state, w.buf = plain, nil
	}
	return c, brw, err
}

// finish ends the answer. It is not called when a handler panicked: the end of the encoded stream would tell the client
// that the answer is whole.
func (w *writer) finish() {
	switch w.state {
	case held:
		if len(w.buf) == 0 && w.r.Method == http.MethodHead {
			w.begin(nil) // for its Vary
			return
		}
		w.sendPlain() // it ended before minSize
	case encoding:
		_ = w.encoder.Close()
	}
}

// Unwrap gives http.ResponseController the way to the remaining abilities.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
