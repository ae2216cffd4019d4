package httplogging

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// record is one request as the log sees it: what the client asked for, taken before any module changed it, and what
// was answered.
type record struct {
	r        *http.Request
	q        *module.Request
	stem     string
	query    string
	computer string
	end      time.Time
}

// field is one column of the log.
type field struct {
	flag  string // name in logExtFileFlags
	token string // name in #Fields
	value func(*record) string
}

// fields returns every column in the order of IIS, which is the order on disk.
func fields() []field {
	header := func(name string) func(*record) string {
		return func(x *record) string { return strings.Join(x.r.Header.Values(name), ", ") }
	}
	number := func(f func(*module.Outcome) int64) func(*record) string {
		return func(x *record) string { return strconv.FormatInt(f(&x.q.Outcome), 10) }
	}
	return []field{
		{"Date", "date", func(x *record) string { return x.end.UTC().Format(time.DateOnly) }},
		{"Time", "time", func(x *record) string { return x.end.UTC().Format(time.TimeOnly) }},
		{"SiteName", "s-sitename", func(x *record) string { return "W3SVC" + strconv.FormatUint(uint64(x.q.SiteID), 10) }},
		{"ComputerName", "s-computername", func(x *record) string { return x.computer }},
		{"ServerIP", "s-ip", func(x *record) string { ip, _ := localAddr(x.r); return ip }},
		{"Method", "cs-method", func(x *record) string { return x.r.Method }},
		{"UriStem", "cs-uri-stem", func(x *record) string { return x.stem }},
		{"UriQuery", "cs-uri-query", func(x *record) string { return x.query }},
		{"ServerPort", "s-port", func(x *record) string { _, port := localAddr(x.r); return port }},
		{"UserName", "cs-username", func(x *record) string { return x.q.User }},
		{"ClientIP", "c-ip", func(x *record) string { return host(x.r.RemoteAddr) }},
		{"ProtocolVersion", "cs-version", func(x *record) string { return x.r.Proto }},
		{"UserAgent", "cs(User-Agent)", header("User-Agent")},
		{"Cookie", "cs(Cookie)", header("Cookie")},
		{"Referer", "cs(Referer)", header("Referer")},
		{"Host", "cs-host", func(x *record) string { return x.r.Host }},
		{"HttpStatus", "sc-status", number(func(o *module.Outcome) int64 { return int64(o.Status) })},
		{"HttpSubStatus", "sc-substatus", number(func(o *module.Outcome) int64 { return int64(o.SubStatus) })},
		{"Win32Status", "sc-win32-status", number(func(o *module.Outcome) int64 { return int64(o.Win32) })},
		{"BytesSent", "sc-bytes", number(func(o *module.Outcome) int64 { return o.BytesSent })},
		{"BytesRecv", "cs-bytes", number(func(o *module.Outcome) int64 { return o.BytesRecv })},
		{"TimeTaken", "time-taken", func(x *record) string { return strconv.FormatInt(x.end.Sub(x.q.Start).Milliseconds(), 10) }},
	}
}

// defaultFlags returns the columns of a site that names none, those of IIS 8.
func defaultFlags() []string {
	return []string{
		"Date", "Time", "ServerIP", "Method", "UriStem", "UriQuery", "ServerPort", "UserName", "ClientIP",
		"UserAgent", "Referer", "HttpStatus", "HttpSubStatus", "Win32Status", "TimeTaken",
	}
}

// choose returns the columns with those flags, in the order of IIS.
func choose(flags []string) []field {
	if len(flags) == 0 {
		flags = defaultFlags()
	}
	var out []field
	for _, f := range fields() {
		if slices.ContainsFunc(flags, func(n string) bool { return strings.EqualFold(n, f.flag) }) {
			out = append(out, f)
		}
	}
	return out
}

// fieldsLine returns the line that names the columns.
func fieldsLine(columns []field) string {
	b := []byte("#Fields:")
	for _, f := range columns {
		b = append(append(b, ' '), f.token...)
	}
	return string(b)
}

// line appends the log line of a request.
func line(b []byte, columns []field, x *record) []byte {
	for i, f := range columns {
		if i > 0 {
			b = append(b, ' ')
		}
		b = appendValue(b, f.value(x), i == 0)
	}
	return append(b, '\n')
}

// appendValue appends a value as the format allows it: "-" for nothing, "+" for a space, and percent-encoding for
// control characters and for bytes that are no UTF-8, so that no client can begin a line of its own or send escape
// sequences to the terminal of who reads the log. A line must not begin with "#", which is for directives.
func appendValue(b []byte, v string, first bool) []byte {
	if v == "" {
		return append(b, '-')
	}
	for i := 0; i < len(v); {
		c, size := utf8.DecodeRuneInString(v[i:])
		switch {
		case c == ' ':
			b = append(b, '+')
		case c < 0x20, c >= 0x7f && c < 0xa0, c == '\u2028', c == '\u2029', c == utf8.RuneError && size == 1, first && i == 0 && c == '#':
			for _, raw := range []byte(v[i : i+size]) {
				const hex = "0123456789ABCDEF"
				b = append(b, '%', hex[raw>>4], hex[raw&15])
			}
		default:
			b = append(b, v[i:i+size]...)
		}
		i += size
	}
	return b
}

func localAddr(r *http.Request) (ip, port string) {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return "", ""
	}
	ip, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return "", ""
	}
	return ip, port
}

// host returns the address without port; a zone stays, for it tells link-local clients apart.
func host(addr string) string {
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return h
}
