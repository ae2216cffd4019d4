package module

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// Local reports whether the client sits at the server: its address is one of the machine to itself, and no field that
// proxies add says that somebody else is behind it. A proxy that adds no field cannot be told from the client.
func Local(r *http.Request) bool {
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
	return ip != nil && ip.IsLoopback()
}

// relayFields are the header fields, beside X-Forwarded-For and its like, that only proxies send.
func relayFields() []string {
	return []string{
		"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Forwarded-For", "X-Original-Host",
		"Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "Fly-Client-Ip", "X-Envoy-External-Address", "X-Arr-Log-Id",
	}
}
