package conformance

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// maxMessage bounds what is taken from a peer as one message: more than any case sends.
const maxMessage = 80 << 20

// breachError is a rule that the peer itself broke in what it sent.
type breachError struct{ what string }

func (e *breachError) Error() string { return e.what }

func breach(format string, args ...any) error { return &breachError{fmt.Sprintf(format, args...)} }

// watcher reads what a peer sends and holds it to the rules. The rules are written here a second time, apart from the
// table that the engine uses, so that an error there is seen here.
type watcher struct {
	role     frame.Role // of the judge
	agreed   *agreed
	inflater *inflater
	atWork   func(bool) // told when it begins and ends to work on what has come

	op      frame.Opcode // of the message in the making, 0 for none
	squeeze bool         // it is compressed
	message []byte
	closed  bool
	ping    []byte // payload of the last ping
}

// next reads frames until something has come that matters.
func (w *watcher) next(in io.Reader) (event, error) {
	for {
		h, p, err := w.frame(in)
		if err != nil {
			return event{}, err
		}
		if h.Opcode >= 8 {
			return w.control(h, p)
		}
		if h.Opcode != frame.Continuation {
			w.op, w.squeeze, w.message = h.Opcode, h.RSV == frame.RSV1, nil
		}
		if len(w.message)+len(p) > maxMessage {
			return event{}, breach("message longer than anything that was sent")
		}
		w.message = append(w.message, p...)
		if h.FIN {
			w.atWork(true)
			e, err := w.whole()
			w.atWork(false)
			return e, err
		}
	}
}

// whole ends a message.
func (w *watcher) whole() (event, error) {
	op, p := w.op, w.message
	w.op, w.message = 0, nil
	if w.squeeze {
		var err error
		if p, err = w.inflater.message(p); err != nil {
			return event{}, breach("compressed message: %v", err)
		}
	}
	if op == frame.Text && !utf8.Valid(p) {
		return event{}, breach("text message that is not UTF-8")
	}
	return event{kind: evMessage, op: op}.digest(p), nil
}

func (w *watcher) control(h frame.Header, p []byte) (event, error) {
	switch h.Opcode {
	case frame.Ping:
		w.ping = p
		return event{kind: evPing}.digest(p), nil
	case frame.Pong:
		return event{kind: evPong}.digest(p), nil
	}
	w.closed = true
	e := event{kind: evClose, code: 1005}
	if len(p) == 1 {
		return e, breach("close frame with half a status code")
	}
	if len(p) >= 2 {
		e.code, e.reason = binary.BigEndian.Uint16(p), string(p[2:])
		if !onWire(e.code) {
			return e, breach("close frame with code %d", e.code)
		}
		if !utf8.ValidString(e.reason) {
			return e, breach("close reason that is not UTF-8")
		}
	}
	return e, nil
}

// onWire reports whether a status code may be in a close frame: RFC 6455, section 7.4, and the IANA registry.
func onWire(code uint16) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code < 1000 || code > 1014:
		return false
	}
	return code != 1004 && code != 1005 && code != 1006
}

// frame reads one frame and judges its header.
func (w *watcher) frame(in io.Reader) (frame.Header, []byte, error) {
	var b [frame.MaxHeader]byte
	if _, err := io.ReadFull(in, b[:2]); err != nil {
		return frame.Header{}, nil, err
	}
	n := 2
	switch b[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if b[1]&0x80 != 0 {
		n += 4
	}
	if _, err := io.ReadFull(in, b[2:n]); err != nil {
		return frame.Header{}, nil, err
	}
	h, _ := frame.Parse(b[:n])
	if err := w.judge(h); err != nil {
		return h, nil, err
	}
	p := make([]byte, h.Length)
	if _, err := io.ReadFull(in, p); err != nil {
		return h, nil, err
	}
	if h.Masked {
		mask(h.Key, p)
	}
	return h, p, nil
}

// judge holds a header to RFC 6455, sections 5.1, 5.2, 5.4 and 5.5, and RFC 7692, section 6.
func (w *watcher) judge(h frame.Header) error {
	known := slices.Contains([]frame.Opcode{0, 1, 2, 8, 9, 10}, h.Opcode)
	mayCompress := w.agreed != nil && (h.Opcode == frame.Text || h.Opcode == frame.Binary)
	switch {
	case w.closed:
		return breach("%s after the close frame", opName(h.Opcode))
	case !known:
		return breach("frame with reserved opcode %#x", byte(h.Opcode))
	case h.RSV != 0 && (h.RSV != frame.RSV1 || !mayCompress):
		return breach("%s with RSV %03b", opName(h.Opcode), h.RSV)
	case h.Masked && w.role == frame.Client:
		return breach("masked frame from a server")
	case !h.Masked && w.role == frame.Server:
		return breach("unmasked frame from a client")
	case h.Opcode >= 8 && !h.FIN:
		return breach("fragmented %s", opName(h.Opcode))
	case h.Opcode >= 8 && h.Length > 125:
		return breach("%s of %d bytes", opName(h.Opcode), h.Length)
	case h.Opcode == frame.Continuation && w.op == 0:
		return breach("continuation without a message to continue")
	case (h.Opcode == frame.Text || h.Opcode == frame.Binary) && w.op != 0:
		return breach("%s inside a fragmented message", opName(h.Opcode))
	case h.Extended == 2 && h.Length < 126, h.Extended == 8 && h.Length < 1<<16:
		return breach("length %d in %d bytes", h.Length, h.Extended)
	case h.Length > maxMessage:
		return breach("frame of %d bytes", h.Length)
	}
	return nil
}
