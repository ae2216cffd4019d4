package sock

import (
	"errors"
	"io"
	"net"
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

func TestDrop(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_ = c.Close() // f is another descriptor of it
	fd := int(f.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	if n, err := Drop(fd, 10); n != 0 || err != nil {
		t.Errorf("nothing was sent, and %d and %v dropped", n, err)
	}
	if _, err := io.WriteString(s, "0123456789"); err != nil {
		t.Fatal(err)
	}
	p, err := NewPoll()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Add(fd, 1, unix.EPOLLIN); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(-1); err != nil {
		t.Fatal(err)
	}
	if n, err := Drop(fd, 4); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	buf := make([]byte, 16)
	if n, err := Recv(fd, buf); err != nil || string(buf[:n]) != "456789" {
		t.Errorf("what is left is %q, %v", buf[:n], err)
	}
}
