package httperrors

import (
	"bufio"
	"net"
	"net/http"
)

// replaceWriter holds back responses of 400 and above that a handler writes by itself, so that they can be replaced.
type replaceWriter struct {
	http.ResponseWriter
	passing    bool // the response is the renderer's own, or a good one
	suppressed int  // the status held back, 0 for none
}

// WriteHeader passes good statuses on and holds failures back.
func (w *replaceWriter) WriteHeader(status int) {
	switch {
	case w.suppressed != 0:
	case w.passing || status < 400:
		w.passing = w.passing || status >= 200
		w.ResponseWriter.WriteHeader(status)
	default:
		w.suppressed = status
	}
}

// Write passes the body of good responses on and drops the others.
func (w *replaceWriter) Write(p []byte) (int, error) {
	if w.suppressed != 0 {
		return len(p), nil
	}
	w.passing = true
	return w.ResponseWriter.Write(p)
}

// FlushError flushes, unless the response is held back.
func (w *replaceWriter) FlushError() error {
	if w.suppressed != 0 {
		return nil
	}
	w.passing = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for those who ask for an http.Flusher.
func (w *replaceWriter) Flush() { _ = w.FlushError() }

// Hijack hands the connection over.
func (w *replaceWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.passing = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap gives http.ResponseController the way to the remaining abilities.
func (w *replaceWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// executeWriter sends what an internal request gives under the status of the failure that asked for it.
type executeWriter struct {
	http.ResponseWriter
	status int
	head   bool // the failed request was a HEAD
	wrote  bool
}

// WriteHeader sends the status of the failure in place of a success.
func (w *executeWriter) WriteHeader(status int) {
	if status < 200 || w.wrote {
		return
	}
	w.wrote = true
	if status < 300 {
		status = w.status
		// A file's validators and cache time are not those of the failure: caches keep a 404 that has them.
		h := w.Header()
		for _, k := range []string{"Etag", "Last-Modified", "Accept-Ranges", "Expires"} {
			h.Del(k)
		}
		h.Set("Cache-Control", "no-store")
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends the body, unless the failed request was a HEAD.
func (w *executeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.head {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// FlushError flushes, and before that sends the header that a flush sends by itself.
func (w *executeWriter) FlushError() error {
	w.WriteHeader(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for those who ask for an http.Flusher.
func (w *executeWriter) Flush() { _ = w.FlushError() }

// Hijack refuses: the connection is that of the failed request.
func (w *executeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

// Unwrap gives http.ResponseController the way to the remaining abilities.
func (w *executeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
