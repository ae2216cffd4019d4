package deflate

import (
	"fmt"
	"strconv"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// The parameters of the extension (RFC 7692, section 7.1).
const (
	serverNoContextTakeover = "server_no_context_takeover"
	clientNoContextTakeover = "client_no_context_takeover"
	serverMaxWindowBits     = "server_max_window_bits"
	clientMaxWindowBits     = "client_max_window_bits"
)

// Params is what both sides agreed on. All windows from 8 to 15 bits are kept exactly, in both directions.
type Params struct {
	ServerNoContextTakeover bool `json:"server_no_context_takeover,omitempty"` // each message of the server stands alone
	ClientNoContextTakeover bool `json:"client_no_context_takeover,omitempty"` // each message of the client does
	ServerMaxWindowBits     int  `json:"server_max_window_bits"`               // of the server's compressor, 8..15
	ClientMaxWindowBits     int  `json:"client_max_window_bits"`               // of the client's compressor, 8..15
}

// Direction is one direction of a connection.
type Direction struct {
	Bits     int  // of the window, 8..15
	Takeover bool // whether a message may refer to those before it
}

// Server is the direction in which the server sends.
func (p Params) Server() Direction {
	return Direction{p.ServerMaxWindowBits, !p.ServerNoContextTakeover}
}

// Client is the direction in which the client sends.
func (p Params) Client() Direction {
	return Direction{p.ClientMaxWindowBits, !p.ClientNoContextTakeover}
}

// Memory returns what the windows of a connection may hold on the server's side or on the client's, in bytes: what a
// Budget is asked for.
func (p Params) Memory(server bool) int64 {
	send, receive := p.Server(), p.Client()
	if !server {
		send, receive = receive, send
	}
	n := CompressorMemory(send.Bits, send.Takeover)
	if receive.Takeover {
		n += DecompressorMemory(receive.Bits, true)
	}
	return n
}

// Sound reports whether p can have been agreed on: whoever reads it back from elsewhere asks first.
func (p Params) Sound() bool {
	return validBits(p.ServerMaxWindowBits) && validBits(p.ClientMaxWindowBits)
}

func validBits(n int) bool { return MinBits <= n && n <= MaxBits }

// Policy is what one side wants. The zero value wants the most: full windows, with context, without a budget.
type Policy struct {
	SendBits     int     // the largest window to compress with, 8..15; 0 means 15
	ReceiveBits  int     // the largest window to let the peer compress with, 8..15; 0 means 15
	SendFresh    bool    // compress each message by itself
	ReceiveFresh bool    // have the peer compress each message by itself
	Budget       *Budget // where the memory of windows comes from; nil means there is no bound
}

// Agreement is the outcome of a negotiation. Its Lease is to be released when the connection, or the attempt to make
// one, has ended.
type Agreement struct {
	Params Params
	Lease  *Lease
}

// list is the parameters of one offer or response as they were written. Window bits of 0 mean the parameter is
// absent; anyBits means it stands there without a value.
type list struct {
	serverFresh, clientFresh bool
	serverBits, clientBits   int
}

const anyBits = -1

// parse reads the parameters of an offer, or of a response. They differ in one point: client_max_window_bits may be
// without a value in an offer (RFC 7692, section 7.1.2.2).
func parse(e handshake.Extension, offer bool) (l list, err error) {
	for i, p := range e.Params {
		for _, q := range e.Params[:i] {
			if p.Name == q.Name {
				return l, fmt.Errorf("parameter %q occurs twice", p.Name)
			}
		}
		switch p.Name {
		case serverNoContextTakeover:
			l.serverFresh, err = true, bare(p)
		case clientNoContextTakeover:
			l.clientFresh, err = true, bare(p)
		case serverMaxWindowBits:
			l.serverBits, err = windowBits(p)
		case clientMaxWindowBits:
			if offer && !p.HasValue {
				l.clientBits = anyBits
			} else {
				l.clientBits, err = windowBits(p)
			}
		default:
			err = fmt.Errorf("parameter %q is unknown", p.Name)
		}
		if err != nil {
			return l, err
		}
	}
	return l, nil
}

func bare(p handshake.Param) error {
	if p.HasValue {
		return fmt.Errorf("parameter %q has a value", p.Name)
	}
	return nil
}

// windowBits reads a number from 8 to 15 without leading zeros (RFC 7692, section 7.1.2).
func windowBits(p handshake.Param) (int, error) {
	n, err := strconv.Atoi(p.Value)
	if err != nil || !validBits(n) || strconv.Itoa(n) != p.Value {
		return 0, fmt.Errorf("parameter %q has the value %q and not one from 8 to 15", p.Name, p.Value)
	}
	return n, nil
}

// extension writes l down.
func (l list) extension() handshake.Extension {
	e := handshake.Extension{Name: Name}
	flag := func(set bool, name string) {
		if set {
			e.Params = append(e.Params, handshake.Param{Name: name})
		}
	}
	bits := func(n int, name string) {
		switch {
		case n == anyBits:
			flag(true, name)
		case n != 0:
			e.Params = append(e.Params, handshake.Param{Name: name, Value: strconv.Itoa(n), HasValue: true})
		}
	}
	flag(l.serverFresh, serverNoContextTakeover)
	flag(l.clientFresh, clientNoContextTakeover)
	bits(l.serverBits, serverMaxWindowBits)
	bits(l.clientBits, clientMaxWindowBits)
	return e
}
