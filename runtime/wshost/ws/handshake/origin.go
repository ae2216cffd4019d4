package handshake

import (
	"net/http"
	"net/url"
	"strings"
)

// originAllowed is the defence against cross-site WebSocket hijacking (RFC 6455, section 10.2): browsers send cookies
// with a handshake to any host, so a page of another origin must be turned away here. A request without Origin does
// not come from a page and passes.
func originAllowed(r *http.Request, allowed []string) bool {
	values := r.Header["Origin"]
	if len(values) == 0 {
		return true
	}
	origin := values[0]
	for _, a := range allowed {
		if a == "*" || sameOrigin(a, origin) {
			return true
		}
	}
	scheme, host, ok := splitOrigin(origin)
	if !ok || scheme != "https" && (scheme != "http" || r.TLS != nil) {
		return false // an application's own scheme, as app://localhost, is another origin even on the same host
	}
	// A proxy in front may have ended TLS, so the origin's scheme decides which port a bare host means.
	return equalFold(withPort(r.Host, scheme), withPort(host, scheme))
}

// sameOrigin compares an entry of the allow-list with an Origin header. "null" can be allowed by name only.
func sameOrigin(allowed, origin string) bool {
	if allowed == origin {
		return true
	}
	s1, h1, ok1 := splitOrigin(allowed)
	s2, h2, ok2 := splitOrigin(origin)
	return ok1 && ok2 && s1 == s2 && equalFold(withPort(h1, s1), withPort(h2, s2))
}

// splitOrigin reads a serialised origin (RFC 6454, section 6.1): scheme and host with optional port, nothing else.
func splitOrigin(s string) (scheme, host string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme == "" || u.User != nil || u.Opaque != "" ||
		u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(s, "#") {
		return "", "", false
	}
	return strings.ToLower(u.Scheme), u.Host, true
}

// withPort returns host with the default port of scheme when it names none.
func withPort(host, scheme string) string {
	u := url.URL{Host: host}
	if u.Port() != "" {
		return host
	}
	host = strings.TrimSuffix(host, ":")
	switch scheme {
	case "http", "ws":
		return host + ":80"
	case "https", "wss":
		return host + ":443"
	}
	return host
}
