package websocketendpoints

import "testing"

func TestDoorkeeper(t *testing.T) {
	d := &doorkeeper{}
	e := &endpoint{Path: "/x", Max: 4, MaxClient: 2}
	enter := func(remote string, want bool) func() {
		t.Helper()
		leave, refusal := d.enter(remote, e)
		if (refusal == nil) != want {
			t.Errorf("%s: %v, want %v", remote, refusal, want)
		}
		if refusal != nil && (refusal.Status != 503 || refusal.Header.Get("Retry-After") == "") {
			t.Errorf("%+v", refusal)
		}
		return leave
	}
	first := enter("192.0.2.1:1", true)
	enter("192.0.2.1:2", true)
	enter("192.0.2.1:3", false)
	enter("[2001:db8::1]:1", true)
	second := enter("[2001:db8::2]:1", true)
	enter("[2001:db8::3]:1", false)
	first()
	first() // once counts
	enter("192.0.2.1:3", true)
	enter("192.0.2.1:4", false)
	second()
	local := enter("127.0.0.1:1", true)
	enter("127.0.0.1:1", false) // four in all
	local()
	enter("198.51.100.1:1", true)
	enter("198.51.100.2:1", false)
}

func TestLoopbackIsNoClient(t *testing.T) {
	d := &doorkeeper{}
	e := &endpoint{Max: 3, MaxClient: 1}
	for _, remote := range []string{"127.0.0.1:1", "[::1]:1", "@"} {
		if _, refusal := d.enter(remote, e); refusal != nil {
			t.Errorf("%s: %v", remote, refusal)
		}
	}
}

func TestPlacesAreGivenBack(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: "cat", Max: 2})
	a, b := open(t, st.url, nil), open(t, st.url, nil)
	if got := refused(t, st.url); got != 503 {
		t.Errorf("a third: %d", got)
	}
	a.Cut()
	eventually(t, "a place is free", func() bool { return refused(t, st.url) == 101 })
	b.Cut()
	st = newStage(t, typeProcess, endpoint{Command: "/nowhere", Max: 1})
	for range 3 {
		if got := refused(t, st.url); got != 500 {
			t.Errorf("a program that is not there: %d", got)
		}
	}
}
