package wshost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// target is where a request was bound to: a site, the probe site, or nothing.
type target struct {
	id          uint32
	name        string // for people and for the configuration; "" is the server level
	files       module.Files
	limits      config.Limits
	missing     bool     // no site has such a binding
	hsts        string   // value of Strict-Transport-Security
	redirect    string   // where a request over http is sent to; "" when it stays
	bindings    tlsTable // of the endpoint; nil for http
	misdirected bool     // the connection was made for another site, and this one wants to know the client
}

// failureKey carries the host's own refusal through the log stage to the gate.
type failureKey struct{}

// gate stands between the log stage and the others. What the host itself refuses (a bad URL, an unknown site, a faulty
// configuration) is answered here, so that it is logged and rendered like every other answer. A page that tells of the
// refusal passes.
func gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if e, ok := r.Context().Value(failureKey{}).(*module.HTTPError); ok && !q.Internal {
			q.Fail(w, r, e)
			return
		}
		if to, ok := r.Context().Value(redirectKey{}).(string); ok && !q.Internal {
			http.Redirect(w, r, to, http.StatusMovedPermanently) // RFC 6797, section 7.2
			return
		}
		next.ServeHTTP(w, r)
	})
}

// endpointHandler answers the requests of an endpoint with the generation that is current when they arrive.
func (s *Server) endpointHandler(key endpointKey) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, func(g *generation) target {
			st := g.routes.find(key, r)
			if st == nil {
				return target{files: noFiles{}, missing: true}
			}
			t := target{id: st.ID, name: st.Name, files: st.files, limits: st.Limits, redirect: st.httpsURL(r)}
			if r.TLS != nil {
				t.hsts, t.bindings = hstsValue(st.HSTS), g.routes.secure[key]
				t.misdirected = t.bindings.misdirected(st, r)
			}
			return t
		})
	})
}

// serve runs one request through the current generation, which it holds until the request has ended.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, bind func(*generation) target) {
	start := time.Now()
	g := s.hold()
	if g == nil { // the last moments of a stopping host
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.requests.Add(1)
	t := bind(g)
	r, failure := cleanURL(r)
	q := &module.Request{
		SiteID: t.id, SiteName: t.name, Start: start, Config: g.server, Files: t.files, ServerName: s.name,
		Logger:      slog.New(&requestHandler{s.log.Handler(), t.name, r.URL.Path}),
		RenderError: renderBare, Connections: &s.conns,
	}
	if files, ok := t.files.(siteFiles); ok {
		q.Files = &requestFiles{siteFiles: files}
	}
	q.Reconfigure = func(urlPath string) *module.HTTPError { return s.configureAt(g, q, urlPath) }
	q.OnEnd(g.release) // the first to be registered is the last to run
	wanted, overStream := handshake.Wanted(r), handshake.WantedConnect(r)
	// A refused upgrade over HTTP/2 ends its stream and leaves the connection to the others.
	rw := &response{ResponseWriter: w, q: q, noBody: r.Method == http.MethodHead, upgrade: wanted && r.ProtoMajor == 1}
	if r.TLS == nil { // otherwise what is sent past net/http would not be encrypted
		rw.conn, _ = r.Context().Value(connKey{}).(*conn)
	}
	if t.hsts != "" {
		w.Header().Set("Strict-Transport-Security", t.hsts)
	}
	if r.TLS != nil {
		q.VerifyClient = func() error { return t.bindings.verify(r) }
	}
	if failure == nil {
		failure = s.configure(g, q, t, r)
	} else if !t.missing {
		_ = s.configureAt(g, q, "/") // the site's error pages; a fault leaves the configuration of the server
	}
	if failure != nil {
		r = r.WithContext(context.WithValue(r.Context(), failureKey{}, failure))
	} else if t.redirect != "" {
		r = r.WithContext(context.WithValue(r.Context(), redirectKey{}, t.redirect))
	} else if wanted || overStream {
		s.noteMissing(g, q)
	}
	r = module.WithRequest(r, q)
	var b *body
	if r.Body != nil && r.Body != http.NoBody && !overStream { // the frames of a WebSocket have limits of their own
		b = watchBody(w, r, connectionTimeout(t.limits))
		r.Body = b
	}
	s.run(g.handler, rw, r, b)
}

// configure gives the request the configuration of its URL, or says why it must be refused.
func (s *Server) configure(g *generation, q *module.Request, t target, r *http.Request) (failure *module.HTTPError) {
	defer func() {
		if v := recover(); v != nil {
			q.Logger.Error("reading the configuration panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			failure = &module.HTTPError{Status: http.StatusInternalServerError, Summary: "the configuration cannot be read"}
		}
	}()
	if t.missing {
		return &module.HTTPError{Status: http.StatusNotFound, SubStatus: 1, Summary: fmt.Sprintf("no site has a binding for the host name %q", requestHost(r.Host))}
	}
	if t.misdirected {
		return &module.HTTPError{Status: http.StatusMisdirectedRequest, Summary: fmt.Sprintf("the connection was made for %q, which asks for no client certificate", r.TLS.ServerName)}
	}
	p := r.URL.Path
	if p == "*" {
		p = "/"
	}
	if limit := t.limits.MaxURLSegments; limit > 0 && segments(p) > limit {
		_ = s.configureAt(g, q, "/") // the folders of such a URL are not looked for; the site's error pages are
		return &module.HTTPError{Status: http.StatusNotFound, SubStatus: 20, Summary: fmt.Sprintf("the URL has more than %d segments (maxUrlSegments)", limit)}
	}
	return s.configureAt(g, q, p)
}

// configureAt gives the request the configuration of a URL path of its site, or says why it must be refused.
func (s *Server) configureAt(g *generation, q *module.Request, urlPath string) *module.HTTPError {
	files, own := q.Files.(*requestFiles)
	if !own {
		files = new(requestFiles)
	}
	effective, place, err := g.tree.EffectiveAt(q.SiteName, urlPath, &files.trail)
	files.saw(urlPath, place)
	if err == nil {
		q.Config = effective
		return nil
	}
	if ce := (*config.Error)(nil); errors.As(err, &ce) {
		s.faults.warnOf(ce.Error(), q.Logger, "the configuration is at fault", "error", ce, "hint", ce.Hint)
		return module.ConfigFailure(ce)
	}
	q.Logger.Error("the configuration cannot be read", "error", err)
	return &module.HTTPError{Status: http.StatusInternalServerError, Summary: "the configuration cannot be read"}
}

// run runs the pipeline and ends the request, whatever happens in it. A panic becomes a 500.0 when nothing was sent
// yet; afterwards the connection is cut, for a client must not take half a response for a whole one.
func (s *Server) run(pipeline http.Handler, w *response, r *http.Request, b *body) {
	q := w.q
	defer func() {
		v := recover()
		abort := v != nil
		if v != nil && v != http.ErrAbortHandler {
			q.Logger.Error("a module panicked", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			if q.Outcome.Status == 0 && w.hijacked == nil {
				s.failAfterPanic(w, r)
				abort = false
			}
		}
		if w.hijacked != nil && abort {
			_ = w.hijacked.Close()
		}
		if b != nil && w.hijacked == nil { // otherwise the counts, and the deadlines, are the new owner's
			q.Outcome.BytesRecv = b.n.Load()
			b.leave()
		}
		q.Returned()
		if abort && w.hijacked == nil {
			panic(http.ErrAbortHandler)
		}
	}()
	pipeline.ServeHTTP(w, r)
	if w.hijacked == nil {
		w.implicit()
	}
}

// failAfterPanic answers 500.0. A module's renderer may be what panicked: if it does so again the bare status is sent.
func (s *Server) failAfterPanic(w *response, r *http.Request) {
	e := &module.HTTPError{Status: http.StatusInternalServerError, Summary: "a module panicked"}
	err := guarded(func() error { w.q.Fail(w, r, e); return nil })
	if err != nil {
		w.q.Logger.Error("the renderer of errors panicked, too", "error", err)
	}
	if w.q.Outcome.Status == 0 {
		renderBare(w, r, e)
	}
}
