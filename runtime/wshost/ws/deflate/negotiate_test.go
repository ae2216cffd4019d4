package deflate

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

func parseHeader(t testing.TB, header string) []handshake.Extension {
	t.Helper()
	if header == "" {
		return nil
	}
	l, err := handshake.ParseExtensions([]string{header})
	if err != nil {
		t.Fatalf("%q: %v", header, err)
	}
	return l
}

// short writes parameters with their initials: each p stands for permessage-deflate in the tables below.
func short(s string) string {
	return strings.NewReplacer("permessage-deflate", "p", "server_no_context_takeover", "sn", "client_no_context_takeover", "cn",
		"server_max_window_bits", "sb", "client_max_window_bits", "cb").Replace(s)
}

func long(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' })
	for i, w := range words {
		for _, r := range [][2]string{
			{"sn", serverNoContextTakeover}, {"cn", clientNoContextTakeover}, {"sb", serverMaxWindowBits}, {"cb", clientMaxWindowBits},
		} {
			if rest, ok := strings.CutPrefix(w, r[0]); ok && !strings.HasPrefix(rest, "_") {
				words[i] = r[1] + rest
			}
		}
		if rest, ok := strings.CutPrefix(words[i], "p"); ok && (rest == "" || rest == ";" || rest == ",") {
			words[i] = Name + rest
		}
	}
	return strings.Join(words, " ")
}

func TestAccept(t *testing.T) {
	none := NewBudget(0)
	for _, c := range []struct {
		section, offers string
		policy          Policy
		want            string // "" when every offer is declined
		params          Params
	}{
		{"5.1, no offer", "", Policy{}, "", Params{}},
		{"5.1, another extension", "x-other", Policy{}, "", Params{}},
		{"5.1, the name is a token and has one form", "Permessage-Deflate", Policy{}, "", Params{}},
		{"7, nothing asked", "p", Policy{}, "p", Params{false, false, 15, 15}},
		{"5.1, behind another", "x-other; a=b, p", Policy{}, "p", Params{false, false, 15, 15}},
		{"5.1, the first good one", "p; sn=1, p; sb=10, p", Policy{}, "p; sb=10", Params{false, false, 10, 15}},
		{"7.1, unknown parameter", "p; x", Policy{}, "", Params{}},
		{"7.1, unknown parameter, fallback", "p; x, p", Policy{}, "p", Params{false, false, 15, 15}},
		{"7.1, twice", "p; sn; sn", Policy{}, "", Params{}},
		{"7.1, twice with values", "p; sb=9; sb=10", Policy{}, "", Params{}},

		{"7.1.1.1, asked", "p; sn", Policy{}, "p; sn", Params{true, false, 15, 15}},
		{"7.1.1.1, with a value", "p; sn=true", Policy{}, "", Params{}},
		{"7.1.1.1, unasked", "p", Policy{SendFresh: true}, "p; sn", Params{true, false, 15, 15}},
		{"7.1.1.2, hinted", "p; cn", Policy{}, "p; cn", Params{false, true, 15, 15}},
		{"7.1.1.2, with a value", "p; cn=1", Policy{}, "", Params{}},
		{"7.1.1.2, unasked", "p", Policy{ReceiveFresh: true}, "p; cn", Params{false, true, 15, 15}},

		{"7.1.2.1, each: 8", "p; sb=8", Policy{}, "p; sb=8", Params{false, false, 8, 15}},
		{"7.1.2.1, 9", "p; sb=9", Policy{}, "p; sb=9", Params{false, false, 9, 15}},
		{"7.1.2.1, 15", "p; sb=15", Policy{}, "p; sb=15", Params{false, false, 15, 15}},
		{"7.1.2.1, quoted", `p; sb="10"`, Policy{}, "p; sb=10", Params{false, false, 10, 15}},
		{"7.1.2.1, 7", "p; sb=7", Policy{}, "", Params{}},
		{"7.1.2.1, 16", "p; sb=16", Policy{}, "", Params{}},
		{"7.1.2.1, leading zero", "p; sb=09", Policy{}, "", Params{}},
		{"7.1.2.1, sign", "p; sb=+9", Policy{}, "", Params{}},
		{"7.1.2.1, no number", "p; sb=a", Policy{}, "", Params{}},
		{"7.1.2.1, without a value", "p; sb", Policy{}, "", Params{}},
		{"7.1.2.1, smaller than asked", "p; sb=12", Policy{SendBits: 10}, "p; sb=10", Params{false, false, 10, 15}},
		{"7.1.2.1, never larger than asked", "p; sb=10", Policy{SendBits: 12}, "p; sb=10", Params{false, false, 10, 15}},
		{"7.1.2.1, unasked", "p", Policy{SendBits: 10}, "p; sb=10", Params{false, false, 10, 15}},

		{"7.1.2.2, without a value", "p; cb", Policy{}, "p", Params{false, false, 15, 15}},
		{"7.1.2.2, without a value, wanted", "p; cb", Policy{ReceiveBits: 9}, "p; cb=9", Params{false, false, 15, 9}},
		{"7.1.2.2, 8", "p; cb=8", Policy{}, "p; cb=8", Params{false, false, 15, 8}},
		{"7.1.2.2, smaller than offered", "p; cb=12", Policy{ReceiveBits: 10}, "p; cb=10", Params{false, false, 15, 10}},
		{"7.1.2.2, never larger than offered", "p; cb=10", Policy{ReceiveBits: 12}, "p; cb=10", Params{false, false, 15, 10}},
		{"7.1.2.2, never unoffered", "p", Policy{ReceiveBits: 10}, "p; cn", Params{false, true, 15, 15}},
		{"7.1.2.2, 16", "p; cb=16", Policy{}, "", Params{}},
		{"7.1.2.2, leading zero", "p; cb=010", Policy{}, "", Params{}},

		{"7.1, all", "p; sn; cn; sb=10; cb=11", Policy{}, "p; sn; cn; sb=10; cb=11", Params{true, true, 10, 11}},
		{"7.1.1, budget spent", "p; cb", Policy{Budget: none}, "p; sn; cn", Params{true, true, 15, 15}},
		{"7.1.1, budget for one side", "p; cb", Policy{Budget: NewBudget(80 << 10)}, "p; cn", Params{false, true, 15, 15}},
		{"7.1.1, budget for both", "p; cb", Policy{Budget: NewBudget(120 << 10)}, "p", Params{false, false, 15, 15}},
	} {
		a, response, ok := Accept(parseHeader(t, long(c.offers)), c.policy)
		got := ""
		if ok {
			got = short(handshake.FormatExtensions([]handshake.Extension{response}))
		}
		if got != c.want || a.Params != c.params {
			t.Errorf("RFC 7692, section %s: %q is answered %q %+v, want %q %+v", c.section, c.offers, got, a.Params, c.want, c.params)
		}
		if held := c.policy.Budget.Used(); c.policy.Budget != nil && held != a.Params.Memory(true) {
			t.Errorf("section %s: %d bytes are put by for %d", c.section, held, a.Params.Memory(true))
		}
		a.Lease.Release()
		if c.policy.Budget.Used() != 0 {
			t.Errorf("section %s: the budget is not given back", c.section)
		}
	}
}

func TestOffer(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		want   string
	}{
		{Policy{}, "p; cb"},
		{Policy{SendBits: 10}, "p; cb=10"},
		{Policy{ReceiveBits: 8}, "p; sb=8; cb"},
		{Policy{SendFresh: true}, "p; cn; cb"},
		{Policy{ReceiveFresh: true}, "p; sn; cb"},
		{Policy{Budget: NewBudget(0)}, "p; sn; cn; cb"},
		{Policy{Budget: NewBudget(80 << 10)}, "p; sn; cb"},
	} {
		o := Offer(c.policy)
		if got := short(handshake.FormatExtensions([]handshake.Extension{o.Extension()})); got != c.want {
			t.Errorf("%+v offers %q, want %q", c.policy, got, c.want)
		}
		o.Cancel()
		if c.policy.Budget.Used() != 0 {
			t.Errorf("%+v: the budget is not given back", c.policy)
		}
	}
}

func TestCheckResponse(t *testing.T) {
	for _, c := range []struct {
		section string
		policy  Policy
		answer  string
		params  Params
		wrong   bool
	}{
		{"7, nothing more", Policy{}, "p", Params{false, false, 15, 15}, false},
		{"5.1, another extension", Policy{}, "x-other", Params{}, true},
		{"5.1, one more", Policy{}, "p, x-other", Params{}, true},
		{"5.1, twice", Policy{}, "p, p", Params{}, true},
		{"7.1, unknown parameter", Policy{}, "p; x", Params{}, true},
		{"7.1, parameter twice", Policy{}, "p; sn; sn", Params{}, true},
		{"7.1.1.1, unasked", Policy{}, "p; sn", Params{true, false, 15, 15}, false},
		{"7.1.1.1, with a value", Policy{}, "p; sn=1", Params{}, true},
		{"7.1.1.1, asked", Policy{ReceiveFresh: true}, "p; sn", Params{true, false, 15, 15}, false},
		{"7.1.1.1, asked and missing", Policy{ReceiveFresh: true}, "p", Params{}, true},
		{"7.1.1.2, told", Policy{}, "p; cn", Params{false, true, 15, 15}, false},
		{"7.1.1.2, with a value", Policy{}, "p; cn=1", Params{}, true},
		{"7.1.1.2, of our own will", Policy{SendFresh: true}, "p", Params{false, true, 15, 15}, false},
		{"7.1.2.1, unasked", Policy{}, "p; sb=8", Params{false, false, 8, 15}, false},
		{"7.1.2.1, asked", Policy{ReceiveBits: 10}, "p; sb=10", Params{false, false, 10, 15}, false},
		{"7.1.2.1, smaller", Policy{ReceiveBits: 10}, "p; sb=9", Params{false, false, 9, 15}, false},
		{"7.1.2.1, larger", Policy{ReceiveBits: 10}, "p; sb=12", Params{}, true},
		{"7.1.2.1, asked and missing", Policy{ReceiveBits: 10}, "p", Params{}, true},
		{"7.1.2.1, without a value", Policy{}, "p; sb", Params{}, true},
		{"7.1.2.1, out of range", Policy{}, "p; sb=16", Params{}, true},
		{"7.1.2.2, told", Policy{}, "p; cb=8", Params{false, false, 15, 8}, false},
		{"7.1.2.2, without a value", Policy{}, "p; cb", Params{}, true},
		{"7.1.2.2, out of range", Policy{}, "p; cb=7", Params{}, true},
		{"7.1.2.2, larger than offered", Policy{SendBits: 10}, "p; cb=11", Params{}, true},
		{"7.1.2.2, smaller than offered", Policy{SendBits: 10}, "p; cb=9", Params{false, false, 15, 9}, false},
		{"7.1.2.2, of our own will", Policy{SendBits: 10}, "p", Params{false, false, 15, 10}, false},
	} {
		c.policy.Budget = NewBudget(1 << 20)
		a, ok, err := Offer(c.policy).CheckResponse(parseHeader(t, long(c.answer)))
		if ok == c.wrong || (err != nil) != c.wrong || c.wrong && !errors.Is(err, ErrResponse) || a.Params != c.params {
			t.Errorf("RFC 7692, section %s: %q gives %+v, %v, %v", c.section, c.answer, a.Params, ok, err)
		}
		if held := c.policy.Budget.Used(); ok && held != a.Params.Memory(false) || !ok && held != 0 {
			t.Errorf("section %s: %d bytes are put by for %d", c.section, held, a.Params.Memory(false))
		}
		a.Lease.Release()
		if c.policy.Budget.Used() != 0 {
			t.Errorf("section %s: the budget is not given back", c.section)
		}
	}
	b := NewBudget(1 << 20)
	if _, ok, err := Offer(Policy{Budget: b}).CheckResponse(nil); ok || err != nil || b.Used() != 0 {
		t.Errorf("a server that declines: %v, %v, %d bytes kept", ok, err, b.Used())
	}
}

func TestBudget(t *testing.T) {
	b := NewBudget(1000)
	if _, ok := b.Take(1001); ok {
		t.Error("more than everything was given")
	}
	all, ok := b.Take(1000)
	if !ok {
		t.Fatal("everything was refused")
	}
	if _, ok := b.Take(1); ok {
		t.Error("more was given than there was")
	}
	more := b.Charge(500)
	all.Release()
	all.Release()
	if b.Used() != 500 {
		t.Errorf("%d bytes are taken, want 500", b.Used())
	}
	more.Release()

	var wg sync.WaitGroup
	var most sync.Map
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if l, ok := b.Take(300); ok {
					if b.Used() > 1000 {
						most.Store(b.Used(), true)
					}
					l.Release()
				}
			}
		})
	}
	wg.Wait()
	most.Range(func(k, _ any) bool { t.Errorf("%d bytes were taken of 1000", k); return false })
	if b.Used() != 0 {
		t.Errorf("%d bytes were never given back", b.Used())
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{"p", "p; sn; cn; sb=10; cb", "p; sb=8; cb=8", "x, p; sb=16, p; cb=9", `p; sb="12"`, "p; sn=1"} {
		f.Add(long(s), uint8(15), uint8(15), uint8(0), uint32(1<<20))
		f.Add(long(s), uint8(8), uint8(9), uint8(3), uint32(50_000))
	}
	f.Fuzz(func(t *testing.T, header string, send, receive, flags uint8, memory uint32) {
		offers, err := handshake.ParseExtensions([]string{header})
		if err != nil {
			return
		}
		server := Policy{
			SendBits: 8 + int(send%8), ReceiveBits: 8 + int(receive%8), SendFresh: flags&1 != 0, ReceiveFresh: flags&2 != 0,
			Budget: NewBudget(int64(memory)),
		}
		a, response, ok := Accept(offers, server)
		if server.Budget.Used() > int64(memory) {
			t.Fatalf("%d bytes taken of %d", server.Budget.Used(), memory)
		}
		if ok {
			r, err := parse(response, false)
			if err != nil || !a.Params.Sound() {
				t.Fatalf("%q is answered with %+v: %v", header, response, err)
			}
			good := false
			for _, e := range offers {
				// The answer must suit one of the offers: nothing the offer asks for is missing or larger.
				l, err := parse(e, true)
				good = good || e.Name == Name && err == nil && (!l.serverFresh || r.serverFresh) &&
					(l.serverBits == 0 || r.serverBits != 0 && r.serverBits <= l.serverBits) &&
					(l.clientBits != 0 || r.clientBits == 0) && (l.clientBits <= 0 || r.clientBits <= l.clientBits)
			}
			if !good {
				t.Fatalf("%q is answered with %+v", header, response)
			}
		}
		a.Lease.Release()

		// What the server answers to our own client's offer, the client must take, and both must mean the same.
		o := Offer(Policy{SendBits: server.ReceiveBits, SendFresh: flags&4 != 0, ReceiveBits: 15 - int(send%8), ReceiveFresh: flags&8 != 0})
		a, response, ok = Accept([]handshake.Extension{o.Extension()}, server)
		if !ok {
			t.Fatalf("our own offer %+v was declined", o.Extension())
		}
		back, err := handshake.ParseExtensions([]string{handshake.FormatExtensions([]handshake.Extension{response})})
		if err != nil {
			t.Fatal(err)
		}
		b, ok, err := o.CheckResponse(back)
		if !ok || b.Params != a.Params {
			t.Fatalf("offer %+v, answer %+v: the server means %+v, the client %+v (%v)", o.Extension(), response, a.Params, b.Params, err)
		}
		a.Lease.Release()
		if server.Budget.Used() != 0 {
			t.Fatal("the budget was not given back")
		}
	})
}
