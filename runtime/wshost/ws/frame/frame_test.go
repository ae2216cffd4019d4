package frame

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestOpcodeString(t *testing.T) {
	for op, want := range map[Opcode]string{
		Continuation: "continuation", Text: "text", Binary: "binary", Close: "close", Ping: "ping", Pong: "pong", 0x3: "opcode 0x3", 0xF: "opcode 0xf",
	} {
		if got := op.String(); got != want {
			t.Errorf("Opcode(%#x).String() = %q, want %q", byte(op), got, want)
		}
	}
}

func TestOpcodeClasses(t *testing.T) {
	known := map[Opcode]bool{0: true, 1: true, 2: true, 8: true, 9: true, 10: true}
	for op := Opcode(0); op < 16; op++ {
		if op.Known() != known[op] || op.Control() != (op >= 8) || op.Data() != (op == 1 || op == 2) {
			t.Errorf("%v: known %v, control %v, data %v", op, op.Known(), op.Control(), op.Data())
		}
	}
}

// The bytes are those of RFC 6455, section 5.7, and the edges of the three length forms.
func TestHeaderWire(t *testing.T) {
	for _, c := range []struct {
		wire string
		h    Header
	}{
		{"8105", Header{FIN: true, Opcode: Text, Length: 5}},
		{"818537fa213d", Header{FIN: true, Opcode: Text, Length: 5, Masked: true, Key: [4]byte{0x37, 0xfa, 0x21, 0x3d}}},
		{"0103", Header{Opcode: Text, Length: 3}},
		{"8002", Header{FIN: true, Opcode: Continuation, Length: 2}},
		{"8905", Header{FIN: true, Opcode: Ping, Length: 5}},
		{"827e0100", Header{FIN: true, Opcode: Binary, Length: 256, Extended: 2}},
		{"827f0000000000010000", Header{FIN: true, Opcode: Binary, Length: 65536, Extended: 8}},
		{"c27d", Header{FIN: true, RSV: RSV1, Opcode: Binary, Length: 125}},
		{"a27e007e", Header{FIN: true, RSV: RSV2, Opcode: Binary, Length: 126, Extended: 2}},
		{"927effff", Header{FIN: true, RSV: RSV3, Opcode: Binary, Length: 65535, Extended: 2}},
		{"82ffffffffffffffffff01020304", Header{FIN: true, Opcode: Binary, Length: 1<<64 - 1, Extended: 8, Masked: true, Key: [4]byte{1, 2, 3, 4}}},
	} {
		wire, err := hex.DecodeString(c.wire)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range wire {
			if _, n := Parse(wire[:cut]); n != 0 {
				t.Errorf("%s cut at %d parses as %d bytes", c.wire, cut, n)
			}
		}
		h, n := Parse(append(wire, 0xAA))
		if n != len(wire) || h != c.h {
			t.Errorf("Parse(%s) = %+v, %d", c.wire, h, n)
		}
		if got := AppendHeader([]byte{1}, c.h); !bytes.Equal(got[1:], wire) || got[0] != 1 {
			t.Errorf("AppendHeader(%+v) = %x, want %s", c.h, got[1:], c.wire)
		}
	}
}

func TestMaskMatchesTheDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 140 {
		for align := range 9 {
			pos := rng.Uint64N(1 << 40)
			key := [4]byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32())}
			b := make([]byte, align+n)
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			want := bytes.Clone(b)
			for i := range n { // RFC 6455, section 5.3, word for word
				want[align+i] ^= key[(pos+uint64(i))%4]
			}
			Mask(key, pos, b[align:])
			if !bytes.Equal(b, want) {
				t.Fatalf("length %d, alignment %d, position %d: %x, want %x", n, align, pos, b, want)
			}
		}
	}
}

// For each row of the table there is a frame that breaks its rule alone, and a legal neighbour.
func TestEveryRule(t *testing.T) {
	key := [4]byte{1, 2, 3, 4}
	m := func(h Header) Header { h.Masked, h.Key = true, key; h.Extended = extended(h.Length); return h }
	text := m(Header{FIN: true, Opcode: Text, Length: 1})
	long := m(Header{FIN: true, Opcode: Binary, Length: 125})
	long.Extended = 2
	wide := m(Header{FIN: true, Opcode: Binary, Length: 65535})
	wide.Extended = 8
	open, inside := Context{Role: Server}, Context{Role: Server, Fragmented: true}
	deflate := Context{Role: Server, RSV: RSV1}
	client := Context{Role: Client}
	covered := map[string]bool{}
	for _, c := range []struct {
		rule    string
		bad     Header
		badCtx  Context
		good    Header
		goodCtx Context
	}{
		{"reserved bit without a negotiated extension", m(Header{FIN: true, RSV: RSV1, Opcode: Text}), open, m(Header{FIN: true, RSV: RSV1, Opcode: Text}), deflate},
		{"reserved bit without a negotiated extension", m(Header{FIN: true, RSV: RSV2, Opcode: Text}), deflate, text, deflate},
		{"reserved bit without a negotiated extension", m(Header{FIN: true, RSV: RSV3, Opcode: Text}), deflate, text, open},
		{"reserved opcode", m(Header{FIN: true, Opcode: 0x3}), open, m(Header{FIN: true, Opcode: Binary}), open},
		{"reserved opcode", m(Header{FIN: true, Opcode: 0x7}), inside, m(Header{FIN: true}), inside},
		{"reserved opcode", m(Header{FIN: true, Opcode: 0xB}), open, m(Header{FIN: true, Opcode: Pong}), open},
		{"reserved bit on a frame that does not begin a message", m(Header{FIN: true, RSV: RSV1, Opcode: Ping}), deflate, m(Header{FIN: true, Opcode: Ping}), deflate},
		{"reserved bit on a frame that does not begin a message", m(Header{FIN: true, RSV: RSV1}), Context{Role: Server, RSV: RSV1, Fragmented: true}, m(Header{FIN: true}), Context{Role: Server, RSV: RSV1, Fragmented: true}},
		{"control frame is fragmented", m(Header{Opcode: Ping}), open, m(Header{FIN: true, Opcode: Ping}), inside},
		{"control frame is longer than 125 bytes", m(Header{FIN: true, Opcode: Pong, Length: 126}), open, m(Header{FIN: true, Opcode: Pong, Length: 125}), open},
		{"close frame has half a status code", m(Header{FIN: true, Opcode: Close, Length: 1}), open, m(Header{FIN: true, Opcode: Close, Length: 2}), open},
		{"continuation without a message to continue", m(Header{FIN: true}), open, m(Header{FIN: true}), inside},
		{"new message inside a fragmented one", text, inside, text, open},
		{"length has its most significant bit set", m(Header{FIN: true, Opcode: Binary, Length: 1 << 63}), open, m(Header{FIN: true, Opcode: Binary, Length: 1<<63 - 1}), open},
		{"length is not in its shortest form", long, open, m(Header{FIN: true, Opcode: Binary, Length: 126}), open},
		{"length is not in its shortest form", wide, open, m(Header{FIN: true, Opcode: Binary, Length: 65536}), open},
		{"frame from a client is not masked", Header{FIN: true, Opcode: Text}, open, Header{FIN: true, Opcode: Text}, client},
		{"frame from a server is masked", text, client, text, open},
	} {
		t.Run(c.rule, func(t *testing.T) {
			v := Check(c.bad, c.badCtx)
			if v == nil || v.Rule != c.rule || v.Code != ProtocolError || !strings.HasPrefix(v.Section, "RFC ") {
				t.Errorf("Check(%+v, %+v) = %v", c.bad, c.badCtx, v)
			}
			if v := Check(c.good, c.goodCtx); v != nil {
				t.Errorf("Check(%+v, %+v) = %v, want nil", c.good, c.goodCtx, v)
			}
		})
		covered[c.rule] = true
	}
	for i := range rules {
		if !covered[rules[i].Rule] {
			t.Errorf("no test breaks the rule %q", rules[i].Rule)
		}
	}
}

func TestCloseCodes(t *testing.T) {
	next := 0
	for _, row := range codes {
		if int(row.lo) != next || row.hi < row.lo {
			t.Fatalf("row %d-%d does not follow %d", row.lo, row.hi, next-1)
		}
		next = int(row.hi) + 1
	}
	if next != 1<<16 {
		t.Fatalf("the table ends at %d", next-1)
	}
	for c := range 1 << 16 {
		var server, client bool
		switch {
		case c >= 1000 && c <= 1003, c >= 1007 && c <= 1009, c >= 1011 && c <= 1014, c >= 3000 && c <= 4999:
			server, client = true, true
		case c == 1010:
			client = true
		}
		code := CloseCode(c)
		if code.MaySend(Server) != server || code.MaySend(Client) != client || code.MayReceive() != client {
			t.Errorf("%v: server %v, client %v, receive %v", code, code.MaySend(Server), code.MaySend(Client), code.MayReceive())
		}
		if !strings.HasPrefix(code.String(), fmt.Sprintf("%d (", c)) {
			t.Errorf("CloseCode(%d).String() = %q", c, code)
		}
		_, _, err := ParseClose([]byte{byte(c >> 8), byte(c)})
		if _, err2 := AppendClose(nil, code, "x"); (err == nil) != client || (err2 == nil) != client {
			t.Errorf("%v: parse says %v, append says %v", code, err, err2)
		}
	}
}

func TestClosePayload(t *testing.T) {
	long := strings.Repeat("r", MaxReason)
	for _, c := range []struct {
		wire   string
		code   CloseCode
		reason string
		err    error
	}{
		{"", NoStatus, "", nil},
		{"\x03", 0, "", ErrCloseLength},
		{"\x03\xe8", NormalClosure, "", nil},
		{"\x03\xe8bye \xe2\x82\xac", NormalClosure, "bye €", nil},
		{"\x03\xe8" + long, NormalClosure, long, nil},
		{"\x03\xe8" + long + "r", 0, "", ErrCloseLength},
		{"\x03\xe8\xe2\x82", 0, "", ErrReasonUTF8},
		{"\x03\xe8\xed\xa0\x80", 0, "", ErrReasonUTF8},
		{"\x03\xed", 0, "", ErrCloseCode},
	} {
		code, reason, err := ParseClose([]byte(c.wire))
		if code != c.code || reason != c.reason || !errors.Is(err, c.err) {
			t.Errorf("ParseClose(%q) = %v, %q, %v", c.wire, code, reason, err)
		}
		if c.err == nil {
			if b, err := AppendClose([]byte("x"), c.code, c.reason); err != nil || string(b) != "x"+c.wire {
				t.Errorf("AppendClose(%v, %q) = %q, %v", c.code, c.reason, b, err)
			}
		}
	}
	for _, c := range []struct {
		code   CloseCode
		reason string
		err    error
	}{
		{NoStatus, "reason", ErrCloseCode}, {Abnormal, "", ErrCloseCode}, {NormalClosure, long + "r", ErrReasonLength}, {NormalClosure, "\xff", ErrReasonUTF8},
	} {
		if b, err := AppendClose(nil, c.code, c.reason); !errors.Is(err, c.err) || len(b) > 0 {
			t.Errorf("AppendClose(%v, %q) = %q, %v, want %v", c.code, c.reason, b, err, c.err)
		}
	}
}
