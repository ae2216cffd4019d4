package load

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// takeAll gives bytes to a connection in pieces.
func takeAll(s *Stream, got []byte, piece int) (messages int, err error) {
	c := new(echoConn)
	for len(got) > 0 {
		n := min(piece, len(got))
		k, err := c.take(s, got[:n])
		messages += k
		if err != nil {
			return messages, err
		}
		got = got[n:]
	}
	return messages, nil
}

func TestEchoCheck(t *testing.T) {
	s := NewStream(128, 16, false)
	message := func(k int) []byte { return s.in[k*s.inLen : (k+1)*s.inLen] }
	flip := func(b []byte, i int) []byte {
		b = bytes.Clone(b)
		b[i] ^= 1
		return b
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, c := range []struct {
		name string
		got  []byte
		want string // in the error; empty when there is to be none
	}{
		{"in order", join(message(0), message(1), message(2)), ""},
		{"around the end", bytes.Repeat(s.in, 3), ""},
		{"a flipped bit in the first byte of a header", join(message(0), flip(message(1), 0)), "message 1, byte 0"},
		{"a flipped bit in the last byte", join(message(0), flip(message(1), s.inLen-1)), "message 1, byte 131"},
		{"swapped", join(message(0), message(2), message(1)), "where message 1 was due"},
		{"lost", join(message(0), message(2)), "where message 1 was due"},
		{"repeated", join(message(0), message(0)), "where message 1 was due"},
		{"a byte lost", join(message(0), message(1)[1:], message(2)), "message 1"},
		{"a message of another connection", message(7), "where message 0 was due"},
	} {
		for _, piece := range []int{1, 7, s.inLen, s.inLen + 1, 1 << 20} {
			n, err := takeAll(s, c.got, piece)
			if c.want == "" {
				if err != nil || n != len(c.got)/s.inLen {
					t.Errorf("%s, in pieces of %d: %d messages, %v", c.name, piece, n, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "wrong echo") {
				t.Errorf("%s, in pieces of %d: %v", c.name, piece, err)
			} else if piece > 2*s.inLen && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %q does not say %q", c.name, err, c.want)
			}
		}
	}
}

func TestMoreEchoesThanSent(t *testing.T) {
	c := pipe{waiting: 1}
	if err := c.arrived(new(hist), 2, 0); err == nil {
		t.Error("two echoes of one message passed")
	}
}

func TestArrivedRecordsEachMessageByItsOwnTime(t *testing.T) {
	c, h := pipe{waiting: 3, oldest: maxDepth - 1}, new(hist)
	c.sent[maxDepth-1], c.sent[0], c.sent[1] = 0, 10, 10
	if err := c.arrived(h, 2, 20); err != nil {
		t.Fatal(err)
	}
	if h.class[20] != 1 || h.class[10] != 1 || c.waiting != 1 || c.oldest != 1 {
		t.Errorf("%d of 20 ns and %d of 10 ns, %d waiting from %d", h.class[20], h.class[10], c.waiting, c.oldest)
	}
}

func TestDeflateStreamInflatesLapAfterLap(t *testing.T) {
	docs := documents(64, 1024)
	for _, c := range []struct {
		takeover   bool
		bits, keep int
	}{{false, 15, 0}, {true, 15, 1 << 15}, {true, 12, 1 << 12}, {true, 9, 1 << 9}} {
		s, err := newDeflateStream(docs, c.takeover, c.bits)
		if err != nil {
			t.Fatal(err)
		}
		f := &inflater{docs: docs, keep: c.keep}
		next, bytesOut := 0, 0
		for i := range 3 * len(docs) {
			var frame []byte
			frame, next = s.frames(next, 1)
			if frame[0] != finBit|rsv1Bit|opText {
				t.Fatalf("first byte 0x%02x", frame[0])
			}
			bytesOut += len(frame)
			if err := f.check(unmasked(frame, 4)); err != nil {
				t.Fatalf("%+v, message %d: %v", c, i, err)
			}
		}
		t.Logf("%+v: %d bytes a frame", c, bytesOut/3/len(docs))
	}
}

// replies returns the frames that a server without takeover would send.
func replies(t *testing.T, docs [][]byte) (frames [][]byte) {
	t.Helper()
	s, err := newDeflateStream(docs, false, 15)
	if err != nil {
		t.Fatal(err)
	}
	for i := range docs {
		frame, _ := s.frames(i, 1)
		frames = append(frames, appendServer(nil, rsv1Bit|opText, unmasked(frame, 4)))
	}
	return frames
}

func TestDeflateCheck(t *testing.T) {
	docs := documents(8, 1024)
	frames := replies(t, docs)
	total := len(bytes.Join(frames, nil)) - 4*len(frames)
	for _, piece := range []int{1, 100, 1 << 20} {
		s := &scanner{check: &inflater{docs: docs}}
		n := 0
		for got := bytes.Join(frames, nil); len(got) > 0; got = got[min(piece, len(got)):] {
			k, err := s.take(got[:min(piece, len(got))])
			if err != nil {
				t.Fatal(err)
			}
			n += k
		}
		if n != len(docs) || s.bytes != uint64(total) {
			t.Errorf("pieces of %d: %d messages of %d bytes, want %d of %d", piece, n, s.bytes, len(docs), total)
		}
	}
	frames[0], frames[1] = frames[1], frames[0]
	if _, err := (&scanner{check: &inflater{docs: docs}}).take(frames[0]); err == nil {
		t.Error("swapped replies passed")
	}
	frames[1][100] ^= 1
	if _, err := (&scanner{check: &inflater{docs: docs}}).take(frames[1]); err == nil {
		t.Error("a flipped bit passed")
	}
}

func TestDocuments(t *testing.T) {
	for i, d := range documents(64, 1024) {
		if len(d) != 1024 || !utf8.Valid(d) {
			t.Fatalf("document %d has %d bytes, valid UTF-8: %v", i, len(d), utf8.Valid(d))
		}
	}
	if !bytes.Equal(documents(2, 1024)[1], documents(2, 1024)[1]) {
		t.Error("documents are not the same each time")
	}
}

func TestHistogramQuantiles(t *testing.T) {
	var h hist
	for i := range 10000 {
		h.add(time.Duration(i+1)*time.Microsecond, 1)
	}
	for _, q := range []float64{0.001, 0.5, 0.99, 0.999, 1} {
		exact := q * 10000 * 1e3
		got := float64(h.quantile(q))
		if got < exact || got > exact*1.04 {
			t.Errorf("quantile %g is %g ns, want %g to 4 %% more", q, got, exact)
		}
	}
	if new(hist).quantile(0.5) != 0 {
		t.Error("the quantile of nothing is not 0")
	}
	for _, v := range []uint64{0, 31, 32, 63, 64, 1 << 40, 1<<63 + 12345} {
		if c := classOf(v); topOf(c) < v || c > 0 && topOf(c-1) >= v {
			t.Errorf("%d is in class %d, which ends at %d", v, c, topOf(c))
		}
	}
}

func TestCheckResponse(t *testing.T) {
	accept := acceptText()
	head := "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nsec-websocket-accept: " + accept +
		"\r\nSEC-WEBSOCKET-EXTENSIONS: permessage-deflate; server_no_context_takeover\r\n\r\n"
	extension, err := checkResponse([]byte(head), accept)
	if err != nil || extension != "permessage-deflate; server_no_context_takeover" {
		t.Errorf("%q, %v", extension, err)
	}
	for _, bad := range []string{strings.Replace(head, "101", "200", 1), strings.Replace(head, accept, "AAAA", 1), ""} {
		if _, err := checkResponse([]byte(bad), accept); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

func TestCheckAgreement(t *testing.T) {
	for _, c := range []struct {
		extension string
		takeover  bool
		bits      int
		ok        bool
		declined  bool
	}{
		{"permessage-deflate", true, 15, true, false},
		{"permessage-deflate; server_max_window_bits=15", true, 15, true, false},
		{"permessage-deflate; server_no_context_takeover", true, 15, false, true},
		{"permessage-deflate;client_no_context_takeover", true, 15, false, true},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", false, 15, true, false},
		{"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", true, 12, true, false},
		{"permessage-deflate; server_max_window_bits=15", true, 12, false, true},
		{"permessage-deflate", true, 12, false, true},
		{"", true, 12, false, true},
		{"permessage-deflate", false, 15, false, false},
		{"", false, 15, false, false},
		{"", true, 15, false, false},
		{"x-webkit-deflate-frame", true, 12, false, false},
	} {
		err := checkAgreement(c.extension, c.takeover, c.bits)
		if (err == nil) != c.ok || errors.Is(err, ErrDeclined) != c.declined {
			t.Errorf("%q with takeover %v and %d bits: %v", c.extension, c.takeover, c.bits, err)
		}
	}
}

func TestCheckClose(t *testing.T) {
	sent := []byte{0x88, 0x82, 1, 2, 3, 4, 2, 0xea}
	for _, c := range []struct {
		got        string
		raw        bool
		whole, bad bool
	}{
		{"\x88\x02\x03\xe8", false, true, false},
		{"\x88\x00", false, true, false},
		{"\x88\x05\x03\xe8bye", false, true, false},
		{"\x88\x02\x03", false, false, false},
		{"\x88", false, false, false},
		{"\x82\x00", false, false, true},
		{"\x88\x01\x03", false, false, true},
		{"\x88\x82\x01\x02\x03\x04", false, false, true},
		{"\x88\x00more", false, false, true},
		{string(sent), true, true, false},
		{string(sent[:3]), true, false, false},
		{"\x88\x02\x03\xe8", true, false, true},
		{string(sent) + "x", true, false, true},
	} {
		whole, err := checkClose([]byte(c.got), sent, c.raw)
		if whole != c.whole || (err != nil) != c.bad {
			t.Errorf("% x, raw %v: %v, %v", c.got, c.raw, whole, err)
		}
	}
}

func TestChoose(t *testing.T) {
	all, err := Choose("")
	if err != nil || len(all) != len(Scenarios()) {
		t.Errorf("%d scenarios, %v", len(all), err)
	}
	two, err := Choose("idle, p1")
	if err != nil || len(two) != 2 || two[0].Name != "idle" || two[1].Name != "p1" {
		t.Errorf("%v, %v", two, err)
	}
	if _, err := Choose("p1,p2"); err == nil || !strings.Contains(err.Error(), `"p2"; there are p1, k1`) {
		t.Errorf("%v", err)
	}
}
