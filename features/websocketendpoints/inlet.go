package websocketendpoints

import (
	"io"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// The client is not read while more than inletFull bytes wait, beside those that are being written, until they are no more than
// inletLow. What waits is below inletFull and one message.
const (
	inletFull = 256 << 10
	inletLow  = 64 << 10
)

// inlet passes what a client sends on, in its order, without making the loop of the socket wait: a goroutine writes while
// something waits. What the other side does not take any more is forgotten.
type inlet struct {
	to     io.Writer
	socket *ws.Socket // set before the first put
	done   func()     // called once: after end, when nothing waits any more
	stall  time.Duration
	stuck  func() // called when the client has waited for stall and nothing of what waits was taken

	mu      sync.Mutex
	waiting []byte
	spare   []byte // the buffer that is not in use
	writing bool
	paused  bool
	ended   bool
	failed  bool
	taken   int // pieces
}

// inletStall is how long a client may be kept waiting. A client that is not read cannot be seen to leave either.
const inletStall = time.Minute

// piece is how much is written at once, in bytes.
const piece = 32 << 10

// put takes a message. It is called by the callbacks of the socket.
func (i *inlet) put(parts ...[]byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failed || i.ended {
		return
	}
	for _, p := range parts {
		i.waiting = append(i.waiting, p...)
	}
	if len(i.waiting) > inletFull && !i.paused {
		i.paused = true
		i.socket.Pause()
		i.watchLocked()
	}
	if !i.writing && len(i.waiting) > 0 {
		i.writing = true
		go i.write()
	}
}

// watchLocked looks after a while whether anything was taken since.
func (i *inlet) watchLocked() {
	before := i.taken
	time.AfterFunc(i.stall, func() {
		i.mu.Lock()
		switch {
		case !i.paused:
		case i.taken != before:
			i.watchLocked()
		default:
			i.mu.Unlock()
			i.stuck()
			return
		}
		i.mu.Unlock()
	})
}

// end says that nothing more comes.
func (i *inlet) end() {
	i.mu.Lock()
	first := !i.ended
	i.ended = true
	idle := !i.writing
	i.mu.Unlock()
	if first && idle {
		i.done()
	}
}

// write writes until nothing waits.
func (i *inlet) write() {
	i.mu.Lock()
	for len(i.waiting) > 0 {
		p := i.waiting
		i.waiting, i.spare = i.spare[:0], nil
		i.mu.Unlock()
		err := i.writeAll(p)
		i.mu.Lock()
		if err != nil {
			i.failed, i.waiting = true, nil
		}
		if cap(p) <= inletFull {
			i.spare = p
		}
		if i.paused && len(i.waiting) <= inletLow {
			i.paused = false
			i.socket.Resume()
		}
	}
	i.waiting, i.spare = nil, nil // an idle connection holds no buffer
	i.writing = false
	ended := i.ended
	i.mu.Unlock()
	if ended {
		i.done()
	}
}

func (i *inlet) writeAll(p []byte) error {
	for len(p) > 0 {
		n, err := i.to.Write(p[:min(piece, len(p))])
		if err != nil {
			return err
		}
		p = p[n:]
		i.mu.Lock()
		i.taken++
		i.mu.Unlock()
	}
	return nil
}
