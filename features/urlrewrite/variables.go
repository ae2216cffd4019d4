package urlrewrite

import (
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// isPathVariable reports whether a variable holds the decoded path of the URL as it is now.
func isPathVariable(name string) bool {
	switch name {
	case "URL", "PATH_INFO", "SCRIPT_NAME", "URL_PATH_INFO":
		return true
	}
	return false
}

// variable returns the value of a server variable, whose name is in upper case; "" when there is none of this name.
func (s *subject) variable(name string) string {
	if v, ok := s.set[name]; ok {
		return v
	}
	if v, ok := s.urlVariable(name); ok {
		return v
	}
	if v, ok := s.connectionVariable(name); ok {
		return v
	}
	if field, ok := strings.CutPrefix(name, "HTTP_"); ok {
		return s.field(field)
	}
	if field, ok := strings.CutPrefix(name, "RESPONSE_"); ok && s.response != nil {
		if field == "STATUS" {
			return strconv.Itoa(s.response.status)
		}
		return strings.Join(s.response.header.Values(fieldName(field)), ", ")
	}
	return ""
}

// fieldName returns the header field of a variable: FOO_BAR is Foo-Bar.
func fieldName(variable string) string {
	return http.CanonicalHeaderKey(strings.ReplaceAll(variable, "_", "-"))
}

// field returns the value of a header field of the request, named as a variable without its HTTP_.
func (s *subject) field(variable string) string {
	switch variable {
	case "HOST":
		return s.r.Host
	case "URL":
		return s.unencoded()
	case "METHOD":
		return s.r.Method
	case "VERSION":
		return s.r.Proto
	case "COOKIE":
		return strings.Join(s.r.Header["Cookie"], "; ") // RFC 9113, section 8.2.3
	}
	return strings.Join(s.r.Header.Values(fieldName(variable)), ", ")
}

// unencoded returns the path and query string exactly as the client wrote them.
func (s *subject) unencoded() string {
	if strings.HasPrefix(s.r.RequestURI, "/") {
		return s.r.RequestURI
	}
	return s.original // of the absolute form, or of no request line at all
}

func (s *subject) urlVariable(name string) (string, bool) {
	if isPathVariable(name) {
		return s.path, true
	}
	switch name {
	case "REQUEST_FILENAME", "SCRIPT_FILENAME", "PATH_TRANSLATED", "SCRIPT_TRANSLATED":
		return s.physical(), true
	case "QUERY_STRING":
		return s.query, true
	case "REQUEST_URI":
		return s.original, true
	case "UNENCODED_URL":
		return s.unencoded(), true
	case "CACHE_URL":
		host, port := s.server()
		return s.scheme() + "://" + net.JoinHostPort(host, port) + joinQuery(s.path, s.query), true
	case "DOCUMENT_ROOT":
		return s.q.Files.Physical("/"), true
	case "APPL_PHYSICAL_PATH":
		return strings.TrimSuffix(s.q.Files.Physical("/"), "/") + "/", true
	}
	return "", false
}

func (s *subject) connectionVariable(name string) (string, bool) {
	switch name {
	case "REQUEST_METHOD":
		return s.r.Method, true
	case "SERVER_PROTOCOL":
		return s.r.Proto, true
	case "GATEWAY_INTERFACE":
		return "CGI/1.1", true
	case "CONTENT_TYPE":
		return s.r.Header.Get("Content-Type"), true
	case "CONTENT_LENGTH":
		return strconv.FormatInt(max(s.r.ContentLength, 0), 10), true
	case "HTTPS":
		if s.r.TLS != nil {
			return "on", true
		}
		return "off", true
	case "SERVER_PORT_SECURE":
		if s.r.TLS != nil {
			return "1", true
		}
		return "0", true
	case "SERVER_NAME":
		host, _ := s.server()
		return host, true
	case "SERVER_PORT":
		_, port := s.server()
		return port, true
	case "REMOTE_ADDR", "REMOTE_HOST":
		host, _, _ := net.SplitHostPort(s.r.RemoteAddr)
		return host, true
	case "REMOTE_PORT":
		_, port, _ := net.SplitHostPort(s.r.RemoteAddr)
		return port, true
	case "LOCAL_ADDR":
		if a, ok := s.r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			host, _, _ := net.SplitHostPort(a.String())
			return host, true
		}
		return "", true
	case "AUTH_USER", "REMOTE_USER", "LOGON_USER":
		return s.q.User, true
	case "INSTANCE_ID":
		return strconv.FormatUint(uint64(s.q.SiteID), 10), true
	}
	return "", false
}

func (s *subject) scheme() string {
	if s.r.TLS != nil {
		return "https"
	}
	return "http"
}

// server returns the host name of the request without its port, and the port that it came in at.
func (s *subject) server() (host, port string) {
	host, port, err := net.SplitHostPort(s.r.Host)
	if err != nil {
		host, port = strings.Trim(s.r.Host, "[]"), ""
	}
	if a, ok := s.r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, local, err := net.SplitHostPort(a.String()); err == nil {
			return host, local
		}
	}
	if port == "" {
		if port = "80"; s.r.TLS != nil {
			port = "443"
		}
	}
	return host, port
}

// setVariable gives a server variable a value. A name that begins with HTTP_ is a field of the request's header; an
// empty value takes it out. Others are seen by later rules.
func (s *subject) setVariable(name, value string, replace bool) {
	name = strings.ToUpper(name)
	value = fieldValue(value)
	if !replace && s.variable(name) != "" {
		return
	}
	field, isField := strings.CutPrefix(name, "HTTP_")
	if name == "CONTENT_TYPE" {
		field, isField = "CONTENT_TYPE", true
	}
	switch {
	case !isField:
		if s.set == nil {
			s.set = map[string]string{}
		}
		s.set[name] = value
	case field == "HOST":
		s.own()
		s.r.Host = value
		s.q.SetFields = append(s.q.SetFields, "Host")
	case value == "":
		s.ownHeader().Del(fieldName(field))
		s.q.SetFields = append(s.q.SetFields, textproto.CanonicalMIMEHeaderKey(fieldName(field)))
	case validField(fieldName(field)):
		s.ownHeader().Set(fieldName(field), value)
		s.q.SetFields = append(s.q.SetFields, textproto.CanonicalMIMEHeaderKey(fieldName(field)))
	}
}

// validField reports whether name can be a field of a header (RFC 9110, section 5.1).
func validField(name string) bool {
	if name == "" {
		return false
	}
	return !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}
