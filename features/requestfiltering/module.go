package requestfiltering

import (
	"net/http"
	"strconv"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules> and in error pages.
const name = "RequestFilteringModule"

// filterModule is RequestFilteringModule in one generation.
type filterModule struct{}

func newModule() module.Module { return filterModule{} }

var _ module.Module = filterModule{}

// Middleware refuses what the section of the request's URL forbids.
func (filterModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if q.Internal { // what the client sent has been judged: a page that tells of it must not fail for the same reason
			next.ServeHTTP(w, r)
			return
		}
		c, err := config.Decode[filterConfig](q.Config, section)
		if err != nil {
			q.Fail(w, r, module.Misfit(name, section, err))
			return
		}
		if c.RemoveServer {
			w = &namelessWriter{ResponseWriter: w}
			defer w.Header().Del("Server") // of an answer that its handler leaves to be sent as it is
		}
		if e := c.refuse(newSubject(r)); e != nil {
			q.Fail(w, r, e)
			return
		}
		// A CONNECT has no content (RFC 9110, section 9.3.6): what follows one for a WebSocket (RFC 8441) are frames,
		// which have limits of their own.
		if r.ContentLength >= 0 || r.Body == nil || r.Body == http.NoBody || r.Method == http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		serveLimited(w, r, q, next, c.Limits.MaxContentLength)
	})
}

// serveLimited passes a request on whose body tells its length only when it has been read. Whatever a handler makes of
// the error that it then reads (a proxy would say 502), the client is told the reason, unless it was answered already.
func serveLimited(w http.ResponseWriter, r *http.Request, q *module.Request, next http.Handler, limit uint32) {
	body := &limitedBody{ReadCloser: r.Body, left: int64(limit), refusal: tooLong(limit)}
	limited := new(http.Request)
	*limited = *r
	limited.Body = body
	render := q.RenderError
	q.RenderError = func(w http.ResponseWriter, r *http.Request, e *module.HTTPError) {
		if body.exceeded.Load() {
			e = body.refusal
			q.Outcome.SubStatus, q.Outcome.Win32 = e.SubStatus, e.Win32
			w.Header().Set("Connection", "close") // the rest of the body is not worth reading
		}
		render(w, r, e)
	}
	next.ServeHTTP(w, limited)
	if body.exceeded.Load() && q.Outcome.Status == 0 {
		q.Fail(w, r, body.refusal)
	}
}

// tooLong is 413.1 of newer versions of IIS rather than 404.13 of the first: a client that sends too much can tell
// from it what to change (RFC 9110, section 15.5.14).
func tooLong(limit uint32) *module.HTTPError {
	return &module.HTTPError{
		Status: http.StatusRequestEntityTooLarge, SubStatus: 1, Module: name,
		Summary: "the body of the request is longer than " + strconv.FormatUint(uint64(limit), 10) + " bytes",
		Hint:    "raise maxAllowedContentLength of <requestLimits>, in bytes",
	}
}

// refusal is a 404 with a sub-status, the answer of IIS to nearly all that its filter refuses.
func refusal(sub int, summary, hint string) *module.HTTPError {
	return &module.HTTPError{Status: http.StatusNotFound, SubStatus: sub, Summary: summary, Hint: hint, Module: name}
}
