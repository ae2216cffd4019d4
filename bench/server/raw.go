package server

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/bench/sock"
)

// rawAnswer returns the answer to an opening handshake and the path that was asked for; ok is false when head is none.
func rawAnswer(head []byte) (answer []byte, path string, ok bool) {
	const field = "Sec-WebSocket-Key: "
	_, rest, found := bytes.Cut(head, []byte(field))
	key, _, whole := bytes.Cut(rest, []byte("\r\n"))
	if !found || !whole || !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		return nil, "", false
	}
	sum := sha1.Sum(append(key[:len(key):len(key)], "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	answer = append(answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	answer = base64.StdEncoding.AppendEncode(answer, sum[:])
	if f := bytes.Fields(head[:min(len(head), 64)]); len(f) > 1 {
		path = string(f[1])
	}
	return append(answer, "\r\n\r\n"...), path, true
}

// isClose tells the Close frame that the connect scenario sends, and after which the server is to close.
func isClose(b []byte) bool { return len(b) == 8 && b[0] == 0x88 && b[1] == 0x82 }

// rawConn is a connection of the raw epoll server: with its place in a table, all that it holds for one.
type rawConn struct {
	unsent *rawRest // what the kernel did not take; nil when it took everything
	state  rawState
}

// rawRest is a part of a large message that waits.
type rawRest struct {
	buf  []byte
	sent int
}

// rawState is what a raw connection is used for.
type rawState uint8

const (
	rawOpening rawState = iota
	rawEchoing
	rawBroadcasting
)

// rawLoop is the raw epoll server.
type rawLoop struct {
	listener int
	poll     *sock.Poll
	conns    []rawConn // by descriptor
	members  []int
	buf      []byte
	spare    []*rawRest
}

// rawEpoll serves with one thread and level-triggered epoll, with the cheapest system calls there are: it is the limit.
func rawEpoll(l net.Listener, _ Mode) error {
	runtime.LockOSThread()
	defer runtime.KeepAlive(l) // its descriptor is used below; without a reference to it, it would be closed
	sc, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		return fmt.Errorf("taking the listener's descriptor: %w", err)
	}
	r := &rawLoop{buf: make([]byte, 512<<10)}
	if err := sc.Control(func(fd uintptr) { r.listener = int(fd) }); err != nil {
		return fmt.Errorf("taking the listener's descriptor: %w", err)
	}
	if r.poll, err = sock.NewPoll(); err != nil {
		return err
	}
	if err := r.poll.Add(r.listener, r.listener, unix.EPOLLIN); err != nil {
		return err
	}
	for {
		events, err := r.poll.Wait(-1)
		if err != nil {
			return err
		}
		for _, ev := range events {
			fd := int(ev.Fd)
			switch {
			case fd == r.listener:
				err = r.accept()
			case ev.Events&unix.EPOLLOUT != 0:
				err = r.resume(fd)
			default:
				r.read(fd)
			}
			if err != nil {
				return err
			}
		}
	}
}

// accept takes one waiting connection.
func (r *rawLoop) accept() error {
	fd, _, err := unix.Accept4(r.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ECONNABORTED) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("accepting: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("setting up a connection: %w", err)
	}
	for fd >= len(r.conns) {
		r.conns = append(r.conns, rawConn{})
	}
	r.conns[fd] = rawConn{}
	return r.poll.Add(fd, fd, unix.EPOLLIN)
}

// read reads once and does with the bytes what the connection is for.
func (r *rawLoop) read(fd int) {
	n, err := sock.Recv(fd, r.buf)
	if err != nil {
		r.close(fd)
		return
	}
	if n == 0 {
		return
	}
	got := r.buf[:n]
	switch c := &r.conns[fd]; c.state {
	case rawOpening:
		answer, path, ok := rawAnswer(got)
		if !ok {
			r.close(fd)
			return
		}
		c.state = rawEchoing
		if path == broadcastPath {
			c.state = rawBroadcasting
			r.members = append(r.members, fd)
		}
		r.write(fd, answer)
	case rawEchoing:
		r.write(fd, got)
		if isClose(got) {
			r.close(fd)
		}
	case rawBroadcasting:
		for _, to := range r.members {
			r.write(to, got)
		}
	}
}

// write sends bytes; what the kernel does not take is kept, and nothing more is read until it is gone.
func (r *rawLoop) write(fd int, b []byte) {
	n, err := sock.Send(fd, b)
	if err != nil {
		return // the next read finds out
	}
	if n < len(b) {
		r.conns[fd].unsent = r.keep(b[n:])
		if err := r.poll.Change(fd, fd, unix.EPOLLOUT); err != nil {
			note("raw-epoll", err)
		}
	}
}

// keep copies bytes to memory that was used before, if there is some.
func (r *rawLoop) keep(b []byte) *rawRest {
	rest := new(rawRest)
	if n := len(r.spare); n > 0 {
		rest, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	rest.buf, rest.sent = append(rest.buf[:0], b...), 0
	return rest
}

// resume sends what was kept.
func (r *rawLoop) resume(fd int) error {
	c := &r.conns[fd]
	n, err := sock.Send(fd, c.unsent.buf[c.unsent.sent:])
	if err != nil {
		r.close(fd)
		return nil
	}
	if c.unsent.sent += n; c.unsent.sent < len(c.unsent.buf) {
		return nil
	}
	r.spare = append(r.spare, c.unsent)
	c.unsent = nil
	return r.poll.Change(fd, fd, unix.EPOLLIN)
}

// close ends a connection.
func (r *rawLoop) close(fd int) {
	for i, m := range r.members {
		if m == fd {
			r.members = append(r.members[:i], r.members[i+1:]...)
			break
		}
	}
	r.conns[fd] = rawConn{}
	_ = unix.Close(fd)
}

// rawNet serves with package net and a goroutine for each connection.
func rawNet(l net.Listener, _ Mode) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		go rawNetConn(c)
	}
}

// rawNetConn answers the opening handshake of one connection and hands it on to a goroutine with a stack of the
// smallest size.
func rawNetConn(c net.Conn) {
	buf := make([]byte, 1<<10)
	n, err := c.Read(buf)
	if err == nil {
		if answer, _, ok := rawAnswer(buf[:n]); ok {
			if _, err := c.Write(answer); err == nil {
				go rawNetEcho(c)
				return
			}
		}
	}
	_ = c.Close()
}

// rawNetEcho echoes. Its buffer grows to 64 KiB when two reads in a row fill it.
func rawNetEcho(c net.Conn) {
	defer c.Close()
	buf := make([]byte, 4<<10)
	full := 0
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil || isClose(buf[:n]) {
			return
		}
		if n < len(buf) || n == 64<<10 {
			full = 0
		} else if full++; full == 2 {
			buf = make([]byte, 64<<10)
		}
	}
}
