package requestfiltering

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// namelessWriter takes the name of a server's software out of a response: removeServerHeader. The host gives none of
// its own; what is taken out is that of an application.
type namelessWriter struct{ http.ResponseWriter }

// WriteHeader sends the header without it.
func (w *namelessWriter) WriteHeader(status int) {
	w.Header().Del("Server")
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body, before which the header may not have been sent.
func (w *namelessWriter) Write(p []byte) (int, error) {
	w.Header().Del("Server")
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the way open on which the kernel copies files.
func (w *namelessWriter) ReadFrom(src io.Reader) (int64, error) {
	w.Header().Del("Server")
	return io.Copy(w.ResponseWriter, src)
}

// FlushError sends what is buffered.
func (w *namelessWriter) FlushError() error {
	w.Header().Del("Server")
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for those who ask for an http.Flusher.
func (w *namelessWriter) Flush() { _ = w.FlushError() }

// Hijack hands the connection over.
func (w *namelessWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap gives http.ResponseController the way to the remaining abilities.
func (w *namelessWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
