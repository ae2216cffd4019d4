//go:build e2e && linux && !race

package handover

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// passage is a pair of Unix sockets through which lines and their state go, as from one process to the next: each
// arrives as a descriptor (SCM_RIGHTS) with the length of the text, and the text behind it.
type passage struct {
	mu   sync.Mutex // one at a time
	a, b *net.UnixConn
}

func newPassage(t *testing.T) *passage {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "passage")
		c, err := net.FileConn(f)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		ends[i] = c.(*net.UnixConn)
	}
	return &passage{a: ends[0], b: ends[1]}
}

// pass sends a line and its text through the passage and returns what comes out. The line that goes in is closed.
func (p *passage) pass(line net.Conn, text []byte) (net.Conn, []byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := make(chan error, 1)
	go func() { sent <- p.send(line, text) }()
	arrived, got, err := p.receive()
	return arrived, got, errors.Join(err, <-sent)
}

func (p *passage) send(line net.Conn, text []byte) error {
	f, err := line.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	defer func() { _, _ = f.Close(), line.Close() }()
	size := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	if _, _, err := p.a.WriteMsgUnix(size, unix.UnixRights(int(f.Fd())), nil); err != nil {
		return err
	}
	_, err = p.a.Write(text)
	return err
}

func (p *passage) receive() (net.Conn, []byte, error) {
	var size [4]byte
	rights := make([]byte, unix.CmsgSpace(4))
	n, k, _, _, err := p.b.ReadMsgUnix(size[:], rights)
	if err != nil || n != len(size) {
		return nil, nil, errors.Join(err, errors.New("no line arrived"))
	}
	messages, err := unix.ParseSocketControlMessage(rights[:k])
	if err != nil || len(messages) != 1 {
		return nil, nil, errors.Join(err, errors.New("no descriptor arrived"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, nil, errors.Join(err, errors.New("no descriptor arrived"))
	}
	f := os.NewFile(uintptr(fds[0]), "line")
	line, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		return nil, nil, err
	}
	text := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err = io.ReadFull(p.b, text)
	return line, text, err
}
