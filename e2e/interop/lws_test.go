//go:build e2e

package interop

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// libwebsockets twice: its library through peers/lws.c, which does the whole exchange, and its own test client, which
// prints what it receives on a socket of "dumb-increment-protocol" and draws on one of "lws-mirror-protocol".

const dumb, mirror = "dumb-increment-protocol", "lws-mirror-protocol"

// library builds peers/lws.c and returns the program.
func library(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "lws")
	out, err := exec.Command("cc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, "peers/lws.c", "-lwebsockets").CombinedOutput()
	if err != nil {
		t.Fatalf("a C compiler or libwebsockets-dev is missing: run \"make deps\": %v\n%s", err, out)
	}
	return program
}

func mode(compress bool) string {
	return map[bool]string{false: "plain", true: "deflate"}[compress]
}

// client runs the library against our server.
func (c cell) client(t *testing.T, program string) {
	t.Helper()
	compression := c.compression()
	if c.compress {
		compression.MinSize = -1 // version 4.1 delivers messages that are not compressed again and again
	}
	s := newStand(t, c.way, compression)
	host, port, _ := net.SplitHostPort(s.addr)
	args := []string{program, "client", host, port, mode(c.compress)}
	if s.cert != "" {
		args = append(args, s.cert)
	}
	c.exchange(t, s, func() (r result) {
		start(t, args...).answer(&r)
		return r
	})
}

func TestLibwebsocketsClient(t *testing.T) {
	t.Parallel()
	program := library(t)
	find(t).each(t, func(t *testing.T, c cell) { c.client(t, program) })
	for _, kind := range []string{"text", "binary", "large"} {
		t.Run("lie/"+kind, func(t *testing.T) {
			s := newStand(t, poller, nil, kind)
			host, port, _ := net.SplitHostPort(s.addr)
			var r result
			start(t, program, "client", host, port, "plain").answer(&r)
			if r.Error != kind+": the echo is wrong" {
				t.Errorf("the client took a wrong %s for a right one: %+v", kind, r)
			}
		})
	}
}

func TestLibwebsocketsClientDeflate(t *testing.T) {
	t.Parallel()
	program := library(t)
	find(t).each(t, func(t *testing.T, c cell) { c.client(t, program) })
}

func TestLibwebsocketsServer(t *testing.T) {
	t.Parallel()
	port := startServer(t, library(t), "server", "plain")
	find(t).each(t, func(t *testing.T, c cell) { c.call(t, port, "", &ws.Compression{}) })
}

func TestLibwebsocketsServerDeflate(t *testing.T) {
	t.Parallel()
	port := startServer(t, library(t), "server", "deflate")
	find(t).each(t, func(t *testing.T, c cell) { c.call(t, port, "", &ws.Compression{}) })
}

// TestLibwebsocketsTestClient judges by what the program prints.
func TestLibwebsocketsTestClient(t *testing.T) {
	t.Parallel()
	find(t).each(t, func(t *testing.T, c cell) {
		s := newStand(t, c.way, nil)
		p := start(t, "libwebsockets-test-client", s.url("/lws"), "-s", "-d", "8")
		defer p.cmd.Process.Kill() // it goes on for ever
		piece := regexp.MustCompile(`rx \d+ '(.*)'\n`)
		eventually(t, "the client prints what it got", func() bool {
			var got string
			for _, m := range piece.FindAllStringSubmatch(p.errs.String(), -1) {
				got += m[1]
			}
			return got == counted(0)+counted(1)+counted(2)
		})
		e := s.end()
		var closed *ws.CloseError
		if !errors.As(e.err, &closed) || closed.Code != 4002 || !closed.Sent {
			t.Errorf("the socket ended with %v", e.err)
		}
		if s.wire == nil {
			return
		}
		eventually(t, "the client draws", func() bool {
			return slices.ContainsFunc(s.wire.sockets(), func(s *traffic) bool {
				return s.up.field("Sec-Websocket-Protocol") == mirror && s.down.count(opText, false) > 20
			})
		})
	})
}

// countUp is what our server says to a client of dumb-increment-protocol: texts, and a close.
func countUp(s session) {
	if s.Subprotocol() != dumb {
		return
	}
	for i := range 3 {
		_ = s.write(frame.Text, []byte(counted(i))) // that it is missing fails the test
	}
	_ = s.close(4002, "see you")
}

// counted is a text that is worth compressing.
func counted(i int) string {
	return fmt.Sprintf("%d %s", i, strings.Repeat("interoperability ", 20))
}
