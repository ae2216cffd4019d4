package poller

import (
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// again turns the answer of a call that would have to wait into no error and no bytes.
func again(n uintptr, errno syscall.Errno) (int, bool, error) {
	switch errno {
	case 0:
		return int(n), true, nil
	case unix.EAGAIN, unix.EINTR:
		return 0, false, nil
	}
	return 0, false, errno
}

// ReadNow reads into b, which must not be empty, without waiting. ok is false when nothing is there; io.EOF means
// that the peer has closed.
func ReadNow(fd int32, b []byte) (n int, ok bool, err error) {
	// recv, and not read, which goes through the layer of files.
	r, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	n, ok, err = again(r, errno)
	if ok && n == 0 {
		return 0, false, io.EOF
	}
	return n, ok, err
}

// WriteNow writes what the line takes of b without waiting. ok is false when it takes nothing.
func WriteNow(fd int32, b []byte) (n int, ok bool, err error) {
	return send(fd, b, 0)
}

// WriteLast is WriteNow for bytes behind which our half of the line, or all of it, is closed at once: the end can travel
// in the same segment as they do, which spares both sides one.
func WriteLast(fd int32, b []byte) (n int, ok bool, err error) {
	return send(fd, b, unix.MSG_MORE)
}

// send is used, and not write, because a line that the peer has reset must not raise SIGPIPE.
func send(fd int32, b []byte, flags uintptr) (n int, ok bool, err error) {
	r, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_NOSIGNAL|flags, 0, 0)
	return again(r, errno)
}

// MaxVector is how many slices WriteVector takes at most.
const MaxVector = 64

// WriteVector writes what the line takes of the slices, none of which may be empty, one behind the other.
func WriteVector(fd int32, bs [][]byte) (n int, ok bool, err error) {
	var vec [MaxVector]unix.Iovec
	count := min(len(bs), MaxVector)
	for i, b := range bs[:count] {
		vec[i].Base = unsafe.SliceData(b)
		vec[i].SetLen(len(b))
	}
	msg := unix.Msghdr{Iov: &vec[0]}
	msg.SetIovlen(count)
	r, _, errno := syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&msg)), unix.MSG_NOSIGNAL)
	return again(r, errno)
}

// Borrow returns the descriptor of a plain TCP line, which the Go scheduler goes on knowing: who borrows it keeps the
// line, and closes that and not the descriptor. ok is false when line is no plain TCP line, or closed.
func Borrow(line net.Conn) (fd int32, tcp *net.TCPConn, ok bool) {
	tcp, ok = line.(*net.TCPConn)
	if !ok {
		return -1, nil, false
	}
	raw, err := tcp.SyscallConn()
	if err == nil {
		err = raw.Control(func(n uintptr) { fd = int32(n) })
	}
	if err != nil {
		return -1, nil, false
	}
	return fd, tcp, true
}

// Duplicate returns another descriptor of the same line, which the Go scheduler does not know.
func Duplicate(fd int32) (int32, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("dup", err)
	}
	return int32(dup), nil
}

// Give makes a line that the Go scheduler knows of a descriptor, which is closed or taken over in any case.
func Give(fd int32) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "tcp:"+strconv.Itoa(int(fd)))
	defer func() { _ = f.Close() }()
	return net.FileConn(f)
}

// Close closes a descriptor.
func Close(fd int32) { _ = unix.Close(int(fd)) }

// CloseWrite ends our half of the line.
func CloseWrite(fd int32) error { return unix.Shutdown(int(fd), unix.SHUT_WR) }

// RemoteAddr asks the system for the peer's address; nil when it knows none any more.
func RemoteAddr(fd int32) net.Addr {
	sa, err := unix.Getpeername(int(fd))
	if err != nil {
		return nil
	}
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port, Zone: zone(a.ZoneId)}
	}
	return nil
}

func zone(id uint32) string {
	if id == 0 {
		return ""
	}
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return strconv.Itoa(int(id))
}
