package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// CloseCode is a status code of the closing handshake (RFC 6455, section 7.4, and the IANA registry).
type CloseCode uint16

// The registered codes. Reserved1004, NoStatus, Abnormal and TLSFailure never appear on the wire.
const (
	NormalClosure      CloseCode = 1000
	GoingAway          CloseCode = 1001
	ProtocolError      CloseCode = 1002
	UnsupportedData    CloseCode = 1003
	Reserved1004       CloseCode = 1004
	NoStatus           CloseCode = 1005 // stands for a close frame without a code
	Abnormal           CloseCode = 1006 // stands for a line that was cut without a close frame
	InvalidPayload     CloseCode = 1007
	PolicyViolation    CloseCode = 1008
	MessageTooBig      CloseCode = 1009
	MandatoryExtension CloseCode = 1010 // sent by clients only
	InternalError      CloseCode = 1011
	ServiceRestart     CloseCode = 1012
	TryAgainLater      CloseCode = 1013
	BadGateway         CloseCode = 1014
	TLSFailure         CloseCode = 1015
)

// MaxReason is the greatest length of a close frame's reason in bytes: a control frame less its code.
const MaxReason = MaxControl - 2

// Errors of close payloads.
var (
	// ErrCloseLength means a payload of one byte, or one that no control frame can hold.
	ErrCloseLength = errors.New("close payload has an impossible length")
	// ErrReasonUTF8 means a reason that is not UTF-8 (RFC 6455, section 5.5.1): fail with InvalidPayload.
	ErrReasonUTF8 = errors.New("close reason is not valid UTF-8")
	// ErrReasonLength means a reason longer than MaxReason bytes.
	ErrReasonLength = errors.New("close reason is longer than 123 bytes")
	// ErrCloseCode means a code that must not be on the wire.
	ErrCloseCode = errors.New("close code may not be used")
)

type codeRange struct {
	lo, hi         CloseCode
	server, client bool // may a server, may a client send it
	meaning        string
}

// codes is the one table of status codes: RFC 6455, section 7.4, and for 1012 to 1014 the IANA registry. It covers
// every number once, in rising order.
var codes = [...]codeRange{
	{0, 999, false, false, "not used"},
	{1000, 1000, true, true, "normal closure"},
	{1001, 1001, true, true, "going away"},
	{1002, 1002, true, true, "protocol error"},
	{1003, 1003, true, true, "unsupported data"},
	{1004, 1004, false, false, "reserved"},
	{1005, 1005, false, false, "no status received"},
	{1006, 1006, false, false, "abnormal closure"},
	{1007, 1007, true, true, "invalid payload"},
	{1008, 1008, true, true, "policy violation"},
	{1009, 1009, true, true, "message too big"},
	{1010, 1010, false, true, "mandatory extension"},
	{1011, 1011, true, true, "internal error"},
	{1012, 1012, true, true, "service restart"},
	{1013, 1013, true, true, "try again later"},
	{1014, 1014, true, true, "bad gateway"},
	{1015, 1015, false, false, "TLS handshake failed"},
	{1016, 2999, false, false, "unassigned"},
	{3000, 3999, true, true, "registered"},
	{4000, 4999, true, true, "private use"},
	{5000, 65535, false, false, "not used"},
}

func (c CloseCode) row() codeRange {
	i := 0
	for c > codes[i].hi { // the last row ends at the greatest number there is
		i++
	}
	return codes[i]
}

// MaySend reports whether an endpoint in this role may put c into a close frame of its own making.
func (c CloseCode) MaySend(r Role) bool {
	row := c.row()
	return r == Server && row.server || r == Client && row.client
}

// MayReceive reports whether c may be in a close frame that comes in. A peer's code that this side would not choose
// itself, as 1010 from a server's echo, is accepted: an answer repeats the code it answers.
func (c CloseCode) MayReceive() bool {
	row := c.row()
	return row.server || row.client
}

// String returns the number and its meaning: "1001 (going away)".
func (c CloseCode) String() string { return fmt.Sprintf("%d (%s)", uint16(c), c.row().meaning) }

// ParseClose reads a close frame's payload. An empty payload is NoStatus. The code to fail the connection with is
// InvalidPayload for ErrReasonUTF8 and ProtocolError for every other error.
func ParseClose(p []byte) (CloseCode, string, error) {
	if len(p) == 0 {
		return NoStatus, "", nil
	}
	if len(p) == 1 || len(p) > MaxControl {
		return 0, "", ErrCloseLength
	}
	code := CloseCode(binary.BigEndian.Uint16(p))
	if !code.MayReceive() {
		return 0, "", fmt.Errorf("%w: %s", ErrCloseCode, code)
	}
	if !utf8.Valid(p[2:]) {
		return 0, "", ErrReasonUTF8
	}
	return code, string(p[2:]), nil
}

// AppendClose appends a close frame's payload to dst. NoStatus with an empty reason appends nothing.
func AppendClose(dst []byte, code CloseCode, reason string) ([]byte, error) {
	switch {
	case code == NoStatus && reason == "":
		return dst, nil
	case !code.MayReceive():
		return dst, fmt.Errorf("%w: %s", ErrCloseCode, code)
	case len(reason) > MaxReason:
		return dst, ErrReasonLength
	case !utf8.ValidString(reason):
		return dst, ErrReasonUTF8
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...), nil
}
