package urlrewrite

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// translate turns a regular expression of ECMAScript (ECMA-262, section 22.2.1) into one of package regexp, which runs in
// linear time. What has no counterpart there, because it cannot run in linear time, is refused by name.
func translate(expr string) (string, error) {
	t := translator{in: expr}
	for t.i < len(t.in) {
		var err error
		switch c := t.in[t.i]; {
		case c == '\\':
			err = t.escape()
		case t.class:
			t.inClass(c)
		case c == '[':
			t.openClass()
		case strings.HasPrefix(t.in[t.i:], "(?"):
			err = t.group()
		default:
			t.keep(1)
		}
		if err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

type translator struct {
	in    string
	i     int
	out   strings.Builder
	class bool // between [ and ]
}

// keep copies n bytes.
func (t *translator) keep(n int) {
	t.out.WriteString(t.in[t.i : t.i+n])
	t.i += n
}

// put replaces n bytes.
func (t *translator) put(s string, n int) {
	t.out.WriteString(s)
	t.i += n
}

func (t *translator) openClass() {
	switch rest := t.in[t.i:]; {
	case strings.HasPrefix(rest, "[^]"): // anything; package regexp would read the bracket as a member
		t.put(`(?s:.)`, 3)
	case strings.HasPrefix(rest, "[]"): // nothing
		t.put(`[^\x00-\x{10FFFF}]`, 2)
	case strings.HasPrefix(rest, "[^"):
		t.class = true
		t.keep(2)
	default:
		t.class = true
		t.keep(1)
	}
}

func (t *translator) inClass(c byte) {
	switch c {
	case ']':
		t.class = false
		t.keep(1)
	case '[': // not the beginning of [:alpha:]
		t.put(`\[`, 1)
	default:
		t.keep(1)
	}
}

// group passes on what both languages have: (?:, (?<name> and (?i).
func (t *translator) group() error {
	rest := t.in[t.i:]
	for _, look := range [...]string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(rest, look) {
			return fmt.Errorf(`it looks around with %q, which is possible here with "(?!" and "(?=" right behind "^" only`, look)
		}
	}
	if strings.HasPrefix(rest, "(?>") {
		return errors.New(`it has an atomic group "(?>", which is not possible here`)
	}
	t.keep(2)
	return nil
}

// escape translates what follows a backslash. Letters that ECMAScript gives no meaning stand for themselves.
func (t *translator) escape() error {
	if t.i+1 == len(t.in) {
		return errors.New("it ends with a backslash")
	}
	switch c := t.in[t.i+1]; {
	case c >= '1' && c <= '9':
		return fmt.Errorf(`it refers back to a group with "\%c", which is not possible here`, c)
	case c == 'k':
		return errors.New(`it refers back to a group with "\k", which is not possible here`)
	case c == '0':
		t.put(`\x00`, 2)
	case c == 's' && t.class:
		t.put(`\s\v\x{A0}`, 2)
	case c == 's':
		t.put(`[\s\v\x{A0}]`, 2)
	case c == 'b' && t.class:
		t.put(`\x08`, 2)
	case c == 'u' && hexDigits(t.in[t.i+2:], 4):
		t.put(`\x{`+t.in[t.i+2:t.i+6]+`}`, 6)
	case c == 'x' && hexDigits(t.in[t.i+2:], 2):
		t.keep(4)
	case c == 'c' && t.i+2 < len(t.in) && isLetter(t.in[t.i+2]):
		t.put(fmt.Sprintf(`\x%02x`, t.in[t.i+2]&0x1f), 3)
	case strings.IndexByte("bBdDfnrSttvwWpP", c) >= 0:
		t.keep(2)
	case isLetter(c):
		t.put(string(c), 2)
	case c >= 0x80:
		t.i++ // the character itself, of several bytes
	default:
		t.keep(2)
	}
	return nil
}

func hexDigits(s string, n int) bool {
	if len(s) < n {
		return false
	}
	_, err := strconv.ParseUint(s[:n], 16, 32)
	return err == nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
