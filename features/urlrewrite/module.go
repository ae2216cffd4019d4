package urlrewrite

import (
	"html"
	"io"
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules> and in error pages, as on IIS.
const name = "RewriteModule"

// rewriteModule is RewriteModule in one generation.
type rewriteModule struct{}

func newModule() module.Module { return rewriteModule{} }

var _ module.Module = rewriteModule{}

// Middleware runs the rules of the request's configuration. It treats an opening handshake of a WebSocket as any other
// request: what is behind it sees the rewritten URL.
func (rewriteModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if r.URL.Path == "" || r.URL.Path[0] != '/' { // OPTIONS *
			next.ServeHTTP(w, r)
			return
		}
		s := newSubject(r, q)
		v := decide(s, nil)
		out, finish, failure := outbound(w, s)
		if failure != nil && v.failure == nil {
			v.failure = failure
		}
		v.answer(out, plainBody(out, s.r), q, next)
		finish()
	})
}

// answer does what the rules have decided.
func (v *verdict) answer(w http.ResponseWriter, r *http.Request, q *module.Request, next http.Handler) {
	switch {
	case v.failure != nil:
		if v.failure.Module == "" {
			v.failure.Module = name
		}
		q.Fail(w, r, v.failure)
	case v.kind == actionAbort:
		panic(http.ErrAbortHandler) // net/http closes the connection, of HTTP/2 the stream, and logs nothing
	case v.kind == actionRedirect:
		v.redirect(w)
	case v.kind == actionCustom:
		v.custom(w, r, q)
	default:
		next.ServeHTTP(w, r)
	}
}

// redirect answers with the short page that RFC 9110, section 15.4 asks for.
func (v *verdict) redirect(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Location", v.url)
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(v.status)
	_, _ = io.WriteString(w, `<title>Document Moved</title><p>This document is now <a href="`+html.EscapeString(v.url)+`">here</a>.</p>`+"\n")
}

// custom answers with the status of a rule. Failures go the way of every other, so that the error pages of the site
// hold for them. net/http writes the standard reason phrase; that of the rule is told in the page.
func (v *verdict) custom(w http.ResponseWriter, r *http.Request, q *module.Request) {
	if v.status >= 400 {
		summary := v.text()
		if summary == "" {
			summary = "a rewrite rule refuses the request"
		}
		q.Fail(w, r, &module.HTTPError{Status: v.status, SubStatus: v.subStatus, Module: name, Summary: summary})
		return
	}
	q.Outcome.SubStatus = v.subStatus
	if v.status == http.StatusNoContent || v.status == http.StatusNotModified {
		w.WriteHeader(v.status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(v.status)
	_, _ = io.WriteString(w, html.EscapeString(v.description))
}
