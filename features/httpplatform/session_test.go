package httpplatform

import (
	"bytes"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestOpenedSession(t *testing.T) {
	long := strings.Repeat("x", sessionSize)
	for in, want := range map[string]string{
		`0{"sid":"abc","upgrades":["websocket"]}`:             "abc",
		`96:0{"sid":"abc-_1","upgrades":[]}2:40`:              "abc-_1",
		"\x00\x09\x06\xff0{\"sid\":\"abc\"}":                  "abc",
		`___eio[0]("97:0{\"sid\":\"abc\",\"upgrades\":[]}");`: "abc",
		`___eio[12]("0{\"sid\":\"abc\"}");`:                   "abc",
		`0{"upgrades":[],"sid": "abc"}`:                       "abc",
		`0{"sidecar":"x","sid":"abc"}`:                        "abc",
		`0{"sid":"` + long + `"}`:                             long,
		`0{"sid":"` + long + `x"}`:                            "",
		`0{"sid":""}`:                                         "",
		`0{"sid":"abc`:                                        "", // not whole yet
		`0{"sidx":"abc"}`:                                     "",
		`0{"sid":12}`:                                         "",
		`{"user":1,"sid":"abc"}`:                              "", // an answer of something else
		strings.Repeat(" ", packetStart) + `0{"sid":"abc"}`:   "abc",
		strings.Repeat(" ", packetStart+1) + `0{"sid":"abc"}`: "",
		"": "",
	} {
		if got, ok := openedSession([]byte(in)); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", in, got, ok, want)
		}
	}
}

// FuzzOpenedSession holds that an id stands in the answer and is no longer than it may be, and that more of an answer does
// not make another one of it.
func FuzzOpenedSession(f *testing.F) {
	f.Add([]byte(`96:0{"sid":"abc","upgrades":[]}`), 9)
	f.Add([]byte(`___eio[0]("97:0{\"sid\":\"abc\"}");`), 3)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		sid, ok := openedSession(b)
		if ok != (sid != "") || len(sid) > sessionSize || !bytes.Contains(b, []byte(sid)) {
			t.Fatalf("%q: %q %v", b, sid, ok)
		}
		if cut >= 0 && cut < len(b) {
			if early, found := openedSession(b[:cut]); found && early != sid {
				t.Fatalf("%q: %q, and of %d bytes %q", b, sid, cut, early)
			}
		}
	})
}

func TestSessionID(t *testing.T) {
	for query, want := range map[string]string{
		"EIO=4&transport=polling&sid=abc": "abc", "sid=a%2Fb": "a/b", "EIO=4": "", "": "", "sid=": "", "aside=1": "",
		"sid=" + strings.Repeat("x", sessionSize): strings.Repeat("x", sessionSize), "sid=" + strings.Repeat("x", sessionSize+1): "",
	} {
		if got := sessionID(httptest.NewRequest("GET", "/socket.io/?"+query, nil)); got != want {
			t.Errorf("%s: %q", query, got)
		}
	}
	for target, want := range map[string]bool{"GET /?EIO=4&transport=polling": true, "POST /?EIO=4&transport=polling": false, "GET /?transport=polling&sid=a": false, "GET /?transport=websocket": false} {
		method, url, _ := strings.Cut(target, " ")
		if got := opensSession(httptest.NewRequest(method, url, nil)); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
}

func TestSniffer(t *testing.T) {
	packet := `0{"sid":"abc","upgrades":[]}` + strings.Repeat("x", 2*sniffSize)
	var found []string
	for _, in := range []io.Reader{strings.NewReader(packet), iotest.OneByteReader(strings.NewReader(packet)), iotest.DataErrReader(strings.NewReader(packet))} {
		s := &sniffer{ReadCloser: io.NopCloser(in), found: func(sid string) { found = append(found, sid) }}
		if b, err := io.ReadAll(s); err != nil || string(b) != packet || s.head != nil {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	}
	if strings.Join(found, " ") != "abc abc abc" {
		t.Errorf("found %q", found)
	}
	s := &sniffer{ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat(" ", sniffSize) + packet)), found: func(string) { t.Error("found behind the beginning") }}
	if _, err := io.ReadAll(s); err != nil || !s.done {
		t.Error(err)
	}
}

func TestSessionsBounds(t *testing.T) {
	s, now := sessions{most: 16}, time.Unix(1000, 0)
	i := &instance{}
	for n := range 16 {
		s.add(strconv.Itoa(n), i, now)
	}
	if len(s.m) != 16 {
		t.Fatalf("%d sessions of 16", len(s.m))
	}
	s.add("more", i, now)
	if len(s.m) != 14 || s.find("more", now) != i {
		t.Fatalf("%d sessions are left of 17", len(s.m))
	}
	// What was silent for long goes first.
	now = now.Add(sessionKept)
	if s.find("more", now) != i {
		t.Fatal("forgotten")
	}
	for n := range 3 {
		s.add("new"+strconv.Itoa(n), i, now.Add(time.Second))
	}
	if len(s.m) != 4 || s.find("more", now) != i {
		t.Errorf("%d sessions", len(s.m))
	}
	s.add("other", &instance{}, now)
	s.forget(i)
	if len(s.m) != 1 || s.find("new1", now) != nil {
		t.Errorf("%d sessions after one process was forgotten", len(s.m))
	}
}
