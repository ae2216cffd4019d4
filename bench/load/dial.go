package load

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/bench/sock"
)

// keyText is the Sec-WebSocket-Key of every handshake. RFC 6455, section 4.1, wants a fresh one each time, to tell
// cached answers; there is no cache between load and server.
const keyText = "cm9sZW1nciBiZW5jaG1hcg=="

// request returns the opening handshake for a path.
func request(addr, path, offer string) []byte {
	b := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n", path, addr, keyText)
	if offer != "" {
		b = fmt.Appendf(b, "Sec-WebSocket-Extensions: %s\r\n", offer)
	}
	return append(b, "\r\n"...)
}

// acceptText returns the Sec-WebSocket-Accept that belongs to keyText (RFC 6455, section 4.2.2).
func acceptText() string {
	sum := sha1.Sum([]byte(keyText + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// checkResponse checks an answer to an opening handshake and returns the extension the server agreed to.
func checkResponse(head []byte, accept string) (extension string, err error) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 101 ")) {
		return "", fmt.Errorf("the server answers the handshake with %q", line)
	}
	got := ""
	for field := range bytes.SplitSeq(rest, []byte("\r\n")) {
		name, value, _ := strings.Cut(string(field), ":")
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Sec-Websocket-Accept":
			got = strings.TrimSpace(value)
		case "Sec-Websocket-Extensions":
			extension = strings.TrimSpace(value)
		}
	}
	if got != accept {
		return "", fmt.Errorf("the server's Sec-WebSocket-Accept is %q, want %q", got, accept)
	}
	return extension, nil
}

// headEnd ends the head of an HTTP message.
const headEnd = "\r\n\r\n"

// dialer opens connections one after the other.
type dialer struct {
	addr    unix.SockaddrInet4
	request []byte
	accept  string
	buf     [4096]byte
}

// newDialer prepares connections to a path of the target.
func newDialer(addr, path, offer string) (*dialer, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || !ap.Addr().Is4() {
		return nil, fmt.Errorf("the server's address is %q, want an IPv4 address with a port", addr)
	}
	return &dialer{
		addr:    unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()},
		request: request(addr, path, offer), accept: acceptText(),
	}, nil
}

// open opens one connection with its handshake and returns the socket, which does not block.
func (d *dialer) open() (fd int, extension string, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, "", fmt.Errorf("opening a socket: %w", err)
	}
	extension, err = d.shake(fd)
	if err != nil {
		_ = unix.Close(fd)
		return -1, "", err
	}
	return fd, extension, nil
}

// shake connects a socket and performs the opening handshake on it.
func (d *dialer) shake(fd int) (extension string, err error) {
	limit := unix.NsecToTimeval(int64(stall))
	if err := errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
	); err != nil {
		return "", fmt.Errorf("setting up a socket: %w", err)
	}
	if err := unix.Connect(fd, &d.addr); err != nil {
		return "", fmt.Errorf("connecting: %w", err)
	}
	if _, err := unix.Write(fd, d.request); err != nil {
		return "", fmt.Errorf("sending the handshake: %w", err)
	}
	n := 0
	for !bytes.HasSuffix(d.buf[:n], []byte(headEnd)) {
		if n == len(d.buf) {
			return "", errors.New("the server's answer to the handshake is too long")
		}
		m, err := unix.Read(fd, d.buf[n:])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return "", fmt.Errorf("the server has not answered the handshake in %v", stall)
		case err != nil:
			return "", fmt.Errorf("reading the handshake: %w", err)
		case m == 0:
			return "", errors.New("the server closed the connection in the handshake")
		}
		n += m
	}
	if extension, err = checkResponse(d.buf[:n], d.accept); err != nil {
		return "", err
	}
	return extension, unix.SetNonblock(fd, true)
}

// openAll opens n connections to a path, registers them with p under their number, and returns the sockets. What was
// opened is returned with an error too.
func (r *run) openAll(p *sock.Poll, path string, n int) (fds []int, err error) {
	d, err := newDialer(r.target.Addr, path, r.scenario.Offer)
	if err != nil {
		return nil, err
	}
	for i := range n {
		fd, extension, err := d.open()
		if err != nil {
			return fds, fmt.Errorf("connection %d: %w", i+1, err)
		}
		fds = append(fds, fd)
		r.res.Extension = extension
		if err := p.Add(fd, i, watched); err != nil {
			return fds, err
		}
	}
	r.res.Conns = len(fds)
	return fds, nil
}

// closeAll closes sockets, with a reset where one is still in use: there is nothing more to be said.
func closeAll(fds []int) {
	linger := unix.Linger{Onoff: 1}
	for _, fd := range fds {
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger)
		_ = unix.Close(fd)
	}
}

// stalled returns an error when nothing has arrived for too long.
func stalled(last, now time.Duration, missing uint64) error {
	if now-last < stall {
		return nil
	}
	return fmt.Errorf("nothing arrived for %v while %d messages were due", stall, missing)
}
