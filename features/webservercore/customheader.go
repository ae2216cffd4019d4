package webservercore

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// headerModuleName is a name of our own: IIS counts this as the work of ProtocolSupportModule, which stands among the
// handlers here and would not see the responses of the stages before it.
const headerModuleName = "CustomHeaderModule"

// headerModule adds the fields of <httpProtocol> to every response. It belongs to the outermost stage, so that refusals
// of the host itself carry them as well.
type headerModule struct{}

func newHeaderModule() module.Module { return headerModule{} }

var _ module.Module = headerModule{}

// Middleware puts a writer around the response that adds the fields when the header is sent.
func (headerModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		hw, outer := &headerWriter{ResponseWriter: w, q: q}, q.Fields // of the run around this one, when a page is run for a failure
		q.Fields = hw
		next.ServeHTTP(hw, r)
		q.Fields = outer
		hw.Complete(http.StatusOK) // a handler that sent nothing leaves the header to the host
	})
}

// headerWriter adds the configured fields. Which ones is decided when the header is sent: by then a rewrite or a default
// document may have moved the request to another folder, whose configuration counts.
type headerWriter struct {
	http.ResponseWriter
	q    *module.Request
	done bool
}

// Complete adds the fields for a response with the status, once. Whoever changes the header behind it, as outbound rules
// do, asks for it earlier than the header is sent.
func (w *headerWriter) Complete(status int) {
	if w.done {
		return
	}
	w.done = true
	c, err := config.Decode[protocolConfig](w.q.Config, protocolSection)
	if err != nil {
		w.q.Logger.Error("header fields are not added", "section", protocolSection, "error", err)
		return
	}
	h := w.Header()
	addFields(h, c.Custom.Fields)
	if redirects(status) {
		addFields(h, c.Redirect.Fields)
	}
	if !c.AllowKeepAlive && status != http.StatusSwitchingProtocols {
		h.Set("Connection", "close")
	}
}

// redirects reports whether a status sends the client to another URL.
func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// addFields adds to what a module has set, as IIS does: both values are sent. A value that is there already is not sent
// twice, for two equal values of Access-Control-Allow-Origin are refused by browsers.
func addFields(h http.Header, fields []headerField) {
	for _, f := range fields {
		have := h.Values(f.Name)
		if ownField(f.Name) || len(have) > 0 && singleField(f.Name) || slices.Contains(have, f.Value) {
			continue
		}
		h.Add(f.Name, f.Value)
	}
}

// WriteHeader adds the fields before a final status; an informational one is not the response.
func (w *headerWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		w.Complete(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *headerWriter) Write(p []byte) (int, error) {
	w.Complete(http.StatusOK)
	return w.ResponseWriter.Write(p)
}

// WriteString sends a part of the body.
func (w *headerWriter) WriteString(s string) (int, error) {
	w.Complete(http.StatusOK)
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom sends all of src. The writer below lets the kernel copy files.
func (w *headerWriter) ReadFrom(src io.Reader) (int64, error) {
	w.Complete(http.StatusOK)
	return io.Copy(w.ResponseWriter, src)
}

// Flush sends what is buffered.
func (w *headerWriter) Flush() { _ = w.FlushError() }

// FlushError sends what is buffered and tells whether that worked.
func (w *headerWriter) FlushError() error {
	w.Complete(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack hands the connection over; the fields belong to the 101 that its taker is about to write.
func (w *headerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.Complete(http.StatusSwitchingProtocols)
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap returns the writer below, for http.ResponseController.
func (w *headerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
