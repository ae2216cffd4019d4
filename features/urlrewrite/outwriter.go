package urlrewrite

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// outbound returns the writer for a response that outbound rules hold for, and what is to be called when the response
// has been written. Where there are no rules that is w itself.
func outbound(w http.ResponseWriter, s *subject) (http.ResponseWriter, func(), *module.HTTPError) {
	nothing := func() {}
	c, err := config.Decode[outboundConfig](s.q.Config, sectionOutbound)
	if err != nil {
		return w, nothing, module.Misfit(name, sectionOutbound, err)
	}
	if len(c.Entries) == 0 {
		return w, nothing, nil
	}
	set := c.compile()
	if set.err != nil {
		return w, nothing, module.ConfigFailure(set.err)
	}
	maps, err := config.Decode[mapsConfig](s.q.Config, sectionMaps)
	if err != nil {
		return w, nothing, module.Misfit(name, sectionMaps, err)
	}
	ow := &outWriter{ResponseWriter: w, walker: outWalker{subject: s, maps: maps}, rules: set.rules, fields: s.q.Fields}
	return ow, ow.finish, nil
}

// plainBody returns the request for what is behind the module: where rules look at bodies, nobody is asked to encode one.
func plainBody(w http.ResponseWriter, r *http.Request) *http.Request {
	out, ok := w.(*outWriter)
	if !ok || r.Header.Get("Accept-Encoding") == "" || !slices.ContainsFunc(out.rules, (*outRule).onBody) {
		return r
	}
	r2 := new(http.Request)
	*r2 = *r
	r2.Header = r.Header.Clone()
	r2.Header.Del("Accept-Encoding")
	return r2
}

// An outWriter applies outbound rules to the header when it is sent, and holds the body back when rules look at it.
type outWriter struct {
	http.ResponseWriter
	walker  outWalker
	rules   []*outRule
	fields  module.Completer // nil for none
	status  int              // 0 until the header was written
	taken   bool             // the connection has been handed over
	body    *bytes.Buffer
	onBody  []*outRule
	isHTML  bool
	failure *module.HTTPError // the response is dropped for it
}

// WriteHeader applies the rules on the header.
func (w *outWriter) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.status = status
	if w.fields != nil {
		w.fields.Complete(status)
	}
	h := w.Header()
	w.walker.response = &answer{status, h}
	err := w.walker.prepare(w.rules)
	if err == nil {
		err = w.walker.changeHeader()
	}
	if err == nil {
		err = w.holdBody()
	}
	if err != nil {
		w.refuse(err)
		return
	}
	if w.body == nil {
		w.ResponseWriter.WriteHeader(status)
	}
}

// refuse drops the response for the 500.52 that IIS answers when an outbound rule fails.
func (w *outWriter) refuse(err error) {
	w.body = nil
	w.failure = &module.HTTPError{
		Status: http.StatusInternalServerError, SubStatus: 52, Module: name,
		Summary: "the outbound rewrite rules cannot be carried out: " + err.Error(),
		Hint:    "narrow them with a precondition, such as one on {RESPONSE_CONTENT_TYPE}",
	}
}

// holdBody begins to hold the body back when rules look at it. Parts of a document, and what is sent event by event,
// pass as they are.
func (w *outWriter) holdBody() error {
	rules := w.walker.bodyRules()
	if len(rules) == 0 || w.walker.r.Method == http.MethodHead {
		return nil
	}
	switch w.status {
	case http.StatusSwitchingProtocols, http.StatusNoContent, http.StatusPartialContent, http.StatusNotModified:
		return nil
	}
	h := w.Header()
	media, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	w.isHTML = media == "text/html" || media == "application/xhtml+xml"
	for _, r := range rules {
		if r.tags == nil && media != "text/event-stream" || w.isHTML {
			w.onBody = append(w.onBody, r)
		}
	}
	if len(w.onBody) == 0 {
		return nil
	}
	if enc := h.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return fmt.Errorf("the body is encoded (%q)", enc)
	}
	if n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64); err == nil && n > maxBody {
		return fmt.Errorf("the body is longer than %d bytes", maxBody)
	}
	w.body = &bytes.Buffer{}
	return nil
}

// Write sends a part of the body, or keeps it.
func (w *outWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	switch {
	case w.failure != nil:
		return len(p), nil
	case w.body == nil:
		return w.ResponseWriter.Write(p)
	case w.body.Len()+len(p) > maxBody:
		w.refuse(fmt.Errorf("the body is longer than %d bytes", maxBody))
		return len(p), nil
	}
	return w.body.Write(p)
}

// ReadFrom sends all of src; where nothing is held back, the writer below lets the kernel copy files.
func (w *outWriter) ReadFrom(src io.Reader) (int64, error) {
	w.WriteHeader(http.StatusOK)
	if w.failure == nil && w.body == nil {
		return io.Copy(w.ResponseWriter, src)
	}
	return io.Copy(struct{ io.Writer }{w}, src)
}

// finish sends what was held back.
func (w *outWriter) finish() {
	if w.taken {
		return
	}
	w.WriteHeader(http.StatusOK) // of a handler that wrote nothing
	if w.body != nil {
		out, err := w.walker.changeBody(w.body.String(), w.onBody, w.isHTML)
		if err == nil {
			h := w.Header()
			h.Set("Content-Length", strconv.Itoa(len(out)))
			h.Del("Accept-Ranges")
			if tag := h.Get("Etag"); strings.HasPrefix(tag, `"`) {
				h.Set("Etag", "W/"+tag) // RFC 9110, section 8.8.1: the bytes are no longer those of the file
			}
			w.ResponseWriter.WriteHeader(w.status)
			_, _ = io.WriteString(w.ResponseWriter, out)
			return
		}
		w.refuse(err)
	}
	if w.failure != nil {
		w.Header().Del("Content-Length")
		w.walker.q.Fail(w.ResponseWriter, w.walker.r, w.failure)
	}
}

// FlushError sends what is buffered, unless the body is held back.
func (w *outWriter) FlushError() error {
	w.WriteHeader(http.StatusOK)
	if w.body != nil || w.failure != nil {
		return nil
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Flush is FlushError for those who ask for an http.Flusher.
func (w *outWriter) Flush() { _ = w.FlushError() }

// Hijack hands the connection over: its bytes are nobody's header.
func (w *outWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.taken = w.taken || err == nil
	return c, rw, err
}

// Unwrap gives http.ResponseController the way to the remaining abilities.
func (w *outWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
