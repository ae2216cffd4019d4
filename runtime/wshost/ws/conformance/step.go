package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// errStop ends a script early: the subject has ended the connection, or the line is gone.
var errStop = errors.New("the connection has ended")

// step is one thing that a script does.
type step interface {
	do(s *session) error
	String() string
}

// masking of a frame that is sent.
type masks uint8

const (
	maskAsDue  masks = 0 // as the role of the judge demands
	maskWrong  masks = 1 // the opposite
	maskZero   masks = 2 // as due, with a key of zeros
	maskLetter masks = 3 // as due, with the key 'a', 'b', 'c', 'd'
)

// fr is a frame as it is sent, legal or not.
type fr struct {
	more bool // FIN is not set
	rsv  byte
	op   frame.Opcode
	body body
	mask masks
	form int    // bytes of extended length: 0 for the fewest, else 2 or 8
	says uint64 // declared length when it is not the payload's
}

func (f fr) String() string {
	var b strings.Builder
	if f.more {
		b.WriteString("unfinished ")
	}
	b.WriteString(opName(f.op))
	if f.rsv != 0 {
		fmt.Fprintf(&b, " with RSV %03b", f.rsv)
	}
	switch f.mask {
	case maskWrong:
		b.WriteString(", masked where it must not be or the other way round")
	case maskZero:
		b.WriteString(", masking key zero")
	case maskLetter:
		b.WriteString(", masking key \"abcd\"")
	}
	if f.form != 0 {
		fmt.Fprintf(&b, ", length in %d bytes", f.form)
	}
	if f.says != 0 {
		fmt.Fprintf(&b, ", declared length %d", f.says)
	}
	if f.body.make != nil {
		b.WriteString(": " + f.body.about)
	}
	return b.String()
}

// encode writes the frame. It has its own encoder: the engine's can only write what is legal.
func (f fr) encode(s *session) []byte {
	p := f.body.bytes()
	n := f.says
	if n == 0 {
		n = uint64(len(p))
	}
	b := make([]byte, 0, len(p)+frame.MaxHeader)
	first := f.rsv<<4 | byte(f.op)
	if !f.more {
		first |= 0x80
	}
	b = append(b, first)
	switch {
	case f.form == 8 || f.form == 0 && n > 0xffff:
		b = binary.BigEndian.AppendUint64(append(b, 127), n)
	case f.form == 2 || f.form == 0 && n > 125:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = append(b, byte(n))
	}
	if (s.role == frame.Client) == (f.mask == maskWrong) {
		return append(b, p...)
	}
	b[1] |= 0x80
	var key [4]byte
	switch f.mask {
	case maskZero:
	case maskLetter:
		key = [4]byte{'a', 'b', 'c', 'd'}
	default:
		binary.LittleEndian.PutUint32(key[:], s.keys.Uint32())
	}
	b = append(append(b, key[:]...), p...)
	mask(key, b[len(b)-len(p):])
	return b
}

// mask applies RFC 6455, section 5.3. The engine's own way of doing it is under test.
func mask(key [4]byte, p []byte) {
	k := uint64(binary.LittleEndian.Uint32(key[:]))
	k |= k << 32
	i := 0
	for ; i+8 <= len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], binary.LittleEndian.Uint64(p[i:])^k)
	}
	for ; i < len(p); i++ {
		p[i] ^= key[i&3]
	}
}

// send sends frames as one stretch of bytes, cut into chops: each chop is one write, and one packet where the system
// does as it is told.
type send struct {
	chop   int // bytes of one write; 0 for all at once
	frames []fr
}

func (st send) do(s *session) error {
	var b []byte
	for _, f := range st.frames {
		b = append(b, f.encode(s)...)
		s.sentClose = s.sentClose || f.op == frame.Close
	}
	return s.write(b, st.chop)
}

func (st send) String() string {
	shown := st.frames
	if len(shown) > 6 {
		shown = shown[:3]
	}
	var names []string
	for _, f := range shown {
		names = append(names, f.String())
	}
	how := ""
	switch {
	case st.chop == 1:
		how = " (byte by byte)"
	case st.chop > 1:
		how = fmt.Sprintf(" (in chops of %s)", size(st.chop))
	case len(st.frames) > 1:
		how = " (in one write)"
	}
	if len(shown) < len(st.frames) {
		names = append(names, fmt.Sprintf("... %d frames in all", len(st.frames)))
	}
	return "send " + strings.Join(names, " | ") + how
}

// flood sends so many frames in one write; they are made when they are needed.
type flood struct {
	n     int
	frame func(i int) fr
}

func (f flood) do(s *session) error {
	var b []byte
	for i := range f.n {
		b = append(b, f.frame(i).encode(s)...)
	}
	return s.write(b, 0)
}

func (f flood) String() string {
	return fmt.Sprintf("send %v | %v | %v | ... %d frames in all (in one write)", f.frame(0), f.frame(1), f.frame(2), f.n)
}

// one sends each frame in a write of its own.
func one(frames ...fr) []step {
	var out []step
	for _, f := range frames {
		out = append(out, send{frames: []fr{f}})
	}
	return out
}

// split sends a frame up to a byte of its payload, holds its breath, and sends the rest only when nothing happens.
type split struct {
	frame fr
	at    int // bytes of the payload before the pause
}

func (st split) do(s *session) error {
	b := st.frame.encode(s)
	head := len(b) - len(st.frame.body.bytes())
	s.mid = true
	if err := s.write(b[:head+st.at], 0); err != nil {
		return err
	}
	if err := (hold{}).do(s); err != nil {
		return err
	}
	err := s.write(b[head+st.at:], 0)
	s.mid = false
	return err
}

func (st split) String() string {
	return fmt.Sprintf("send %s, stopping after %s of the payload until the peer ends the connection; only if it does not, send the rest",
		st.frame, size(st.at))
}

// hold waits for the end of the connection, for as long as the judge is patient. It leaves a mark when none comes.
type hold struct{}

func (hold) do(s *session) error {
	if s.wait(s.pace.patience, func(e event) bool { return e.ends() }) {
		return errStop
	}
	s.note(event{kind: evHeld})
	return nil
}

func (hold) String() string { return "wait for the end of the connection, for a moment" }

// drop ends the line without a closing handshake.
type drop struct{}

func (drop) do(s *session) error {
	s.conn.Close()
	return errStop
}

func (drop) String() string { return "cut the line" }

// settle waits for the end of the connection for as long as four pauses, then closes it in the ordinary way, so that a
// peer that took no notice is found out without waiting for the deadline.
type settle struct{}

func (settle) do(s *session) error {
	if s.wait(4*s.pace.patience, func(e event) bool { return e.ends() }) {
		return errStop
	}
	return closeWith(1000).do(s)
}

func (settle) String() string {
	return "wait for the end of the connection; only if it does not come, send close 1000"
}

// await waits until that many answers have come.
type await struct{ n int }

func (st await) do(s *session) error {
	if st.n == 0 {
		return nil
	}
	n := 0
	if s.await(func(e event) bool {
		if e.answer() {
			n++
		}
		return n >= st.n || e.ends()
	}) {
		return nil
	}
	return errStop
}

func (st await) String() string {
	if st.n == 1 {
		return "wait for 1 answer"
	}
	return fmt.Sprintf("wait for %d answers", st.n)
}

// closeWith sends a close frame with a code.
func closeWith(code uint16) step {
	return send{frames: []fr{{op: frame.Close, body: closeBody(code, "")}}}
}

// closeBody is the payload of a close frame.
func closeBody(code uint16, reason string) body {
	b := lit(string(binary.BigEndian.AppendUint16(nil, code)) + reason)
	b.about = fmt.Sprintf("%d", code)
	if len(reason) > 40 {
		b.about += fmt.Sprintf(" and a reason of %d bytes", len(reason))
	} else if reason != "" {
		b.about += fmt.Sprintf(" %+q", reason)
	}
	return b
}
