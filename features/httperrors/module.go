package httperrors

import (
	"net"
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules>.
const name = "CustomErrorModule"

// errorModule is CustomErrorModule in one generation.
type errorModule struct {
	pages *pages
	// server holds the entries of the server level. Only they may name absolute paths unless that is delegated.
	server map[entry]bool
}

func newModule() module.Module { return &errorModule{pages: newPages()} }

var (
	_ module.Module      = (*errorModule)(nil)
	_ module.Provisioner = (*errorModule)(nil)
)

// Provision notes the entries of the server level.
func (m *errorModule) Provision(c *module.Context) error {
	conf, err := config.Decode[errorsConfig](c.Config, section)
	if err != nil {
		return err
	}
	m.server = make(map[entry]bool, len(conf.Entries))
	for _, e := range conf.Entries {
		m.server[e] = true
	}
	return nil
}

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

// local reports whether the client sits at the server: it may see details. A request that a proxy passed on comes from
// somewhere else, whatever its address.
func local(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
