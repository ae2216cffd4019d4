package process_test

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

func TestRapidFail(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	f := process.NewRapidFail(2, time.Minute)
	for i, want := range []bool{false, false, true, false} {
		if got := f.Failed(at(i)); got != want {
			t.Errorf("failure %d trips: %v, want %v", i+1, got, want)
		}
	}
	if until, tripped := f.Tripped(at(60)); !tripped || !until.Equal(at(61)) {
		t.Errorf("at 60 s: %v, until %v", tripped, until)
	}
	if _, tripped := f.Tripped(at(61)); tripped {
		t.Error("still tripped when the failures have left the window")
	}
	if !f.Failed(at(61)) {
		t.Error("one more failure within the window does not trip it again")
	}
	f.Reset()
	if _, tripped := f.Tripped(at(61)); tripped {
		t.Error("tripped after Reset")
	}
}

func TestRapidFailZeroNeverTrips(t *testing.T) {
	f := process.NewRapidFail(0, time.Minute)
	for range 100 {
		if f.Failed(time.Unix(0, 0)) {
			t.Fatal("tripped")
		}
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 4096)
	for _, c := range []struct {
		in   []string
		want []string
	}{
		{[]string{"a\nb\n"}, []string{"a", "b"}},
		{[]string{"a\r\n\n\nb"}, []string{"a", "b"}},
		{[]string{"a", "b", "\nc"}, []string{"ab", "c"}},
		{[]string{long + "\n"}, []string{long}},
		{[]string{long + "y\n"}, []string{long, "y"}},
		{[]string{long[1:], "yz\n"}, []string{long[1:] + "y", "z"}},
	} {
		var got []string
		l := process.NewLines(func(line string) { got = append(got, line) })
		for _, p := range c.in {
			if n, err := l.Write([]byte(p)); n != len(p) || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
		}
		l.Flush()
		if !slices.Equal(got, c.want) {
			t.Errorf("%.40q: got %d lines %.80q, want %.80q", c.in, len(got), got, c.want)
		}
	}
}

func TestFreePort(t *testing.T) {
	port, err := process.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
