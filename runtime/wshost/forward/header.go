package forward

import (
	"net"
	"net/http"
	"strings"
	"sync"
)

// The header fields that tell an application who is in front of it.
const (
	xForwardedFor   = "X-Forwarded-For"
	xForwardedHost  = "X-Forwarded-Host"
	xForwardedProto = "X-Forwarded-Proto"
)

// Forwarded tells in h, the header of a request to an application, what the application cannot see: the client's address
// (added behind what proxies in front have written), the Host field and the scheme that the client used.
func Forwarded(h http.Header, in *http.Request) {
	if client, _, err := net.SplitHostPort(in.RemoteAddr); err == nil {
		if prior := in.Header[xForwardedFor]; len(prior) > 0 {
			client = strings.Join(prior, ", ") + ", " + client
		}
		h.Set(xForwardedFor, client)
	}
	h.Set(xForwardedHost, in.Host)
	h.Set(xForwardedProto, Scheme(in))
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

// removeHop removes the fields that concern one connection only (RFC 9110, section 7.6.1).
func removeHop(h http.Header) {
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
