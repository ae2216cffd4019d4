package forward

import (
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// The header fields that tell an application who is in front of it.
const (
	xForwardedFor   = "X-Forwarded-For"
	xForwardedHost  = "X-Forwarded-Host"
	xForwardedProto = "X-Forwarded-Proto"
)

// Forwarded tells in h, the header of a request to an application, what the application cannot see: the client's address
// (added behind what proxies in front have written), the Host field and the scheme that the client used. What the
// configuration has set (module.Request.SetFields) stays as it is. The field Forwarded (RFC 7239) of the client goes, for
// it would say something else, and so do fields that gateways such as CGI and WSGI take for one of these.
func Forwarded(h http.Header, in *http.Request) {
	h.Del("Forwarded")
	for name := range h {
		if strings.Contains(name, "_") && reserved(strings.ReplaceAll(name, "_", "-")) {
			delete(h, name)
		}
	}
	if client, _, err := net.SplitHostPort(in.RemoteAddr); err == nil {
		if prior := in.Header[xForwardedFor]; len(prior) > 0 {
			client = strings.Join(prior, ", ") + ", " + client
		}
		tell(h, in, xForwardedFor, client)
	}
	tell(h, in, xForwardedHost, in.Host)
	tell(h, in, xForwardedProto, Scheme(in))
}

// tell sets a field unless the configuration has set it.
func tell(h http.Header, in *http.Request, name, value string) {
	if !module.FromRequest(in).HasSet(name) {
		h.Set(name, value)
		return
	}
	if set, ok := in.Header[name]; ok {
		h[name] = set
	} else {
		h.Del(name)
	}
}

// reserved reports whether a field may only be written by this server, or says where a message ends. A field with
// underscores for hyphens is another one in HTTP, and the same in the variables of CGI (RFC 3875, section 4.1.18).
func reserved(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(name)
	switch name {
	case "Content-Length", "Transfer-Encoding", "Content-Type", "X-Original-Url":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Ms-Aspnetcore-") || strings.HasPrefix(name, "X-Iis-")
}

// Scheme returns "https" or "http": what the client speaks to this server.
func Scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// stripUpgrade makes an ordinary request of one that asks for another protocol.
func stripUpgrade(h http.Header) {
	h.Del("Upgrade")
	h.Del("Connection")
	h.Del("Http2-Settings") // RFC 9113, section 3.1: obsolete, and only with an upgrade
	for name := range h {
		if strings.HasPrefix(name, "Sec-Websocket-") {
			delete(h, name)
		}
	}
}

// RemoveHop removes the fields that concern one connection only (RFC 9110, section 7.6.1).
func RemoveHop(h http.Header) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				h.Del(name)
			}
		}
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade"} {
		h.Del(name)
	}
}

// buffers lends what bodies are copied through.
type buffers struct{ pool sync.Pool }

// bodyBuffer is how many bytes of a body are copied at once.
const bodyBuffer = 32 << 10

// Get lends a buffer.
func (b *buffers) Get() []byte {
	if lent, ok := b.pool.Get().(*[bodyBuffer]byte); ok {
		return lent[:]
	}
	return make([]byte, bodyBuffer)
}

// Put takes it back.
func (b *buffers) Put(lent []byte) { b.pool.Put((*[bodyBuffer]byte)(lent)) }
