package ws

import "fmt"

// State is where a connection stands in its life. The numbers are those of System.Net.WebSockets.WebSocketState and
// reach disk.
//
//	Open          -> CloseSent      this side sent its close frame
//	              -> CloseReceived  the peer sent its close frame
//	              -> Closed         the line was cut
//	CloseSent     -> Closed         the peer answered, or the line was cut
//	CloseReceived -> Closed         this side answered, or the line was cut
type State uint8

// The states.
const (
	Open          State = 2
	CloseSent     State = 3
	CloseReceived State = 4
	Closed        State = 5
)

// String returns "open", "close-sent", "close-received" or "closed".
func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case CloseSent:
		return "close-sent"
	case CloseReceived:
		return "close-received"
	case Closed:
		return "closed"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// step is something that moves a connection towards its end.
type step uint8

const (
	sent     step = 0 // our close frame is on its way
	received step = 1 // the peer's close frame is here
	cut      step = 2 // the line is gone
)

// steps is the table of the closing handshake (RFC 6455, section 7): where each step leads from Open, CloseSent,
// CloseReceived and Closed. 0 means that the step is impossible there.
var steps = [...][3]State{
	{sent: CloseSent, received: CloseReceived, cut: Closed}, // Open
	{sent: 0, received: Closed, cut: Closed},                // CloseSent
	{sent: Closed, received: 0, cut: Closed},                // CloseReceived
	{sent: 0, received: 0, cut: Closed},                     // Closed
}

// closer is the state of the closing handshake.
type closer struct {
	state State
	first bool // this side sent its close frame before the peer's arrived
}

// take makes a step, or reports that it is impossible.
func (c *closer) take(s step) bool {
	next := steps[c.state-Open][s]
	if next == 0 {
		return false
	}
	if c.state == Open && s == sent {
		c.first = true
	}
	c.state = next
	return true
}
