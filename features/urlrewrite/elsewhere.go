package urlrewrite

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// actionForward is the verdict of a rule of type Rewrite that leads to another server. No rule runs after it: there is no
// path of this site any more that one could look at.
const actionForward = "Forward"

// proxyModule is the module that fetches answers from other servers.
const proxyModule = "ApplicationRequestRouting"

// forwards reports whether there is a module that reaches other servers.
func (w *walker) forwards() bool {
	return w.q.Config != nil && w.q.Config.Has("system.webServer/modules", proxyModule)
}

// namesServer reports whether a rule itself names a server, which nothing of the request then decides: a client whose Host
// field says the name of the other server must not get the files of this one.
func namesServer(written string) bool {
	_, rest, ok := strings.Cut(written, "://")
	host, _, _ := strings.Cut(rest, "/")
	return ok && host != "" && !strings.Contains(host, "{")
}

// forward leaves the request to the module that reaches other servers.
func (w *walker) forward(r *rule, target string) {
	if !w.forwards() {
		// Without Application Request Routing, IIS finds no handler for such a URL either and answers 404.4.
		w.verdict.failure = &module.HTTPError{
			Status: http.StatusNotFound, SubStatus: 4, Module: name,
			Summary: fmt.Sprintf("the rewrite rule %q leads to another server, which only Reverse Proxy can reach", r.name),
			Hint:    "rolemgr install reverse-proxy",
		}
		return
	}
	u, err := w.upstream(r, target)
	if err != nil {
		w.verdict.failure = &module.HTTPError{
			Status: http.StatusBadRequest, Module: name, Summary: fmt.Sprintf("the rewrite rule %q makes no URL of a server: %v", r.name, err),
		}
		return
	}
	w.own()
	w.noteOriginal()
	w.q.Upstream = u
	w.verdict.kind, w.verdict.url = actionForward, u.String()
}

// upstream reads the target of a rule. ws and wss, which {CACHE_URL} says on IIS for an opening handshake, are http and https.
func (w *walker) upstream(r *rule, target string) (*url.URL, error) {
	scheme, rest, _ := cutScheme(target)
	switch scheme = strings.ToLower(scheme); scheme {
	case "ws":
		scheme = "http"
	case "wss":
		scheme = "https"
	case "http", "https":
	default:
		return nil, fmt.Errorf("%q is neither http nor https", scheme)
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if r.action.appendQuery && w.query != "" {
		query = strings.TrimPrefix(joinQuery("?"+query, w.query), "?")
	}
	host, path, _ := strings.Cut(strings.ReplaceAll(rest, `\`, "/"), "/")
	if host == "" || strings.ContainsAny(host, "@ ") {
		return nil, fmt.Errorf("%q names no server", host)
	}
	return url.Parse(scheme + "://" + host + "/" + escapeUnsafe(path, "\"<>^`{|}") + queryPart(escapeUnsafe(query, `"<>#`)))
}

func queryPart(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}
