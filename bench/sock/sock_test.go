package sock

import (
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"
)

// pair returns two connected sockets that do not block.
func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Close(fds[0])
		_ = unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

func TestSendAndReceive(t *testing.T) {
	a, b := pair(t)
	buf := make([]byte, 16)
	if n, err := Recv(b, buf); n != 0 || err != nil {
		t.Errorf("nothing was sent, and %d and %v received", n, err)
	}
	if n, err := Send(a, []byte("hello")); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := Recv(b, buf); err != nil || string(buf[:n]) != "hello" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if err := unix.Shutdown(a, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	if _, err := Recv(b, buf); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	if _, err := Send(a, []byte("x")); !errors.Is(err, unix.EPIPE) {
		t.Errorf("after the end: %v", err)
	}
}

func TestSendStopsWhenThePeerDoesNotTakeIt(t *testing.T) {
	a, _ := pair(t)
	block := make([]byte, 1<<20)
	for {
		n, err := Send(a, block)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func TestPoll(t *testing.T) {
	a, b := pair(t)
	p, err := NewPoll()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Add(b, 7, unix.EPOLLIN); err != nil {
		t.Fatal(err)
	}
	if ready, err := p.Wait(0); err != nil || len(ready) != 0 {
		t.Errorf("%v, %v", ready, err)
	}
	if _, err := Send(a, []byte("x")); err != nil {
		t.Fatal(err)
	}
	ready, err := p.Wait(-1)
	if err != nil || len(ready) != 1 || ready[0].Fd != 7 || ready[0].Events != unix.EPOLLIN {
		t.Errorf("%v, %v", ready, err)
	}
	if err := p.Change(b, 9, unix.EPOLLOUT); err != nil {
		t.Fatal(err)
	}
	if ready, err := p.Wait(-1); err != nil || len(ready) != 1 || ready[0].Fd != 9 {
		t.Errorf("%v, %v", ready, err)
	}
}
