package hub

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// segments returns how many TCP segments with data have arrived at a client. On the loopback, without Nagle's
// algorithm, each write to an empty line is one.
func (c client) segments(t *testing.T) uint32 {
	t.Helper()
	raw, err := c.line.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	if cerr := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	return info.Data_segs_in
}

// All that is published within one turn of a loop, to whatever rooms, leaves with one write for each receiver.
func TestOneWriteForEachTurn(t *testing.T) {
	const n = 40
	var h Hub
	st := stand(t, &ws.Upgrader{Engine: &ws.Engine{Loops: 1}}, callbacks{
		opened: func(s *ws.Socket) { h.Join("a", s); h.Join("b", s) },
		message: func(_ *ws.Socket, op frame.Opcode, p []byte) {
			for i := range n {
				if err := h.Publish([]string{"a", "b"}[i%2], op, fmt.Appendf(nil, "%s %d", p, i)); err != nil {
					t.Error(err)
				}
			}
		},
	})
	var all []client
	for range 5 {
		all = append(all, st.join(t, ws.DialOptions{}))
	}
	for _, c := range all { // a first message each, so that nothing is under way
		c.say(t, "hello")
		for _, to := range all {
			for i := range n {
				if p := to.hear(t); p != fmt.Sprint("hello ", i) {
					t.Fatalf("%q is message %d", p, i)
				}
			}
		}
	}
	least := make([]uint32, len(all)) // of several turns: on a busy machine the system sends a segment twice now and then
	for range 5 {
		var before []uint32
		for _, c := range all {
			before = append(before, c.segments(t))
		}
		all[0].say(t, "now")
		for i, c := range all {
			for range n {
				c.hear(t)
			}
			if got := c.segments(t) - before[i]; least[i] == 0 || got < least[i] {
				least[i] = got
			}
		}
	}
	for i, got := range least {
		if got != 1 {
			t.Errorf("%d messages came to receiver %d in %d writes", n, i, got)
		}
	}
}
