package httperrors

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// local reports whether the client may see details: it sits at the server, and its Host does not lead to the server from
// elsewhere, as when a proxy below HTTP (HAProxy, stunnel) passes a connection on and adds no field.
func local(r *http.Request) bool { return module.Local(r) && ownName(r.Host) }

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
