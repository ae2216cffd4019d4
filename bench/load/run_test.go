package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// faulty is a server that sends back what it gets, but calls spoil for each message of size bytes, raw, with its number
// on its connection; what spoil returns is sent.
type faulty struct {
	size  int
	spoil func(n int, message []byte) []byte
}

// start serves until the test ends and returns the target.
func (f faulty) start(t *testing.T) Target {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	return Target{Addr: l.Addr().String(), PID: os.Getpid(), Raw: true}
}

// serve serves one connection.
func (f faulty) serve(c net.Conn) {
	defer c.Close()
	br := bufio.NewReader(c)
	if _, err := http.ReadRequest(br); err != nil {
		return
	}
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: %s\r\n\r\n", acceptText())
	m := make([]byte, f.size)
	for n := 0; ; n++ {
		if _, err := io.ReadFull(br, m); err != nil {
			return
		}
		if out := f.spoil(n, m); out == nil {
			return
		} else if _, err := c.Write(out); err != nil {
			return
		}
	}
}

// honest returns the message as it is.
func honest(_ int, m []byte) []byte { return m }

// small is an echo scenario of a test, and the length of its frames.
func small(depth int, sliding bool) (Scenario, int) {
	return Scenario{Name: "small", Conns: 3, Depth: depth, Size: 128, Sliding: sliding}, 128 + 8
}

func TestRunCountsAndMeasures(t *testing.T) {
	for _, c := range []struct {
		depth   int
		sliding bool
	}{{1, false}, {16, false}, {16, true}} {
		s, size := small(c.depth, c.sliding)
		res, err := Run(s, faulty{size, honest}.start(t), 0.05)
		if err != nil {
			t.Fatal(err)
		}
		if res.Messages == 0 || res.Checked < res.Messages || res.CPU <= 0 || res.P50 <= 0 || res.P99 < res.P50 || res.Conns != 3 || res.RSS == 0 {
			t.Errorf("depth %d, sliding %v: %+v", c.depth, c.sliding, res)
		}
	}
}

func TestRunLargeMessages(t *testing.T) {
	s := Scenario{Name: "large", Conns: 2, Depth: 1, Size: 1 << 20}
	if _, err := Run(s, faulty{1<<20 + 14, honest}.start(t), 0.05); err != nil {
		t.Fatal(err)
	}
}

func TestRunFindsFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(n int, m []byte) []byte
		want  string
	}{
		{"a flipped bit", func(n int, m []byte) []byte {
			if n == 40 {
				m[100] ^= 0x10
			}
			return m
		}, "wrong echo: message"},
		{"a lost echo", func(n int, m []byte) []byte {
			if n == 40 {
				return m[:0]
			}
			return m
		}, "was due (lost, repeated or out of order)"},
		{"an echo too many", func(n int, m []byte) []byte {
			if n == 40 {
				return bytes.Repeat(m, 2)
			}
			return m
		}, "was due (lost, repeated or out of order)"},
		{"an end", func(n int, m []byte) []byte {
			if n == 40 {
				return nil
			}
			return m
		}, "the server closed the connection"},
	} {
		s, size := small(16, false)
		_, err := Run(s, faulty{size, c.spoil}.start(t), 5)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRunRefusesNonsense(t *testing.T) {
	s, size := small(maxDepth+1, false)
	target := faulty{size, honest}.start(t)
	if _, err := Run(s, target, 0.01); err == nil {
		t.Error("too many messages in flight passed")
	}
	s.Depth = 1
	if _, err := Run(s, target, 0); err == nil {
		t.Error("no time passed")
	}
	target.Addr = "[::1]:80"
	if _, err := Run(s, target, 0.01); err == nil {
		t.Error("an IPv6 address passed")
	}
}
