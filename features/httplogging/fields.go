package httplogging

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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
	stamp    *stamp
}

// stamp is the text of a moment, which all lines of a second share.
type stamp struct {
	second     int64
	date, time string
}

// at returns the text of a moment; last keeps it for the next line.
func at(last *atomic.Pointer[stamp], t time.Time) *stamp {
	second := t.Unix()
	if s := last.Load(); s != nil && s.second == second {
		return s
	}
	t = t.UTC()
	s := &stamp{second, t.Format(time.DateOnly), t.Format(time.TimeOnly)}
	last.Store(s)
	return s
}

// field is one column of the log.
type field struct {
	flag  string // name in logExtFileFlags
	token string // name in #Fields
	value column
}

// column appends its value of a request. Lines are written while others wait for the file, and so without garbage.
type column func(b []byte, x *record) []byte

// words is a column of text that a client may have chosen.
func words(f func(*record) string) column {
	return func(b []byte, x *record) []byte { return appendValue(b, f(x), false) }
}

// number is a column of digits.
func number(f func(*record) int64) column {
	return func(b []byte, x *record) []byte { return strconv.AppendInt(b, f(x), 10) }
}

// header is the column of a field of the request's header.
func header(name string) column {
	return func(b []byte, x *record) []byte {
		values := x.r.Header[name]
		if len(values) == 1 {
			return appendValue(b, values[0], false)
		}
		return appendValue(b, strings.Join(values, ", "), false)
	}
}

// keep returns what the columns want of a request, and nothing else: a WebSocket's line is written when it ends, and until
// then the whole request would be held, with its header and what net/http has with it.
func keep(r *http.Request, columns []field) *http.Request {
	ctx := context.Background()
	if addr := r.Context().Value(http.LocalAddrContextKey); addr != nil {
		ctx = context.WithValue(ctx, http.LocalAddrContextKey, addr)
	}
	kept := (&http.Request{}).WithContext(ctx)
	kept.Method, kept.Proto, kept.Host, kept.RemoteAddr = r.Method, r.Proto, strings.Clone(r.Host), r.RemoteAddr
	for _, f := range columns {
		name, ok := map[string]string{"UserAgent": "User-Agent", "Cookie": "Cookie", "Referer": "Referer"}[f.flag]
		if values := r.Header[name]; ok && len(values) > 0 {
			if kept.Header == nil {
				kept.Header = http.Header{}
			}
			for _, v := range values { // all values of a header share their memory
				kept.Header[name] = append(kept.Header[name], strings.Clone(v))
			}
		}
	}
	return kept
}

// fields returns every column in the order of IIS, which is the order on disk.
func fields() []field {
	return []field{
		{"Date", "date", func(b []byte, x *record) []byte { return append(b, x.stamp.date...) }},
		{"Time", "time", func(b []byte, x *record) []byte { return append(b, x.stamp.time...) }},
		{"SiteName", "s-sitename", func(b []byte, x *record) []byte {
			return strconv.AppendUint(append(b, "W3SVC"...), uint64(x.q.SiteID), 10)
		}},
		{"ComputerName", "s-computername", words(func(x *record) string { return x.computer })},
		{"ServerIP", "s-ip", serverIP},
		{"Method", "cs-method", words(func(x *record) string { return x.r.Method })},
		{"UriStem", "cs-uri-stem", words(func(x *record) string { return x.stem })},
		{"UriQuery", "cs-uri-query", words(func(x *record) string { return x.query })},
		{"ServerPort", "s-port", serverPort},
		{"UserName", "cs-username", words(func(x *record) string { return x.q.User })},
		{"ClientIP", "c-ip", words(func(x *record) string { return host(x.r.RemoteAddr) })},
		{"ProtocolVersion", "cs-version", words(func(x *record) string { return x.r.Proto })},
		{"UserAgent", "cs(User-Agent)", header("User-Agent")},
		{"Cookie", "cs(Cookie)", header("Cookie")},
		{"Referer", "cs(Referer)", header("Referer")},
		{"Host", "cs-host", words(func(x *record) string { return x.r.Host })},
		{"HttpStatus", "sc-status", number(func(x *record) int64 { return int64(x.q.Outcome.Status) })},
		{"HttpSubStatus", "sc-substatus", number(func(x *record) int64 { return int64(x.q.Outcome.SubStatus) })},
		{"Win32Status", "sc-win32-status", number(func(x *record) int64 { return int64(x.q.Outcome.Win32) })},
		{"BytesSent", "sc-bytes", number(func(x *record) int64 { return x.q.Outcome.BytesSent })},
		{"BytesRecv", "cs-bytes", number(func(x *record) int64 { return x.q.Outcome.BytesRecv })},
		{"TimeTaken", "time-taken", number(func(x *record) int64 { return x.end.Sub(x.q.Start).Milliseconds() })},
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
		start := len(b)
		b = f.value(b, x)
		if i == 0 && b[start] == '#' { // the line would be a directive
			b = append(b[:start], "%23"+string(b[start+1:])...)
		}
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

// serverIP is the column of the address that the request came in at; a zone stays.
func serverIP(b []byte, x *record) []byte {
	switch a := x.r.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.TCPAddr:
		if ip := a.AddrPort().Addr().Unmap(); ip.IsValid() {
			return ip.AppendTo(b)
		}
	case net.Addr:
		return appendValue(b, host(a.String()), false)
	}
	return append(b, '-')
}

// serverPort is the column of the port that the request came in at.
func serverPort(b []byte, x *record) []byte {
	switch a := x.r.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.TCPAddr:
		return strconv.AppendInt(b, int64(a.Port), 10)
	case net.Addr:
		if _, port, err := net.SplitHostPort(a.String()); err == nil {
			return appendValue(b, port, false)
		}
	}
	return append(b, '-')
}

// host returns the address without port; a zone stays, for it tells link-local clients apart.
func host(addr string) string {
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return h
}
