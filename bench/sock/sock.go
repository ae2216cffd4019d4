// Package sock calls the kernel for loops that own their thread: non-blocking sends and receives and epoll, past the Go
// scheduler, which makes them as cheap as in C. They must not be used where a call could block.
package sock

import (
	"errors"
	"fmt"
	"io"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Recv reads from a non-blocking socket. 0 and no error mean that nothing is there; io.EOF is the peer's end.
func Recv(fd int, b []byte) (int, error) {
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
		switch {
		case e == unix.EAGAIN:
			return 0, nil
		case e == unix.EINTR:
			continue
		case e != 0:
			return 0, fmt.Errorf("receiving: %w", e)
		case n == 0:
			return 0, io.EOF
		}
		return int(n), nil
	}
}

// Drop takes up to n bytes off a non-blocking TCP socket without copying them (tcp(7), MSG_TRUNC). Its results are those
// of Recv.
func Drop(fd, n int) (int, error) {
	for {
		got, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), 0, uintptr(n), unix.MSG_TRUNC, 0, 0)
		switch {
		case e == unix.EAGAIN:
			return 0, nil
		case e == unix.EINTR:
			continue
		case e != 0:
			return 0, fmt.Errorf("receiving: %w", e)
		case got == 0:
			return 0, io.EOF
		}
		return int(got), nil
	}
}

// Send writes to a non-blocking socket and returns how much the kernel took, which may be nothing.
func Send(fd int, b []byte) (int, error) {
	for {
		n, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
		switch {
		case e == unix.EAGAIN:
			return 0, nil
		case e == unix.EINTR:
			continue
		case e != 0:
			return 0, fmt.Errorf("sending: %w", e)
		}
		return int(n), nil
	}
}

// Poll is an epoll instance for one thread.
type Poll struct {
	fd     int
	events [256]unix.EpollEvent
}

// NewPoll opens an epoll instance.
func NewPoll() (*Poll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("opening epoll: %w", err)
	}
	return &Poll{fd: fd}, nil
}

// Close closes the epoll instance.
func (p *Poll) Close() { _ = unix.Close(p.fd) }

// Add begins to watch a descriptor; what happens is reported with id.
func (p *Poll) Add(fd, id int, events uint32) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, id, events)
}

// Change changes what a descriptor is watched for.
func (p *Poll) Change(fd, id int, events uint32) error {
	return p.control(unix.EPOLL_CTL_MOD, fd, id, events)
}

// control calls epoll_ctl.
func (p *Poll) control(op, fd, id int, events uint32) error {
	ev := unix.EpollEvent{Events: events, Fd: int32(id)}
	if err := unix.EpollCtl(p.fd, op, fd, &ev); err != nil {
		return fmt.Errorf("watching a descriptor: %w", err)
	}
	return nil
}

// Wait returns what is ready, waiting up to timeout milliseconds, without an end when that is -1. It first asks without
// waiting, which under load is nearly always enough. What it returns is valid until the next call.
func (p *Poll) Wait(timeout int) ([]unix.EpollEvent, error) {
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	if e == 0 && n > 0 {
		return p.events[:n], nil
	}
	m, err := unix.EpollWait(p.fd, p.events[:], timeout)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return nil, fmt.Errorf("waiting for descriptors: %w", err)
	}
	return p.events[:max(m, 0)], nil
}
