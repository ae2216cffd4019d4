package load

import (
	"bytes"
	"errors"
	"fmt"
)

// answer reads one HTTP response after the other (RFC 9112), as far as it has to.
type answer struct {
	status  int // that every one must have
	head    []byte
	inBody  bool
	chunked bool
	rest    int64 // of the content, or of the chunk
	body    int64 // content so far
	line    []byte
	last    bool // the last chunk has begun
	whole   bool
}

// reset begins the next response.
func (a *answer) reset() {
	*a = answer{status: a.status, head: a.head[:0], line: a.line[:0]}
}

// take counts content that was read elsewhere.
func (a *answer) take(n int64) {
	a.rest -= n
	a.body += n
	a.whole = a.rest == 0
}

// feed reads bytes of the connection. More than one response at a time was not asked for.
func (a *answer) feed(b []byte) error {
	if !a.inBody {
		a.head = append(a.head, b...)
		end := bytes.Index(a.head, []byte(headEnd))
		if end < 0 {
			return nil
		}
		b = b[len(b)-(len(a.head)-end-len(headEnd)):]
		if err := a.begin(a.head[:end]); err != nil {
			return err
		}
	}
	if !a.chunked {
		if int64(len(b)) > a.rest {
			return fmt.Errorf("%d bytes come after the answer", int64(len(b))-a.rest)
		}
		a.take(int64(len(b)))
		return nil
	}
	return a.chunks(b)
}

// begin looks at the head of a response.
func (a *answer) begin(head []byte) error {
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	if len(line) < 12 || string(line[:9]) != "HTTP/1.1 " || int(line[9]-'0')*100+int(line[10]-'0')*10+int(line[11]-'0') != a.status {
		return fmt.Errorf("the server answers %q, want status %d", line, a.status)
	}
	a.inBody = true
	for len(fields) > 0 {
		var field []byte
		field, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, _ := bytes.Cut(field, []byte(":"))
		switch {
		case a.status == 304: // RFC 9112, section 6.3: never has content, whatever its header says
		case len(name) == 14 && bytes.EqualFold(name, []byte("Content-Length")):
			for _, c := range bytes.TrimSpace(value) {
				a.rest = a.rest*10 + int64(c-'0')
			}
		case len(name) == 17 && bytes.EqualFold(name, []byte("Transfer-Encoding")):
			a.chunked = true
		case len(name) == 10 && bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(bytes.TrimSpace(value), []byte("close")):
			return errors.New("the server closes a connection that is to stay open")
		}
	}
	return nil
}

// chunks reads content in chunks (RFC 9112, section 7.1).
func (a *answer) chunks(b []byte) error {
	for len(b) > 0 {
		if a.whole {
			return fmt.Errorf("%d bytes come after the answer", len(b))
		}
		if a.rest > 0 {
			n := min(a.rest, int64(len(b)))
			a.rest -= n
			a.body += n
			b = b[n:]
			continue
		}
		c := b[0]
		b = b[1:]
		if c != '\n' {
			a.line = append(a.line, c)
			continue
		}
		line, _, _ := bytes.Cut(bytes.TrimSpace(a.line), []byte(";")) // extensions of a chunk mean nothing here
		a.line = a.line[:0]
		switch {
		case a.last && len(line) == 0:
			a.whole = true
		case a.last, len(line) == 0: // a trailer field, the end of a chunk
		default:
			for _, d := range bytes.ToLower(bytes.TrimSpace(line)) {
				i := bytes.IndexByte([]byte("0123456789abcdef"), d)
				if i < 0 {
					return fmt.Errorf("%q is no size of a chunk", line)
				}
				a.rest = a.rest<<4 + int64(i)
			}
			a.last = a.rest == 0
		}
	}
	return nil
}
