package tunnel

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	// leanBuffer is what a goroutine reads into while little passes, fullBuffer while much does.
	leanBuffer = 2 << 10
	fullBuffer = 32 << 10
)

// carry moves bytes in both directions, each in a goroutine, and returns when both have ended.
func (t *Tunnel) carry(buffers *sync.Pool) {
	client, server := t.lines[0], t.lines[1]
	ended := make(chan struct{}, 2)
	go func() { t.copy(&t.client, server, client, buffers); ended <- struct{}{} }()
	go func() { t.copy(&t.server, client, server, buffers); ended <- struct{}{} }()
	<-ended
	late := time.AfterFunc(LingerTime, t.Cut)
	<-ended
	late.Stop()
	_ = client.Close()
	_ = server.Close()
	t.finish()
}

// copy moves what from sends to to. At its end it says so to to; when it fails both lines are closed.
func (t *Tunnel) copy(from *side, to, line net.Conn, buffers *sync.Pool) {
	if b := from.other.pending; b != nil {
		from.other.pending = nil
		if _, err := to.Write(b); err != nil {
			t.Cut()
			return
		}
	}
	small := make([]byte, leanBuffer)
	buf := small
	for {
		n, err := line.Read(buf)
		from.read.Add(int64(n))
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				t.Cut()
				return
			}
		}
		switch {
		case err == io.EOF:
			if half, ok := to.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
				t.Cut()
			}
			return
		case err != nil:
			t.Cut()
			return
		case n == len(buf) && len(buf) == leanBuffer:
			if b, ok := buffers.Get().(*[fullBuffer]byte); ok {
				buf = b[:]
			} else {
				buf = new([fullBuffer]byte)[:]
			}
		case n < leanBuffer/2 && len(buf) == fullBuffer:
			buffers.Put((*[fullBuffer]byte)(buf))
			buf = small
		}
	}
}
