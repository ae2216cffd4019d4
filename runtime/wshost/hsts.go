package wshost

import (
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// redirectKey carries the URL that a request over http is sent to through the log stage to the gate.
type redirectKey struct{}

// hstsValue is the header field Strict-Transport-Security of a site, "" for none (RFC 6797, section 6.1).
func hstsValue(h config.HSTS) string {
	if !h.Enabled {
		return ""
	}
	v := "max-age=" + strconv.FormatUint(uint64(h.MaxAge), 10)
	if h.IncludeSubDomains {
		v += "; includeSubDomains"
	}
	if h.Preload {
		v += "; preload"
	}
	return v
}

// httpsURL returns where a request over http is sent to (redirectHttpToHttps of <hsts>); "" when it stays. IIS always
// sends to port 443; a site that has https elsewhere only is reached there.
func (s *site) httpsURL(r *http.Request) string {
	host := requestHost(r.Host)
	if !s.HSTS.Redirect || r.TLS != nil || host == "" {
		return ""
	}
	port := 0
	for _, b := range s.Bindings {
		if b.Protocol == "https" && (port == 0 || b.Port == 443) {
			port = b.Port
		}
	}
	uri := r.RequestURI
	if !strings.HasPrefix(uri, "/") {
		uri = "/" // OPTIONS *
	}
	if port != 443 && port != 0 {
		host = net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port))
	}
	return "https://" + host + uri
}
