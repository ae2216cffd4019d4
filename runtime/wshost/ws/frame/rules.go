package frame

import "fmt"

// Context is what an endpoint knows when a header reaches it.
type Context struct {
	Role Role // of the endpoint that receives
	// RSV are the reserved bits that a negotiated extension has given a meaning.
	RSV byte
	// Fragmented is true between the first and the last frame of a fragmented message.
	Fragmented bool
}

// Violation is a breach of the rules of framing. The connection must be failed with Code.
type Violation struct {
	Rule    string // what was broken: "control frame is fragmented"
	Section string // where it is written: "RFC 6455, section 5.5"
	Code    CloseCode
}

// Error names the rule and where it is written.
func (v *Violation) Error() string { return fmt.Sprintf("%s (%s)", v.Rule, v.Section) }

type rule struct {
	Violation
	broken func(Header, Context) bool
}

// rules is the one table of what makes a frame illegal, in the order in which breaches are reported. Lengths beyond
// what an endpoint is willing to hold are no breach of framing and are judged by the receiver.
var rules = [...]rule{
	{Violation{"reserved bit without a negotiated extension", "RFC 6455, section 5.2", ProtocolError},
		func(h Header, c Context) bool { return h.RSV&^c.RSV != 0 }},
	{Violation{"reserved opcode", "RFC 6455, section 5.2", ProtocolError},
		func(h Header, _ Context) bool { return !h.Opcode.Known() }},
	{Violation{"reserved bit on a frame that does not begin a message", "RFC 7692, section 6.1", ProtocolError},
		func(h Header, _ Context) bool { return h.RSV != 0 && !h.Opcode.Data() }},
	{Violation{"control frame is fragmented", "RFC 6455, section 5.5", ProtocolError},
		func(h Header, _ Context) bool { return h.Opcode.Control() && !h.FIN }},
	{Violation{"control frame is longer than 125 bytes", "RFC 6455, section 5.5", ProtocolError},
		func(h Header, _ Context) bool { return h.Opcode.Control() && h.Length > MaxControl }},
	{Violation{"close frame has half a status code", "RFC 6455, section 5.5.1", ProtocolError},
		func(h Header, _ Context) bool { return h.Opcode == Close && h.Length == 1 }},
	{Violation{"continuation without a message to continue", "RFC 6455, section 5.4", ProtocolError},
		func(h Header, c Context) bool { return h.Opcode == Continuation && !c.Fragmented }},
	{Violation{"new message inside a fragmented one", "RFC 6455, section 5.4", ProtocolError},
		func(h Header, c Context) bool { return h.Opcode.Data() && c.Fragmented }},
	{Violation{"length has its most significant bit set", "RFC 6455, section 5.2", ProtocolError},
		func(h Header, _ Context) bool { return h.Length>>63 != 0 }},
	{Violation{"length is not in its shortest form", "RFC 6455, section 5.2", ProtocolError},
		func(h Header, _ Context) bool { return !h.Minimal() }},
	{Violation{"frame from a client is not masked", "RFC 6455, section 5.1", ProtocolError},
		func(h Header, c Context) bool { return c.Role == Server && !h.Masked }},
	{Violation{"frame from a server is masked", "RFC 6455, section 5.1", ProtocolError},
		func(h Header, c Context) bool { return c.Role == Client && h.Masked }},
}

// Check judges a header that an endpoint has received. It returns nil or the first rule that the frame breaks.
func Check(h Header, c Context) *Violation {
	for i := range rules {
		if rules[i].broken(h, c) {
			v := rules[i].Violation
			return &v
		}
	}
	return nil
}
