package httperrors

import (
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules>.
const name = "CustomErrorModule"

// errorModule is CustomErrorModule in one generation.
type errorModule struct{ pages *pages }

func newModule() module.Module { return &errorModule{pages: newPages()} }

var _ module.Module = (*errorModule)(nil)

// Middleware puts this module's renderer into the request, and for existingResponse="Replace" watches for failures
// that a handler answers by itself.
func (m *errorModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		x := &responder{module: m, next: next, q: q, bare: q.RenderError}
		q.RenderError = x.render
		conf, err := config.Decode[errorsConfig](q.Config, section)
		if err != nil || conf.Existing != existingReplace {
			next.ServeHTTP(w, r)
			return
		}
		x.replace = &replaceWriter{ResponseWriter: w}
		next.ServeHTTP(x.replace, r)
		if status := x.replace.suppressed; status != 0 {
			q.Fail(w, r, &module.HTTPError{Status: status, SubStatus: q.Outcome.SubStatus, Win32: q.Outcome.Win32, Summary: "a handler answered the request with this status"})
		}
	})
}
