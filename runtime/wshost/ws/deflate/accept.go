package deflate

import (
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// Accept answers a client's offers, which are all elements of Sec-WebSocket-Extensions in order: the first one of this
// extension that is well-formed is accepted with response. ok is false when there is none; the connection then does
// without compression, as RFC 7692, section 5.1, has it. Offers of other extensions are passed over.
//
// Every well-formed offer can be honoured, so none is declined for what it asks. What the policy wants beyond the
// offer is had without breaking it: a smaller window of the server and either side's no context takeover may be
// answered unasked (sections 7.1.1 and 7.1.2.1), client_max_window_bits never (section 7.1.2.2). A client that does
// not offer it and whose window would be larger than the policy wants is told to do without context takeover, which
// leaves no window to hold.
//
// Where the budget has no room, first the client's context is given up, which costs the server little compression,
// then the server's.
func Accept(offers []handshake.Extension, p Policy) (a Agreement, response handshake.Extension, ok bool) {
	for _, e := range offers {
		if e.Name != Name {
			continue
		}
		offer, err := parse(e, true)
		if err != nil {
			continue
		}
		a, answer := accept(offer, p)
		return a, answer.extension(), true
	}
	return Agreement{}, handshake.Extension{}, false
}

func accept(offer list, p Policy) (Agreement, list) {
	sendBits, receiveBits := checkBits(p.SendBits), checkBits(p.ReceiveBits)
	answer := list{serverFresh: offer.serverFresh || p.SendFresh, clientFresh: offer.clientFresh || p.ReceiveFresh}
	a := Agreement{Params: Params{ServerMaxWindowBits: sendBits, ClientMaxWindowBits: MaxBits}}

	if offer.serverBits != 0 {
		a.Params.ServerMaxWindowBits = min(offer.serverBits, sendBits)
	}
	if offer.serverBits != 0 || sendBits < MaxBits {
		answer.serverBits = a.Params.ServerMaxWindowBits
	}
	switch {
	case offer.clientBits > 0:
		answer.clientBits = min(offer.clientBits, receiveBits)
		a.Params.ClientMaxWindowBits = answer.clientBits
	case receiveBits == MaxBits:
	case offer.clientBits == anyBits:
		answer.clientBits = receiveBits
		a.Params.ClientMaxWindowBits = receiveBits
	default:
		answer.clientFresh = true
	}

	a.Params.ServerNoContextTakeover, a.Params.ClientNoContextTakeover = answer.serverFresh, answer.clientFresh
	a.lease(p.Budget, true)
	answer.serverFresh, answer.clientFresh = a.Params.ServerNoContextTakeover, a.Params.ClientNoContextTakeover
	return a, answer
}

// lease takes the memory of a's windows from b, and gives up context, the peer's first, where there is too little.
func (a *Agreement) lease(b *Budget, server bool) {
	p := &a.Params
	send, receive := &p.ServerNoContextTakeover, &p.ClientNoContextTakeover
	if !server {
		send, receive = receive, send
	}
	for {
		l, ok := b.Take(p.Memory(server))
		switch {
		case ok:
			a.Lease = l
			return
		case !*receive:
			*receive = true
		case !*send:
			*send = true
		default:
			return // unreachable: without context nothing is held, and that much is always left
		}
	}
}
