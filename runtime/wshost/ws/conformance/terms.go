package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// permessageDeflate is the name of the extension of RFC 7692, and its parameters are those of section 7.1.
const (
	permessageDeflate = "permessage-deflate"
	serverNoTakeover  = "server_no_context_takeover"
	clientNoTakeover  = "client_no_context_takeover"
	serverMaxBits     = "server_max_window_bits"
	clientMaxBits     = "client_max_window_bits"
)

// terms is what a case negotiates.
type terms struct {
	params string // of the offer to a server, of the answer to a client: "" or "; name=value"
	offers string // further parameters of the offer to a server
	bad    bool   // must not be agreed to
	more   string // further offers to a server: ", permessage-deflate"
}

func (t *terms) String() string {
	return fmt.Sprintf("negotiate %q (as the client)", t.offer())
}

// offer is what a server is offered.
func (t *terms) offer() string { return permessageDeflate + t.params + t.offers + t.more }

// agreed is the outcome of a negotiation.
type agreed struct {
	serverFresh, clientFresh bool // no context takeover
	serverBits, clientBits   int
}

func (a *agreed) deflater(judge frame.Role) *deflater {
	if judge == frame.Client {
		return &deflater{window: 1 << a.clientBits, takeover: !a.clientFresh}
	}
	return &deflater{window: 1 << a.serverBits, takeover: !a.serverFresh}
}

func (a *agreed) inflater(judge frame.Role) *inflater {
	if judge == frame.Client {
		return &inflater{window: 1 << a.serverBits, takeover: !a.serverFresh}
	}
	return &inflater{window: 1 << a.clientBits, takeover: !a.clientFresh}
}

// params reads the parameters of one element, each at most once.
func params(e handshake.Extension) (map[string]handshake.Param, error) {
	m := map[string]handshake.Param{}
	for _, p := range e.Params {
		if _, twice := m[p.Name]; twice {
			return nil, fmt.Errorf("parameter %q twice", p.Name)
		}
		switch p.Name {
		case serverNoTakeover, clientNoTakeover:
			if p.HasValue {
				return nil, fmt.Errorf("parameter %q with a value", p.Name)
			}
		case serverMaxBits, clientMaxBits:
			if n, ok := windowBits(p.Value); p.HasValue && !ok {
				return nil, fmt.Errorf("parameter %s=%q: 8 to 15 are allowed, not %d", p.Name, p.Value, n)
			}
		default:
			return nil, fmt.Errorf("unknown parameter %q", p.Name)
		}
		m[p.Name] = p
	}
	return m, nil
}

// windowBits reads a number from 8 to 15 without leading zeros.
func windowBits(v string) (int, bool) {
	n, err := strconv.Atoi(v)
	return n, err == nil && n >= 8 && n <= 15 && strconv.Itoa(n) == v
}

// settleTerms judges an answer to an offer by RFC 7692, section 7.1.
func settleTerms(offer, answer handshake.Extension) (*agreed, error) {
	asked, err := params(offer)
	if err != nil {
		return nil, fmt.Errorf("accepted an offer that must be declined: %w", err)
	}
	got, err := params(answer)
	if err != nil {
		return nil, fmt.Errorf("answered with %w", err)
	}
	a := &agreed{serverBits: 15, clientBits: 15}
	_, a.serverFresh = got[serverNoTakeover]
	_, a.clientFresh = got[clientNoTakeover]
	if _, must := asked[serverNoTakeover]; must && !a.serverFresh {
		return nil, errors.New("accepted " + serverNoTakeover + " without repeating it")
	}
	if a.serverBits, err = settleBits(serverMaxBits, asked, got); err != nil {
		return nil, err
	}
	if _, must := asked[serverMaxBits]; must && !got[serverMaxBits].HasValue {
		return nil, errors.New("accepted " + serverMaxBits + " without repeating it")
	}
	if _, may := asked[clientMaxBits]; !may && got[clientMaxBits].HasValue {
		return nil, errors.New("answered with " + clientMaxBits + ", which was not offered")
	}
	a.clientBits, err = settleBits(clientMaxBits, asked, got)
	return a, err
}

func settleBits(name string, asked, got map[string]handshake.Param) (int, error) {
	p, ok := got[name]
	if !ok {
		return 15, nil
	}
	if !p.HasValue {
		return 0, fmt.Errorf("answered with %s without a value", name)
	}
	n, _ := windowBits(p.Value)
	if limit, ok := windowBits(asked[name].Value); ok && n > limit {
		return 0, fmt.Errorf("answered with %s=%d to an offer of %d", name, n, limit)
	}
	return n, nil
}

// element parses the one element that the judge sends.
func element(params string) handshake.Extension {
	list, err := handshake.ParseExtensions([]string{permessageDeflate + params})
	if err != nil || len(list) != 1 {
		return handshake.Extension{Name: permessageDeflate} // malformed on purpose
	}
	return list[0]
}

// accepted judges the extensions of a server's response. It returns nil, nil when the offer was declined.
func (t *terms) accepted(values []string) (*agreed, error) {
	list, err := handshake.ParseExtensions(values)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, nil
	}
	if len(list) > 1 || list[0].Name != permessageDeflate {
		return nil, fmt.Errorf("answered with extensions that were not offered: %q", values)
	}
	a, err := settleTerms(element(t.params+t.offers), list[0])
	if err != nil && t.more != "" { // then it may be the fallback that was accepted
		a, err = settleTerms(element(""), list[0])
	}
	return a, err
}

// respond makes the answer to a client's offers: what the case wants, and what the offer demands. It returns "" when
// the offer does not allow that.
func (t *terms) respond(values []string) (string, *agreed) {
	offers, err := handshake.ParseExtensions(values)
	if err != nil {
		return "", nil
	}
	i := slices.IndexFunc(offers, func(e handshake.Extension) bool { return e.Name == permessageDeflate })
	if i < 0 {
		return "", nil
	}
	asked, err := params(offers[i])
	if err != nil {
		return "", nil
	}
	answer := permessageDeflate + t.params
	if _, must := asked[serverNoTakeover]; must && !strings.Contains(answer, serverNoTakeover) {
		answer += "; " + serverNoTakeover
	}
	if p, must := asked[serverMaxBits]; must && !strings.Contains(answer, serverMaxBits) {
		answer += "; " + serverMaxBits + "=" + p.Value
	}
	if t.bad {
		return answer, nil
	}
	list, err := handshake.ParseExtensions([]string{answer})
	if err != nil {
		return "", nil
	}
	a, err := settleTerms(offers[i], list[0])
	if err != nil {
		return "", nil
	}
	return answer, a
}
