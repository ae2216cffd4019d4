package httpredirection

import (
	"html"
	"net/http"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules> and in error pages.
const name = "HttpRedirectionModule"

// redirectModule is HttpRedirectionModule in one generation.
type redirectModule struct{}

func newModule() module.Module { return redirectModule{} }

var _ module.Module = redirectModule{}

// Middleware answers with a redirect where the section of the request's URL is switched on.
func (redirectModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		c, err := config.Decode[redirectConfig](q.Config, section)
		if err != nil {
			q.Fail(w, r, module.Misfit(name, section, err))
			return
		}
		if !c.Enabled || !strings.HasPrefix(r.URL.Path, "/") { // "*" of OPTIONS is the server as a whole
			next.ServeHTTP(w, r)
			return
		}
		target, ok := c.target(request{path: r.URL.Path, suffix: r.URL.Path[len(origin(q, r.URL.Path)):], query: r.URL.RawQuery})
		// A destination below the redirected URL would be redirected for ever, which IIS leaves to the browser to notice.
		if !ok || same(target, r) {
			next.ServeHTTP(w, r)
			return
		}
		send(w, r, target, c.code())
	})
}

// origin returns the URL that the section in use is written for: the shortest path on the way to the request's for which
// it holds. The slash behind it belongs to the suffix; "" is the root.
func origin(q *module.Request, urlPath string) string {
	at, written := q.Config.Origin(section)
	if !written || q.Reconfigure == nil {
		return ""
	}
	kept := q.Config
	defer func() { q.Config = kept }()
	for i := 0; i < len(urlPath); i++ {
		if urlPath[i] != '/' {
			continue
		}
		folder := urlPath[:i]
		if q.Reconfigure(folder+"/") != nil {
			continue
		}
		if pos, ok := q.Config.Origin(section); ok && pos == at {
			return folder
		}
	}
	return urlPath
}

// same reports whether a target is the URL that was asked for.
func same(target string, r *http.Request) bool {
	own := r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		own += "?" + r.URL.RawQuery
	}
	own = printable(own)
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return target == own || strings.EqualFold(target, scheme+r.Host+own)
}

// send answers with the redirect and a page that says it to clients which do not follow (RFC 9110, section 15.4).
func send(w http.ResponseWriter, r *http.Request, target string, status int) {
	body := "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>This page has moved</title></head>\n<body><h1>This page has moved</h1>\n<p>It is now at <a href=\"" +
		html.EscapeString(target) + "\">" + html.EscapeString(target) + "</a>.</p></body></html>\n"
	h := w.Header()
	h.Set("Location", target)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write([]byte(body)) // a client that went away needs no answer
	}
}
