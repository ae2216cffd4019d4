package websocketendpoints

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

func TestRooms(t *testing.T) {
	for _, history := range []uint32{0, 5} {
		st := newStage(t, typeHub, endpoint{History: history})
		a, b, other := open(t, st.url+"/tea", nil), open(t, st.url+"/tea", nil), open(t, st.url+"/go", nil)
		greet(t, a, b)
		say(t, a, "from a")
		hear(t, b, "from a")
		say(t, b, "from b")
		hear(t, a, "from b") // and not its own
		if err := a.Write(context20(t), frame.Binary, []byte{0xff}); err != nil {
			t.Fatal(err)
		}
		if op, p, err := b.Read(context20(t)); err != nil || op != frame.Binary || string(p) != "\xff" {
			t.Error(op, p, err)
		}
		_ = other.Close(frame.NormalClosure, "")
		if n := other.Counts().MessagesIn; n != 0 {
			t.Errorf("%d messages in another room", n)
		}
	}
}

// greet waits until members of a room hear each other: joining takes a moment.
func greet(t *testing.T, from *ws.Conn, to ...*ws.Conn) {
	t.Helper()
	for _, c := range to {
		heard := make(chan error, 1)
		go func() {
			_, _, err := c.Read(context20(t))
			heard <- err
		}()
		for waiting := true; waiting; {
			say(t, from, "hello")
			select {
			case err := <-heard:
				if err != nil {
					t.Fatal(err)
				}
				waiting = false
			default:
			}
		}
	}
	say(t, from, "end of greeting")
	for _, c := range to {
		for read(t, c) != "end of greeting" {
		}
	}
}

func TestIncludeSender(t *testing.T) {
	for _, history := range []uint32{0, 5} {
		st := newStage(t, typeHub, endpoint{Sender: true, History: history})
		c := open(t, st.url, nil)
		say(t, c, "myself")
		hear(t, c, "myself")
	}
}

func TestHistory(t *testing.T) {
	st := newStage(t, typeHub, endpoint{History: 3, HistorySize: 10, Sender: true})
	a := open(t, st.url+"/room", nil)
	for i := range 5 {
		say(t, a, fmt.Sprint(i))
		hear(t, a, fmt.Sprint(i))
	}
	b := open(t, st.url+"/room", nil)
	for i := 2; i < 5; i++ {
		hear(t, b, fmt.Sprint(i))
	}
	say(t, a, "eight by")
	for _, c := range []*ws.Conn{a, b} {
		hear(t, c, "eight by")
	}
	c := open(t, st.url+"/room", nil)
	hear(t, c, "3") // with it and the next ten bytes
	hear(t, c, "4")
	hear(t, c, "eight by")
	say(t, a, "more than ten")
	hear(t, a, "more than ten")
	d := open(t, st.url+"/room", nil)
	say(t, d, "x")
	hear(t, d, "x") // nothing of before: too long for the history, which forgot all for it
	for _, conn := range []*ws.Conn{a, b, c, d} {
		_ = conn.Close(frame.NormalClosure, "")
	}
	e := open(t, st.url+"/room", nil) // it is kept when nobody is there
	hear(t, e, "x")
}

// Everybody gets every message once and in order, who comes while others talk too.
func TestNewcomersMissNothing(t *testing.T) {
	const messages, most = 2000, 5000
	st := newStage(t, typeHub, endpoint{History: most, HistorySize: 1 << 20})
	talker := open(t, st.url, nil)
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for range n * 5 {
				c, _, err := ws.Dial(context20(t), st.url, nil)
				if err != nil {
					t.Error(err)
					return
				}
				c.Cut()
			}
			c, _, err := ws.Dial(context20(t), st.url, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Cut()
			for i := range messages {
				_, p, err := c.Read(context20(t))
				if err != nil || string(p) != fmt.Sprint(i) {
					t.Errorf("newcomer %d: %q in place of %d, %v", n, p, i, err)
					return
				}
			}
		})
	}
	for i := range messages {
		say(t, talker, fmt.Sprint(i))
	}
	wg.Wait()
}

func TestHistoryKeepsWithinBounds(t *testing.T) {
	var h history
	p, err := ws.Prepare(frame.Text, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ size, count, bytes int }{
		{4, 1, 4}, {4, 2, 8}, {2, 3, 10}, {1, 3, 7}, {10, 1, 10}, {11, 0, 0}, {0, 1, 0}, {0, 2, 0}, {0, 3, 0}, {0, 3, 0},
	} {
		if h.add(p, c.size, 3, 10); len(h.list) != c.count || h.bytes != c.bytes {
			t.Errorf("after %d: %d messages of %d bytes, want %d of %d", c.size, len(h.list), h.bytes, c.count, c.bytes)
		}
	}
}

func TestLimitsOfRooms(t *testing.T) {
	for _, c := range []struct {
		history uint32
		want    int // of a second room while the first has a history and nobody in it
	}{{0, 101}, {5, 101}} {
		st := newStage(t, typeHub, endpoint{MaxRooms: 1, MaxMembers: 2, History: c.history, Sender: true})
		a, b := open(t, st.url+"/one", nil), open(t, st.url+"/one", nil)
		if got := refused(t, st.url+"/one"); got != 503 {
			t.Errorf("a third member: %d", got)
		}
		if got := refused(t, st.url+"/two"); got != 503 {
			t.Errorf("a second room: %d", got)
		}
		say(t, a, "x")
		hear(t, a, "x")
		_, _ = a.Close(frame.NormalClosure, ""), b.Close(frame.NormalClosure, "")
		eventually(t, "the second room is free", func() bool { return refused(t, st.url+"/two") == c.want })
		if got := refused(t, st.url+"/"+strings.Repeat("x", maxRoomName+1)); got != 400 {
			t.Errorf("a long name: %d", got)
		}
		eventually(t, "a name of the longest kind", func() bool { return refused(t, st.url+"/"+strings.Repeat("x", maxRoomName)) == 101 })
	}
}

// A member that takes nothing is closed, or misses messages; the others notice nothing.
func TestSlowMember(t *testing.T) {
	for _, history := range []uint32{0, 5} {
		for _, policy := range []string{"close", slowDrop} {
			t.Run(fmt.Sprint(policy, history), func(t *testing.T) {
				st := newStage(t, typeHub, endpoint{Slow: policy, History: history, Sender: true})
				slow, talker := open(t, st.url, nil), open(t, st.url, nil)
				greet(t, talker, slow)
				drain(t, talker, "end of greeting")
				message := strings.Repeat("x", 64<<10)
				for range 400 { // 25 MiB
					say(t, talker, message)
					hear(t, talker, message)
				}
				say(t, talker, "last")
				if policy == "close" {
					if code, _ := ended1013(t, slow); code != frame.TryAgainLater && code != 0 {
						t.Errorf("close code %d", code)
					}
					return
				}
				n := drain(t, slow, "last")
				if n >= 400 {
					t.Errorf("it missed nothing: %d messages", n)
				}
			})
		}
	}
}

// drain reads up to a message and returns how many came before it.
func drain(t *testing.T, c *ws.Conn, last string) (n int) {
	t.Helper()
	for read(t, c) != last {
		n++
	}
	return n
}

// ended1013 reads to the end; 0 is a line that was cut.
func ended1013(t *testing.T, c *ws.Conn) (frame.CloseCode, string) {
	for {
		_, _, err := c.Read(context20(t))
		if err == nil {
			continue
		}
		if end, ok := err.(*ws.CloseError); ok {
			return end.Code, end.Reason
		}
		return 0, err.Error()
	}
}
