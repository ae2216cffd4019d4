package poller

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Supported tells whether there is a poller on this system.
const Supported = true

// What a descriptor can be watched for.
const (
	Read  Interest = unix.EPOLLIN | unix.EPOLLRDHUP
	Write Interest = unix.EPOLLOUT
	// Edge, with one of the others: a descriptor is reported when something new has arrived or has become possible, and once
	// after each Add and Modify, and not for as long as it is.
	Edge Interest = unix.EPOLLET | unix.EPOLLPRI
)

// deadlineGrain is how exact the limit of a Wait is.
const deadlineGrain = time.Millisecond

// Poller watches descriptors. One goroutine calls Wait; the other methods may be called concurrently.
type Poller struct {
	fd     int
	wakeFD int
	file   *os.File // fd again, known to the Go scheduler
	raw    syscall.RawConn
	events []unix.EpollEvent

	// Of the Wait in progress. They are here, and look is made once, so that Wait allocates nothing.
	look   func(uintptr) bool
	into   []Event
	n      int
	woken  bool
	err    error
	limit  time.Duration
	looked bool      // at least once
	until  time.Time // the deadline of file
}

// Open makes a poller. The error is that of the system when it is out of descriptors.
func Open() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open a poller: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("open a poller: %w", err)
	}
	// A file that is marked as not blocking is waited for by the scheduler, and an epoll descriptor can be: it is
	// readable when one of its own is. So an idle loop costs no thread.
	_ = unix.SetNonblock(fd, true)
	p := &Poller{fd: fd, wakeFD: wake, file: os.NewFile(uintptr(fd), "epoll"), events: make([]unix.EpollEvent, 256)}
	p.look = func(uintptr) bool {
		p.n, p.woken, p.err = p.poll(p.into)
		if p.n == 0 && !p.woken && p.err == nil && !p.looked {
			p.err = p.setDeadline() // only who has to wait needs one
		}
		p.looked = true
		return p.n > 0 || p.woken || p.err != nil
	}
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.control(unix.EPOLL_CTL_ADD, int32(wake), Read)
	}
	if err != nil {
		_ = p.Close()
		return nil, fmt.Errorf("open a poller: %w", err)
	}
	return p, nil
}

// Close gives the poller's own descriptors back; those that it watches stay open.
func (p *Poller) Close() error {
	return errors.Join(unix.Close(p.wakeFD), p.file.Close())
}

func (p *Poller) control(op int, fd int32, i Interest) error {
	return unix.EpollCtl(p.fd, op, int(fd), &unix.EpollEvent{Events: uint32(i), Fd: fd})
}

// Add begins to watch fd.
func (p *Poller) Add(fd int32, i Interest) error { return p.control(unix.EPOLL_CTL_ADD, fd, i) }

// Modify changes what fd is watched for.
func (p *Poller) Modify(fd int32, i Interest) error { return p.control(unix.EPOLL_CTL_MOD, fd, i) }

// Remove ends the watching of fd. Closing a descriptor that has no duplicate does so too.
func (p *Poller) Remove(fd int32) error { return p.control(unix.EPOLL_CTL_DEL, fd, 0) }

// Wake makes the Wait in progress, or the next one, return.
func (p *Poller) Wake() {
	one := [8]byte{7: 1}
	_, _ = unix.Write(p.wakeFD, one[:]) // fails only when it is awake already
}

// Wait waits for at most limit, to the millisecond, forever when it is negative, and puts what is ready into events. It
// returns 0 after Wake or when the time is over.
func (p *Poller) Wait(events []Event, limit time.Duration) (int, error) {
	if limit == 0 {
		n, _, err := p.poll(events)
		return n, err
	}
	p.into, p.n, p.err, p.limit, p.looked = events, 0, nil, limit, false
	err := p.raw.Read(p.look)                                // looks first, and waits when there is nothing
	if !p.looked && errors.Is(err, os.ErrDeadlineExceeded) { // that of an earlier Wait
		p.until = time.Time{}
		if err = p.file.SetReadDeadline(p.until); err == nil {
			err = p.raw.Read(p.look)
		}
	}
	p.into = nil
	switch {
	case p.err != nil:
		return 0, p.err
	case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
		return 0, fmt.Errorf("wait for descriptors: %w", err)
	}
	return p.n, nil
}

// setDeadline makes the Wait in progress end in time. Loops ask for the same moment again and again, and to set it costs more
// than the rest of a Wait: what differs by less than deadlineGrain stays.
func (p *Poller) setDeadline() error {
	var at time.Time
	if p.limit > 0 {
		at = time.Now().Add(p.limit)
	}
	if at.IsZero() == p.until.IsZero() && at.Sub(p.until).Abs() < deadlineGrain {
		return nil
	}
	p.until = at
	if err := p.file.SetReadDeadline(at); err != nil {
		return fmt.Errorf("wait for descriptors: %w", err)
	}
	return nil
}

// poll asks for what is ready now. It is a raw system call: it never waits, so the scheduler need not know of it.
func (p *Poller) poll(events []Event) (n int, woken bool, err error) {
	room := p.events[:min(len(events), len(p.events))]
	got, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&room[0])), uintptr(len(room)), 0, 0, 0)
	if errno != 0 {
		if errno == unix.EINTR {
			return 0, false, nil
		}
		return 0, false, fmt.Errorf("wait for descriptors: %w", errno)
	}
	for _, e := range room[:got] {
		if int(e.Fd) == p.wakeFD {
			var b [8]byte
			_, _ = unix.Read(p.wakeFD, b[:])
			woken = true
			continue
		}
		broken := e.Events&(unix.EPOLLERR|unix.EPOLLHUP) != 0
		events[n] = Event{
			FD:    e.Fd,
			Read:  broken || e.Events&(unix.EPOLLIN|unix.EPOLLRDHUP) != 0,
			Write: broken || e.Events&unix.EPOLLOUT != 0,
			End:   broken || e.Events&(unix.EPOLLRDHUP|unix.EPOLLPRI) != 0,
		}
		n++
	}
	return n, woken, nil
}
