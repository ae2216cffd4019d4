package hub

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Who a message comes from does not get it when it is excepted, and the order is kept all the same.
func TestPublishExcept(t *testing.T) {
	everyDriver(t, func(t *testing.T, d ws.Driver) {
		var h Hub
		st := stand(t, &ws.Upgrader{Driver: d}, callbacks{
			message: func(s *ws.Socket, op frame.Opcode, p []byte) {
				for i := range 4 {
					publish(t, &h, "room", fmt.Sprint("to all ", i))
					if err := h.PublishExcept("room", op, fmt.Appendf(nil, "%s %d", p, i), s); err != nil {
						t.Error(err)
					}
				}
			},
		})
		var all []client
		for range 3 {
			c := st.join(t, ws.DialOptions{})
			h.Join("room", c.socket)
			all = append(all, c)
		}
		all[1].say(t, "from the middle")
		for i := range 4 {
			for k, c := range all {
				if p := c.hear(t); p != fmt.Sprint("to all ", i) {
					t.Errorf("%q came to %d", p, k)
				}
				if k == 1 {
					continue
				}
				if p := c.hear(t); p != fmt.Sprint("from the middle ", i) {
					t.Errorf("%q came to %d", p, k)
				}
			}
		}
		h.Leave("room", all[1].socket)
		if err := h.PublishExcept("room", frame.Text, []byte("x"), all[1].socket); err != nil {
			t.Error(err)
		}
		if err := h.PublishExcept("room", frame.Text, []byte("y"), nil); err != nil {
			t.Error(err)
		}
		if p := all[0].hear(t) + all[0].hear(t) + all[2].hear(t) + all[2].hear(t); p != "xyxy" {
			t.Error(p)
		}
		if err := h.PublishExcept("room", frame.Text, []byte("\xff"), nil); !errors.Is(err, ws.ErrText) {
			t.Error(err)
		}
	})
}

// A peer that joins and leaves for ever does not make its socket grow.
func TestComingAndGoingCostsNothing(t *testing.T) {
	var h Hub
	st := stand(t, new(ws.Upgrader), callbacks{})
	s := st.join(t, ws.DialOptions{}).socket
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	for range 20000 {
		if !h.Join("room", s) || !h.Leave("room", s) {
			t.Fatal("not joined, or not left")
		}
	}
	if after := held(); after > before+1<<20 {
		t.Errorf("%d bytes more are held", after-before)
	}
	runtime.KeepAlive(s)
}
