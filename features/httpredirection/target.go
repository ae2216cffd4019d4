package httpredirection

import (
	"net/url"
	"strings"
)

// request is what a destination can be made of, as it is written in a URL: escaped, and without control characters.
type request struct {
	path   string // decoded
	suffix string // decoded: what follows the URL that the section is written for
	query  string // raw, without its question mark
}

// noRedirect as a destination excepts what it stands for.
const noRedirect = "!"

// target returns where the section sends the request, false when it is to be served here.
func (c *redirectConfig) target(q request) (string, bool) {
	if c.ChildOnly && strings.Contains(strings.Trim(q.suffix, "/"), "/") {
		return "", false // IIS Manager: "only content in this directory (not subdirectories)"
	}
	for _, w := range c.Wildcards {
		captured, ok := match(w.Pattern, q.suffix)
		if !ok {
			continue
		}
		if w.Destination == noRedirect {
			return "", false
		}
		t, _ := expand(w.Destination, q, captured)
		return printable(t), true
	}
	if c.Destination == "" || c.Destination == noRedirect {
		return "", false
	}
	t, variables := expand(c.Destination, q, nil)
	if !c.Exact && !variables {
		t = join(t, escape(q.suffix))
		if q.query != "" && !strings.Contains(t, "?") {
			t += "?" + q.query
		}
	}
	return printable(t), true
}

// join appends a suffix to a destination, before the query and the fragment that it may have.
func join(destination, suffix string) string {
	if suffix == "" {
		return destination
	}
	end := len(destination)
	if i := strings.IndexAny(destination, "?#"); i >= 0 {
		end = i
	}
	base, rest := strings.TrimSuffix(destination[:end], "/"), destination[end:]
	return base + "/" + strings.TrimLeft(suffix, "/") + rest
}

// expand replaces the variables of a destination and reports whether there were any: $V the path, $S the suffix, $F the
// file name, $P the query, $Q the query with its question mark, $0 to $9 what the stars of a wildcard stand for. A dollar
// sign before anything else stands for itself.
func expand(destination string, q request, captured []string) (string, bool) {
	var b strings.Builder
	found := false
	for i := 0; i < len(destination); i++ {
		if destination[i] != '$' || i+1 == len(destination) {
			b.WriteByte(destination[i])
			continue
		}
		v, ok := q.variable(destination[i+1], captured)
		if !ok {
			b.WriteByte('$')
			continue
		}
		found = true
		i++
		// What a client sends never names another host: at the beginning it is a path of this server, and two slashes
		// in a row, which are read as the beginning of a host, are not written.
		if b.Len() == 0 && v != "" && v[0] != '?' {
			v = "/" + strings.TrimLeft(v, "/")
		} else if strings.HasSuffix(b.String(), "/") {
			v = strings.TrimLeft(v, "/")
		}
		b.WriteString(v)
	}
	return b.String(), found
}

// variable returns the value of a variable, false when there is none of that name.
func (q request) variable(name byte, captured []string) (string, bool) {
	switch {
	case name == 'V' || name == 'v':
		return escape(q.path), true
	case name == 'S' || name == 's':
		return escape(q.suffix), true
	case name == 'F' || name == 'f':
		return escape(q.path[strings.LastIndexByte(q.path, '/')+1:]), true
	case name == 'P' || name == 'p':
		return q.query, true
	case name == 'Q' || name == 'q':
		if q.query == "" {
			return "", true
		}
		return "?" + q.query, true
	case name >= '0' && name <= '9' && captured != nil:
		if i := int(name - '0'); i < len(captured) {
			return escape(captured[i]), true
		}
		return "", true
	}
	return "", false
}

// escape writes a decoded path, or a part of one, so that it is the same path again.
func escape(p string) string {
	return (&url.URL{Path: p}).EscapedPath()
}

// printable escapes what is not to stand in a URL, whatever it came from: nothing that a client sends can end the header
// field, or the address in the page.
func printable(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			b.WriteString("%" + string(digits[c>>4]) + string(digits[c&15]))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// match matches a wildcard with a suffix, with the slash at its beginning or without, and returns what its stars stand
// for. A star takes as little as it can.
func match(pattern, suffix string) ([]string, bool) {
	if captured, ok := glob(pattern, suffix); ok {
		return captured, true
	}
	if trimmed := strings.TrimPrefix(suffix, "/"); trimmed != suffix {
		return glob(pattern, trimmed)
	}
	return nil, false
}

// glob matches the whole of s in any case: part by part between the stars, the last one at the end. No pattern takes
// more than len(pattern) times len(s) steps.
func glob(pattern, s string) ([]string, bool) {
	parts := strings.Split(pattern, "*")
	if len(s) < len(parts[0]) || !strings.EqualFold(s[:len(parts[0])], parts[0]) {
		return nil, false
	}
	s = s[len(parts[0]):]
	captured := []string{}
	if len(parts) == 1 {
		return captured, s == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := indexFold(s, part)
		if i < 0 {
			return nil, false
		}
		captured = append(captured, s[:i])
		s = s[i+len(part):]
	}
	last := parts[len(parts)-1]
	if len(s) < len(last) || !strings.EqualFold(s[len(s)-len(last):], last) {
		return nil, false
	}
	return append(captured, s[:len(s)-len(last)]), true
}

func indexFold(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}
