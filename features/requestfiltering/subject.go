package requestfiltering

import (
	"net/http"
	"path"
	"strings"
)

// subject is a request as the filter looks at it: as it was written, and as it will be understood.
type subject struct {
	method    string
	raw       string // path as written
	once      string // raw, unescaped once
	clean     string // path that the other modules see
	query     string // as written
	length    int64
	header    http.Header
	host      string
	extension string // of the last segment, in lower case with its dot; "." for none
}

func newSubject(r *http.Request) *subject {
	s := &subject{
		method: r.Method, raw: r.URL.EscapedPath(), clean: r.URL.Path, query: r.URL.RawQuery,
		length: r.ContentLength, header: r.Header, host: r.Host,
	}
	target, _, _ := strings.Cut(r.RequestURI, "?")
	if _, rest, absolute := strings.Cut(target, "://"); absolute && !strings.HasPrefix(target, "/") {
		target = rest[max(0, strings.IndexByte(rest, '/')):] // RFC 9112, section 3.2.2
	}
	if strings.HasPrefix(target, "/") {
		s.raw = target
	}
	s.once = unescape(s.raw)
	if s.extension = strings.ToLower(path.Ext(s.clean)); s.extension == "" {
		s.extension = "."
	}
	return s
}

// values returns the values of a header field. net/http keeps Host beside the others.
func (s *subject) values(field string) []string {
	if strings.EqualFold(field, "Host") {
		return []string{s.host}
	}
	return s.header.Values(field)
}

// unescape replaces every %XX and leaves what is not one as it is.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if i+2 < len(s) && s[i] == '%' {
			hi, ok1 := hex(s[i+1])
			lo, ok2 := hex(s[i+2])
			if ok1 && ok2 {
				b = append(b, hi<<4|lo)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// barePercent reports whether s holds a percent sign that begins no %XX.
func barePercent(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if i+2 >= len(s) {
			return true
		}
		_, ok1 := hex(s[i+1])
		_, ok2 := hex(s[i+2])
		if !ok1 || !ok2 {
			return true
		}
		i += 2
	}
	return false
}

func hex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// containsFold reports whether s contains part, in any case.
func containsFold(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}
