package deflate

import (
	"errors"
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// ErrResponse means a server that answers an offer in a way that RFC 7692 does not allow. The client must fail the
// connection (sections 5.1 and 7.1).
var ErrResponse = errors.New("impossible answer to the offer of " + Name)

// Offered is the offer of a client that waits for its answer, and the memory put by for it.
type Offered struct {
	list  list
	lease *Lease
}

// Offer makes the offer of a client. It always tells that the client understands client_max_window_bits, as browsers
// do, so that a server may ask for a smaller window. Where the budget has no room, the server is asked not to take
// over context, or both sides do without. CheckResponse or Cancel must follow.
func Offer(p Policy) *Offered {
	sendBits, receiveBits := checkBits(p.SendBits), checkBits(p.ReceiveBits)
	a := Agreement{Params: Params{
		ServerNoContextTakeover: p.ReceiveFresh, ClientNoContextTakeover: p.SendFresh,
		ServerMaxWindowBits: receiveBits, ClientMaxWindowBits: sendBits,
	}}
	a.lease(p.Budget, false)
	o := &Offered{lease: a.Lease, list: list{
		serverFresh: a.Params.ServerNoContextTakeover, clientFresh: a.Params.ClientNoContextTakeover, clientBits: anyBits,
	}}
	if receiveBits < MaxBits {
		o.list.serverBits = receiveBits
	}
	if sendBits < MaxBits {
		o.list.clientBits = sendBits
	}
	return o
}

// Extension returns the offer as it goes into the request.
func (o *Offered) Extension() handshake.Extension { return o.list.extension() }

// Cancel gives back the memory of an offer that will not be answered.
func (o *Offered) Cancel() { o.lease.Release() }

// CheckResponse judges the answer, which is all elements of the server's Sec-WebSocket-Extensions, when this extension
// is all that was offered. ok is false when the server declined. The error wraps ErrResponse. Memory that is not
// needed after all is given back.
func (o *Offered) CheckResponse(answer []handshake.Extension) (a Agreement, ok bool, err error) {
	if len(answer) == 0 {
		o.Cancel()
		return Agreement{}, false, nil
	}
	r, err := o.check(answer)
	if err != nil {
		o.Cancel()
		return Agreement{}, false, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	a = Agreement{Lease: o.lease, Params: Params{
		ServerNoContextTakeover: r.serverFresh,
		// A client may always do without, and does so where it said it would (RFC 7692, section 7.1.1.2).
		ClientNoContextTakeover: r.clientFresh || o.list.clientFresh,
		ServerMaxWindowBits:     MaxBits,
		ClientMaxWindowBits:     MaxBits,
	}}
	if r.serverBits != 0 {
		a.Params.ServerMaxWindowBits = r.serverBits
	}
	if o.list.clientBits > 0 {
		a.Params.ClientMaxWindowBits = o.list.clientBits
	}
	if r.clientBits != 0 {
		a.Params.ClientMaxWindowBits = min(a.Params.ClientMaxWindowBits, r.clientBits)
	}
	a.Lease.shrink(a.Params.Memory(false))
	return a, true, nil
}

// check reads the answer and holds it against the offer.
func (o *Offered) check(answer []handshake.Extension) (r list, err error) {
	if len(answer) > 1 {
		return r, errors.New("more extensions than were offered")
	}
	if e := answer[0]; e.Name != Name {
		return r, fmt.Errorf("extension %q was not offered", e.Name)
	}
	if r, err = parse(answer[0], false); err != nil {
		return r, err
	}
	switch {
	case o.list.serverFresh && !r.serverFresh:
		return r, fmt.Errorf("%q is missing", serverNoContextTakeover) // section 7.1.1.1
	case o.list.serverBits != 0 && r.serverBits == 0:
		return r, fmt.Errorf("%q is missing", serverMaxWindowBits) // section 7.1.2.1
	case o.list.serverBits != 0 && r.serverBits > o.list.serverBits:
		return r, fmt.Errorf("%q is larger than offered", serverMaxWindowBits) // section 7.1.2.1
	case o.list.clientBits > 0 && r.clientBits > o.list.clientBits:
		return r, fmt.Errorf("%q is larger than offered", clientMaxWindowBits) // section 7.1.2.2
	}
	return r, nil
}
