package httperrors

import (
	"maps"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// execute runs another URL of the site as an internal GET, under the configuration of that URL, and sends what it gives
// under the status of the failure. IIS lets the page choose the status, so that a missing page may be told as 200; here a
// failure stays a failure. It returns false when nothing was sent.
func (x *responder) execute(w http.ResponseWriter, r *http.Request, c entry, e *module.HTTPError) bool {
	target, problem := pageURL(c.Path)
	if problem != "" {
		x.q.Logger.Warn("an error page is not used: its path "+problem, "path", c.Path, "hint", `write a URL of this site that begins with "/", or use responseMode="File"`)
		return false
	}
	if x.executed {
		return false
	}
	x.executed = true
	outer, outcome, conf, upstream := x.q.RenderError, x.q.Outcome, x.q.Config, x.q.Upstream
	x.q.Upstream = nil // the page is this site's, whoever was to answer
	defer func() {
		x.q.RenderError, x.q.Config, x.q.Internal, x.q.Upstream = outer, conf, false, upstream
		x.q.Outcome.SubStatus, x.q.Outcome.Win32 = outcome.SubStatus, outcome.Win32
	}()
	inner, refusal := x.q.MoveTo(r, target.Path)
	if refusal != nil {
		x.q.Logger.Warn("an error page is not used: its configuration is at fault", "path", c.Path, "error", refusal.Summary)
		return false
	}
	inner = pageRequest(inner, r, target, e.Status)
	before := w.Header().Clone()
	x.q.Internal = true
	x.q.RenderError = func(http.ResponseWriter, *http.Request, *module.HTTPError) {} // a failing page ends here, not in itself
	ew := &executeWriter{ResponseWriter: w, status: e.Status, head: r.Method == http.MethodHead}
	x.next.ServeHTTP(ew, inner)
	if !ew.wrote {
		clear(w.Header())
		maps.Copy(w.Header(), before)
		x.q.Logger.Warn("an error page failed itself", "path", c.Path)
	}
	return ew.wrote
}

// pageURL reads the path of an entry as a URL of the site, or says what is wrong with it.
func pageURL(written string) (u *url.URL, problem string) {
	p, query, asked := strings.Cut(written, "?")
	p = strings.ReplaceAll(p, `\`, "/")
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") {
		return nil, `does not begin with one "/"`
	}
	if asked {
		p += "?" + query
	}
	u, err := url.ParseRequestURI(p)
	if err != nil || strings.ContainsFunc(u.Path, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' }) {
		return nil, "is no URL"
	}
	clean := path.Clean(u.Path)
	if strings.HasSuffix(u.Path, "/") && clean != "/" {
		clean += "/"
	}
	u.Path, u.RawPath, u.Fragment, u.RawFragment = clean, "", "", ""
	return u, ""
}

// pageRequest makes the internal request. The page learns of the failure from its query, as on IIS: "404;" and the URL
// that failed. What the client has said of the resource that it wanted does not hold for the page.
func pageRequest(inner, failed *http.Request, target *url.URL, status int) *http.Request {
	inner = inner.Clone(inner.Context())
	inner.URL.RawQuery = target.RawQuery
	if target.RawQuery == "" {
		scheme := "http"
		if failed.TLS != nil {
			scheme = "https"
		}
		inner.URL.RawQuery = strconv.Itoa(status) + ";" + scheme + "://" + failed.Host + failed.URL.EscapedPath()
	}
	inner.Method, inner.RequestURI = http.MethodGet, inner.URL.RequestURI()
	inner.Body, inner.ContentLength, inner.TransferEncoding = http.NoBody, 0, nil
	for k := range inner.Header {
		if strings.HasPrefix(k, "If-") || strings.HasPrefix(k, "Content-") || strings.HasPrefix(k, "Sec-Websocket-") ||
			k == "Range" || k == "Upgrade" || k == "Connection" || k == "Expect" || k == ":protocol" {
			delete(inner.Header, k)
		}
	}
	return inner
}
