// Package frame is the framing of RFC 6455: headers, opcodes, close codes, masking, and the table of rules that says
// which frame is legal when. It does no I/O and keeps no state.
package frame

import "fmt"

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

// String names the opcode: "text", "close", or "opcode 0x3" for a reserved one.
func (o Opcode) String() string {
	switch o {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return fmt.Sprintf("opcode %#x", byte(o))
}

// Control reports whether o has the bit of the control frames (RFC 6455, section 5.5), known or reserved.
func (o Opcode) Control() bool { return o&0x8 != 0 }

// Data reports whether o begins a message: text or binary.
func (o Opcode) Data() bool { return o == Text || o == Binary }

// Known reports whether RFC 6455 defines o.
func (o Opcode) Known() bool {
	return o <= Binary || o >= Close && o <= Pong
}

// Role is the side of a connection that an endpoint is on. The numbers are explicit because they reach disk.
type Role byte

// The roles. A server receives masked frames and sends unmasked ones; a client does the opposite.
const (
	Server Role = 1
	Client Role = 2
)

// String returns "server" or "client".
func (r Role) String() string {
	switch r {
	case Server:
		return "server"
	case Client:
		return "client"
	}
	return fmt.Sprintf("role %d", byte(r))
}
