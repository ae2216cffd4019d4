package wshost

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// cleanURL returns r with a path that means the same to everybody who sees it: decoded exactly once, absolute, without
// dot segments and doubled slashes (RFC 3986, section 6.2.2.3). A trailing slash is kept. What has no safe meaning is
// refused: control characters (NUL among them), a backslash, which Windows reads as a slash, and a path that climbs
// above the root. An encoded slash is a slash, as it is for HTTP.sys; dots at the end of a name are part of the name.
// r.RequestURI keeps what the client wrote.
func cleanURL(r *http.Request) (*http.Request, *module.HTTPError) {
	p := r.URL.Path
	if r.Method == http.MethodOptions && p == "*" {
		return r, nil // RFC 9110, section 9.3.7: the server as a whole
	}
	if r.Method == http.MethodConnect && p == "" {
		return r, &module.HTTPError{Status: http.StatusMethodNotAllowed, Summary: "this server is not a proxy for CONNECT"}
	}
	if p == "" && r.URL.IsAbs() {
		p = "/" // RFC 9112, section 3.2.2: the absolute form may leave the path out
	}
	if !strings.HasPrefix(p, "/") {
		return r, badURL("the request target is not an absolute path")
	}
	for i := range len(p) {
		switch c := p[i]; {
		case c < 0x20 || c == 0x7f:
			return r, badURL("the URL contains a control character")
		case c == '\\':
			return r, badURL("the URL contains a backslash")
		}
	}
	if climbs(p) {
		return r, badURL("the URL climbs above the root of the site")
	}
	clean := path.Clean(p)
	if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
		clean += "/"
	}
	if clean == r.URL.Path {
		return r, nil
	}
	u := new(url.URL)
	*u = *r.URL
	u.Path, u.RawPath = clean, ""
	r2 := new(http.Request)
	*r2 = *r
	r2.URL = u
	return r2, nil
}

// climbs reports whether the dot segments of p lead above its root at any point.
func climbs(p string) bool {
	depth := 0
	for seg := range strings.SplitSeq(p, "/") {
		switch seg {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

func badURL(summary string) *module.HTTPError {
	return &module.HTTPError{Status: http.StatusBadRequest, Summary: summary}
}

// segments counts the segments of a clean path, as sites/site/limits maxUrlSegments does.
func segments(p string) uint32 {
	if p == "/" {
		return 0
	}
	return uint32(strings.Count(strings.TrimSuffix(p, "/"), "/"))
}
