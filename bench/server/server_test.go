package server

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseMode(t *testing.T) {
	for _, m := range []Mode{Plain, NoTakeover, Takeover} {
		if got, err := ParseMode(m.String()); err != nil || got != m {
			t.Errorf("%s is %v, %v", m, got, err)
		}
	}
	if _, err := ParseMode("fast"); err == nil {
		t.Error("an unknown mode passed")
	}
}

func TestChoose(t *testing.T) {
	if all, err := Choose(""); err != nil || len(all) != len(All()) {
		t.Errorf("%d servers, %v", len(all), err)
	}
	if two, err := Choose("gws, coder"); err != nil || len(two) != 2 || two[1].Name != "coder" {
		t.Errorf("%v, %v", two, err)
	}
	if _, err := Choose("uws"); err == nil || !strings.Contains(err.Error(), `"uws"; there are raw-epoll`) {
		t.Errorf("%v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	var out bytes.Buffer
	for name, m := range map[string]Mode{"ws-node": Plain, "gorilla": Takeover, "raw-epoll": NoTakeover} {
		s, err := Choose(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(s[0], m, strings.NewReader(""), &out); err == nil {
			t.Errorf("%s ran in mode %s", name, m)
		}
	}
}

func TestRunObeysAndEndsWithItsInput(t *testing.T) {
	s, err := Choose("raw-net")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Run(s[0], Plain, strings.NewReader("gc\ngc\n"), &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "listening 127.0.0.1:") || !strings.HasSuffix(got, "\ndone\ndone\n") {
		t.Errorf("it prints %q", got)
	}
	if err := Run(s[0], Plain, strings.NewReader("stop\n"), &out); err == nil {
		t.Error("an unknown command passed")
	}
}

func TestRawAnswerIsThatOfTheRFC(t *testing.T) {
	head := "GET /chat HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	answer, path, ok := rawAnswer([]byte(head))
	if !ok || path != "/chat" || !strings.Contains(string(answer), "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n") { // RFC 6455, section 1.3
		t.Errorf("%q, %q, %v", answer, path, ok)
	}
	for _, bad := range []string{"", head[:len(head)-1], "GET / HTTP/1.1\r\n\r\n"} {
		if _, _, ok := rawAnswer([]byte(bad)); ok {
			t.Errorf("%q passed", bad)
		}
	}
}
