// Package frame is the framing of RFC 6455: headers, opcodes, close codes, masking, and the table of rules that says
// which frame is legal when. It does no I/O and keeps no state.
package frame

// Opcode is the kind of a frame (RFC 6455, section 5.2).
type Opcode byte

// The opcodes.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA
)

// CloseCode is a status code of the closing handshake (RFC 6455, section 7.4, and the IANA registry).
type CloseCode uint16
