package staticcompression

import (
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// writer sends the compressed copy in place of a file. It lets the module below answer as if nothing were compressed,
// conditions and ranges included, and looks at the header that comes out: a 200 with a file becomes the copy.
type writer struct {
	http.ResponseWriter
	m        *compressionModule
	r        *http.Request
	q        *module.Request
	settings *compress.Settings

	typ     string   // the first Content-Type seen
	decided bool     // the header has been sent
	copy    *os.File // what is sent in place of the file, nil for the file itself
	kept    *kept    // and where that is in memory
}

// Header returns the header. It notes the type of the file, which http.ServeContent takes out of a 304 and replaces in an
// answer of several ranges: both vary as the 200 does.
func (w *writer) Header() http.Header {
	h := w.ResponseWriter.Header()
	if w.typ == "" {
		w.typ = h.Get("Content-Type")
	}
	return h
}

// WriteHeader decides what is sent.
func (w *writer) WriteHeader(status int) {
	if status >= 200 && !w.decided {
		w.decided = true
		h := w.Header()
		if w.q.StaticFile != nil && (status == http.StatusOK || status == http.StatusPartialContent || status == http.StatusNotModified) {
			w.decide(h, status)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) decide(h http.Header, status int) {
	plan := &w.settings.Static
	if w.typ == "" || !plan.Types.Match(w.typ) || status == http.StatusOK && compress.Untouchable(h) {
		return
	}
	info := w.q.StaticFile // what the header describes: the tag of another state on a copy would stay in caches
	if !plan.Worth(w.typ, info.Size()) {
		return
	}
	if status == http.StatusNotModified {
		compress.MarkNotModified(h, w.r)
		return
	}
	compress.AddVary(h)
	coding := w.settings.Coding(plan, w.r)
	if status != http.StatusOK || coding == compress.Identity {
		return
	}
	if w.kept = w.memory(coding, plan.Level(coding)); w.kept != nil {
		w.settings.MarkEncoded(h, coding)
		h["Content-Length"] = w.kept.length
		return
	}
	f, size := w.m.store.fetch(w.r.Context(), &want{
		site: w.q.SiteID, path: w.q.Files.Physical(w.r.URL.Path), info: info, coding: coding, level: plan.Level(coding),
		open: func() (*os.File, error) { return w.q.Files.Open(w.r.URL.Path) },
	})
	if f == nil {
		return
	}
	w.copy = f
	w.settings.MarkEncoded(h, coding)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	w.keep(f, size, coding, plan.Level(coding))
}

// Write sends a part of the body, or drops it when the copy is sent in its place.
func (w *writer) Write(p []byte) (int, error) {
	if !w.decided {
		w.WriteHeader(http.StatusOK)
	}
	if w.copy != nil || w.kept != nil {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the way open on which the kernel copies files. What is dropped is not read.
func (w *writer) ReadFrom(src io.Reader) (int64, error) {
	if !w.decided {
		w.WriteHeader(http.StatusOK)
	}
	if w.copy == nil && w.kept == nil {
		return io.Copy(w.ResponseWriter, src)
	}
	if l, ok := src.(*io.LimitedReader); ok { // from io.CopyN, which http.ServeContent uses
		n := l.N
		l.N = 0
		return n, nil
	}
	return io.Copy(io.Discard, src)
}

// finish sends the copy. It is not called when the module below panicked, which cuts the connection.
func (w *writer) finish() {
	switch {
	case w.r.Method == http.MethodHead:
	case w.kept != nil:
		_, _ = w.ResponseWriter.Write(w.kept.b) // an error is a client that has gone
	case w.copy != nil:
		_, _ = io.Copy(w.ResponseWriter, w.copy)
	}
}

func (w *writer) close() {
	if w.copy != nil {
		_ = w.copy.Close()
	}
}

// Unwrap gives http.ResponseController the way to the remaining abilities.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
