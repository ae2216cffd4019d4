//go:build linux

package poller

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair returns two ends of a line as descriptors that do not wait.
func pair(t *testing.T) (here, there int32) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(int32(fds[0])); Close(int32(fds[1])) })
	return int32(fds[0]), int32(fds[1])
}

func open(t *testing.T) *Poller {
	t.Helper()
	p, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// ready waits for one event and returns it.
func ready(t *testing.T, p *Poller) Event {
	t.Helper()
	events := make([]Event, 4)
	n, err := p.Wait(events, 10*time.Second)
	if n != 1 || err != nil {
		t.Fatalf("%d events, %v", n, err)
	}
	return events[0]
}

func quiet(t *testing.T, p *Poller) {
	t.Helper()
	if n, err := p.Wait(make([]Event, 4), 0); n != 0 || err != nil {
		t.Fatalf("%d events, %v", n, err)
	}
}

func TestWaitReportsWhatIsReady(t *testing.T) {
	p := open(t)
	here, there := pair(t)
	if err := p.Add(here, Read); err != nil {
		t.Fatal(err)
	}
	quiet(t, p)
	go func() { _, _, _ = WriteNow(there, []byte("hello")) }()
	for range 2 { // until it is read
		if ev := ready(t, p); ev != (Event{FD: here, Read: true}) {
			t.Errorf("%+v", ev)
		}
	}
	b := make([]byte, 10)
	if n, ok, err := ReadNow(here, b); n != 5 || !ok || err != nil || string(b[:n]) != "hello" {
		t.Errorf("%q, %v, %v", b[:n], ok, err)
	}
	if n, ok, err := ReadNow(here, b); n != 0 || ok || err != nil {
		t.Errorf("nothing to read: %d, %v, %v", n, ok, err)
	}
	quiet(t, p)
	if err := p.Modify(here, Read|Write); err != nil {
		t.Fatal(err)
	}
	if ev := ready(t, p); ev != (Event{FD: here, Write: true}) {
		t.Errorf("%+v", ev)
	}
	if err := p.Modify(here, Read); err != nil {
		t.Fatal(err)
	}
	if err := CloseWrite(there); err != nil {
		t.Fatal(err)
	}
	if ev := ready(t, p); !ev.Read {
		t.Errorf("%+v", ev)
	}
	if _, ok, err := ReadNow(here, b); ok || err != io.EOF {
		t.Errorf("the end of the line: %v, %v", ok, err)
	}
	if err := p.Remove(here); err != nil {
		t.Fatal(err)
	}
	quiet(t, p)
	if err := p.Modify(here, Read); !errors.Is(err, unix.ENOENT) {
		t.Errorf("a descriptor that is not watched: %v", err)
	}
}

func TestWaitEnds(t *testing.T) {
	p := open(t)
	start := time.Now()
	if n, err := p.Wait(make([]Event, 1), 20*time.Millisecond); n != 0 || err != nil || time.Since(start) < 20*time.Millisecond {
		t.Errorf("%d, %v after %v", n, err, time.Since(start))
	}
	for _, limit := range []time.Duration{-1, time.Hour} { // also after a limit that has passed
		done := make(chan error, 1)
		go func() {
			_, err := p.Wait(make([]Event, 1), limit)
			done <- err
		}()
		p.Wake()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("Wake did not wake")
		}
	}
	p.Wake() // before Wait: not lost
	if n, err := p.Wait(make([]Event, 1), -1); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

// The deadline that an earlier Wait has left ends no later one, neither before it has looked nor before its own time.
func TestWaitKeepsNoOldDeadline(t *testing.T) {
	p := open(t)
	here, there := pair(t)
	if err := p.Add(here, Read); err != nil {
		t.Fatal(err)
	}
	short := 20 * time.Millisecond
	go func() {
		time.Sleep(short / 4)
		p.Wake()
	}()
	if n, err := p.Wait(make([]Event, 1), short); n != 0 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	time.Sleep(2 * short) // the deadline passes while nobody waits
	if _, _, err := WriteNow(there, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if ev := ready(t, p); !ev.Read {
		t.Errorf("%+v", ev)
	}
	if _, _, err := ReadNow(here, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []time.Duration{short, 3 * short, short} {
		start := time.Now()
		if n, err := p.Wait(make([]Event, 1), limit); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if got := time.Since(start); got < limit-deadlineGrain {
			t.Errorf("waited %v of %v", got, limit)
		}
	}
}

func TestEdgeReportsNewsOnly(t *testing.T) {
	p := open(t)
	here, there := pair(t)
	if err := p.Add(here, Read|Edge); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	for range 2 { // each time something arrives, although nothing was read
		if _, _, err := WriteNow(there, []byte("abc")); err != nil {
			t.Fatal(err)
		}
		if ev := ready(t, p); ev != (Event{FD: here, Read: true}) {
			t.Errorf("%+v", ev)
		}
		quiet(t, p)
	}
	if err := p.Modify(here, Read|Edge); err != nil {
		t.Fatal(err)
	}
	if ev := ready(t, p); !ev.Read { // asked anew
		t.Errorf("%+v", ev)
	}
	if err := CloseWrite(there); err != nil {
		t.Fatal(err)
	}
	if ev := ready(t, p); ev != (Event{FD: here, Read: true, End: true}) {
		t.Errorf("%+v", ev)
	}
	quiet(t, p)
	if n, ok, err := ReadNow(here, b); n != 6 || !ok || err != nil {
		t.Errorf("%d, %v, %v", n, ok, err)
	}
	if _, _, err := ReadNow(here, b); err != io.EOF {
		t.Error(err)
	}
}

func TestInbox(t *testing.T) {
	p := open(t)
	box := NewInbox[int](p)
	events := make([]Event, 1)
	box.Post(1)
	box.Post(2)
	if n, quiet := box.Wait(events, -1); n != 0 || quiet { // what was posted before is not waited for
		t.Errorf("%d, %v", n, quiet)
	}
	if box.Empty() {
		t.Error("empty with two posts")
	}
	posts := box.Take(nil)
	if len(posts) != 2 || posts[0] != 1 || posts[1] != 2 || !box.Empty() {
		t.Errorf("%v", posts)
	}
	if n, quiet := box.Wait(events, time.Millisecond); n != 0 || !quiet {
		t.Errorf("%d, %v", n, quiet)
	}
	const many = 1000
	go func() {
		for i := range many {
			box.Post(i)
		}
	}()
	for want := 0; want < many; {
		if _, quiet := box.Wait(events, 10*time.Second); quiet {
			t.Fatalf("post %d did not wake", want)
		}
		posts = box.Take(posts)
		for _, got := range posts {
			if got != want {
				t.Fatalf("got %d, not %d", got, want)
			}
			want++
		}
	}
}

func TestWritesTakeWhatFits(t *testing.T) {
	here, there := pair(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	n, ok, err := WriteVector(here, [][]byte{[]byte("head"), big})
	if !ok || err != nil || n <= 4 || n >= 4+len(big) {
		t.Fatalf("%d of %d bytes, %v, %v", n, 4+len(big), ok, err)
	}
	if m, ok, err := WriteNow(here, []byte("more")); m != 0 || ok || err != nil {
		t.Errorf("a full line takes %d, %v, %v", m, ok, err)
	}
	got := make([]byte, n)
	for at := 0; at < n; {
		k, ok, err := ReadNow(there, got[at:])
		if !ok || err != nil {
			t.Fatalf("after %d bytes: %v, %v", at, ok, err)
		}
		at += k
	}
	if want := append([]byte("head"), big...)[:n]; !bytes.Equal(got, want) {
		t.Error("what arrived is not what was written")
	}
	Close(there)
	if _, _, err := WriteNow(here, []byte("x")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a line without a peer: %v", err)
	}
}

func TestBorrowAndGive(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	lent, line, ok := Borrow(server)
	if !ok || line != server {
		t.Fatal(ok, line)
	}
	fd, err := Duplicate(lent)
	if err != nil || fd == lent {
		t.Fatal(fd, err)
	}
	if err := line.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := Borrow(server); ok {
		t.Error("a closed line is lent")
	}
	if _, err := Duplicate(-1); !errors.Is(err, syscall.EBADF) {
		t.Errorf("a duplicate of no descriptor: %v", err)
	}
	if a := RemoteAddr(fd); a == nil || a.String() != client.LocalAddr().String() {
		t.Errorf("RemoteAddr %v, want %v", a, client.LocalAddr())
	}
	back, err := Give(fd)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := back.Write([]byte("back")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4)
	if _, err := io.ReadFull(client, b); err != nil || string(b) != "back" {
		t.Errorf("%q, %v", b, err)
	}
	_ = back.Close()
	here, there := net.Pipe()
	defer func() { _, _ = here.Close(), there.Close() }()
	if _, _, ok := Borrow(here); ok {
		t.Error("a line that is no TCP is lent")
	}
}
