package handshake

import "strings"

// tokenByte reports whether b may stand in a token (RFC 9110, section 5.6.2).
func tokenByte(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	}
	return b != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0
}

// isToken reports whether s is a token.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func trimSpace(s string) string { return strings.Trim(s, " \t") }

// equalFold compares without regard to case, of ASCII letters alone: strings.EqualFold takes U+212A for k and U+017F for
// s, and a party in between would see another word than we do.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// hasToken reports whether one of the comma-separated lists in values holds token, in any case of letters.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if equalFold(trimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// tokens reads lists of tokens. Empty elements are skipped, as RFC 9110, section 5.6.1.2, demands of recipients.
// ok is false when an element is no token, when one occurs twice, or when there is none or more than max.
func tokens(values []string, max int) (list []string, ok bool) {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			t := trimSpace(part)
			if t == "" {
				continue
			}
			if !isToken(t) || len(list) == max {
				return nil, false
			}
			for _, seen := range list {
				if seen == t {
					return nil, false
				}
			}
			list = append(list, t)
		}
	}
	return list, len(list) > 0
}
