package reverseproxy

import (
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

const (
	xForwardedFor = "X-Forwarded-For"
	maxForwards   = "Max-Forwards"
)

// forwards returns what Max-Forwards says to the next server (RFC 9110, section 7.6.2, for every method as ARR does it), or
// refuses a request that has been passed on too often: a rule that leads back to this server would go round for ever.
func forwards(r *http.Request, conf *proxyConfig) (int, *module.HTTPError) {
	limit := int(conf.MaxForwards)
	v := r.Header.Get(maxForwards)
	if v == "" {
		return limit, nil
	}
	n, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return limit, nil
	}
	if n == 0 {
		return 0, &module.HTTPError{
			Status: http.StatusBadRequest, SubStatus: 605, Module: name,
			Summary: "the request was passed on from server to server too often",
			Hint:    "a rewrite rule leads back to this server, or maxForwards of <proxy> is too low",
		}
	}
	return min(int(n)-1, limit), nil
}

// sending makes the request to the other server what the configuration says.
func sending(out, in *http.Request) {
	a, q := attemptOf(in), module.FromRequest(in)
	out.URL.Path, out.URL.RawPath, out.URL.RawQuery = a.url.Path, a.url.RawPath, a.url.RawQuery
	switch {
	case a.conf.PreserveHost || q.HasSet("Host"):
		out.Host = in.Host
	case a.server != nil:
		out.Host = a.server.host(a.url.Scheme)
	default:
		out.Host = a.host
	}
	if !q.HasSet(xForwardedFor) {
		out.Header.Del(xForwardedFor)
	}
	if field := textproto.CanonicalMIMEHeaderKey(a.conf.ForwardedFor); field != "" && !q.HasSet(field) {
		out.Header.Set(field, strings.Join(slices.Concat(in.Header[field], []string{client(in, a.conf)}), ", "))
	}
	out.Header.Set(maxForwards, strconv.Itoa(a.max))
}

// client is the address of the client as the configuration wants it told.
func client(in *http.Request, conf *proxyConfig) string {
	if conf.ForwardedPort {
		return in.RemoteAddr
	}
	host, _, err := net.SplitHostPort(in.RemoteAddr)
	if err != nil {
		return in.RemoteAddr
	}
	return host
}

// answered changes the answer of the other server for the client.
func answered(resp *http.Response) error {
	a := attemptOf(resp.Request)
	if a == nil {
		return nil
	}
	if a.conf.ReverseHost && a.client.Host != "" {
		for _, field := range []string{"Location", "Content-Location"} {
			if v := resp.Header.Get(field); v != "" {
				resp.Header.Set(field, a.backHere(v))
			}
		}
		for i, c := range resp.Header["Set-Cookie"] {
			resp.Header["Set-Cookie"][i] = a.cookieHere(c)
		}
	}
	if a.server != nil {
		a.server.answered()
		if c := a.farm.cookie(a); c != "" {
			resp.Header.Add("Set-Cookie", c)
		}
	}
	return nil
}

// backHere makes a URL that names the other server one of this server.
func (a *attempt) backHere(written string) string {
	u, err := url.Parse(written)
	if err != nil || u.Host == "" || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || !a.isThere(u.Scheme, u.Host) {
		return written
	}
	if u.Scheme != "" {
		u.Scheme = forward.Scheme(a.client)
	}
	u.Host = a.client.Host
	return u.String()
}

// isThere reports whether a host, with its port, is the other server.
func (a *attempt) isThere(scheme, host string) bool {
	if scheme == "" {
		scheme = a.url.Scheme
	}
	host = withPort(scheme, host)
	if strings.EqualFold(host, withPort(a.url.Scheme, a.url.Host)) {
		return true
	}
	return a.server != nil && (strings.EqualFold(host, a.server.line("http")) || strings.EqualFold(host, a.server.line("https")))
}

// withPort adds the port of the scheme where none is written.
func withPort(scheme, host string) string {
	if u := (&url.URL{Host: host}); u.Port() == "" {
		port := "80"
		if scheme == "https" {
			port = "443"
		}
		return net.JoinHostPort(u.Hostname(), port)
	}
	return host
}

// cookieHere takes the domain out of a cookie that is meant for the other server: browsers would drop it. It then is for
// the host that the browser asked (RFC 6265, section 5.3).
func (a *attempt) cookieHere(written string) string {
	parts := strings.Split(written, ";")
	kept := parts[:1]
	for _, p := range parts[1:] {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		domain := strings.TrimPrefix(strings.TrimSpace(v), ".")
		if strings.EqualFold(k, "Domain") && (strings.EqualFold(domain, a.url.Hostname()) || a.server != nil && strings.EqualFold(domain, a.server.Address)) {
			continue
		}
		kept = append(kept, p)
	}
	return strings.Join(kept, ";")
}
