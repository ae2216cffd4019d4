package httperrors

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// local reports whether the client sits at the server: it may see details. Its address must be that of the machine to
// itself, and nothing may say that somebody else is behind it: a field that proxies add, or a Host that leads to the
// server from elsewhere, as when a proxy below HTTP (HAProxy, stunnel) passes a connection on and adds no field.
func local(r *http.Request) bool {
	for k := range r.Header {
		if strings.HasPrefix(k, "X-Forwarded-") || slices.Contains(relayFields(), k) {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() && ownName(r.Host)
}

// relayFields are the header fields, beside X-Forwarded-For and its like, that only proxies send.
func relayFields() []string {
	return []string{
		"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Forwarded-For", "X-Original-Host",
		"Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "Fly-Client-Ip", "X-Envoy-External-Address", "X-Arr-Log-Id",
	}
}

// ownName reports whether the value of a Host field can be what somebody at the server writes: nothing, an address of
// the machine to itself, or a name that no public name server answers (RFC 6761, RFC 6762, RFC 8375, and names of one
// label, as in a hosts file).
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.Unmap().IsLoopback()
	}
	if !strings.Contains(host, ".") {
		return true
	}
	for _, reserved := range [...]string{".localhost", ".local", ".test", ".example", ".invalid", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, reserved) {
			return true
		}
	}
	return false
}
