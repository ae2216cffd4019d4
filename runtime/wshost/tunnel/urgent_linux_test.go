package tunnel

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestUrgentData: a read stops at urgent data; what is behind it comes all the same, although nothing new is reported.
func TestUrgentData(t *testing.T) {
	var e Engine
	client, user := pair(t)
	server, app := pair(t)
	e.Start(client, server, nil, nil, nil)
	raw, err := user.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	for range 100 {
		// The last byte of a write that is urgent is no part of the stream.
		cerr := raw.Control(func(fd uintptr) {
			if err = unix.Sendto(int(fd), []byte("ab!"), unix.MSG_OOB, nil); err == nil {
				_, err = unix.Write(int(fd), []byte("cde"))
			}
		})
		if err := errors.Join(cerr, err); err != nil {
			t.Fatal(err)
		}
		if err := app.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := io.ReadFull(app, got); err != nil || string(got) != "abcde" {
			t.Fatalf("%q, %v", got[:n], err)
		}
	}
}
