package ws

import (
	"errors"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// BlockingOptions bounds what Blocking spends. Fields that are not positive mean the default.
type BlockingOptions struct {
	// Goroutines is how many callbacks run at once, over all sockets; default 256. Sockets beyond wait for their turn.
	Goroutines int
	// Queue is how many messages of one socket wait for their callback; default 16. From then on, or from one
	// Limits.MessageSize of bytes on, the socket is not read until none waits.
	Queue int
}

// Blocking makes a handler of h whose callbacks may wait: for a database, for Socket.WriteWait, for anything but their
// own socket's end. One Blocking is to serve many sockets, for its bounds hold over all of them.
//
// A socket's callbacks run one after the other, in the order of what happened, in a goroutine that exists only while
// something waits for it; sockets that outnumber the goroutines take turns, one callback each. Closed is the last. The
// payload of Message is a copy that h may keep. A panic ends the socket with 1011, and messages that wait then are
// forgotten.
//
// Between socket and callback there is a queue: Socket.Pause stops what is not read yet, not what waits; Socket.Done
// and OnEnd may be ahead of Closed; and what waits when Socket.Detach takes the line is delivered here, where replies
// fail with ErrClosing.
func Blocking(h Handler, o BlockingOptions) Handler {
	if o.Goroutines <= 0 {
		o.Goroutines = 256
	}
	if o.Queue <= 0 {
		o.Queue = 16
	}
	return &blocking{h: h, o: o, boxes: map[*Socket]*box{}}
}

// holdBusy is one more reason for reading to pause: enough messages wait for their callback.
const holdBusy uint32 = 16

// blocking hands what happens on sockets over to goroutines of its own.
type blocking struct {
	h Handler
	o BlockingOptions

	mu      sync.Mutex // guards what follows; never held in a callback
	boxes   map[*Socket]*box
	running int    // goroutines
	ready   []*box // have something waiting and no goroutine, longest first
}

// box is what waits for the callbacks of one socket.
type box struct {
	s       *Socket
	waiting []errand
	bytes   int64 // of the messages in waiting
	busy    bool  // a goroutine has it, or it is ready
	held    bool  // its socket is not read
	failed  bool  // a callback has panicked: only Closed is left
}

// errand is one callback to be made.
type errand struct {
	kind    errandKind
	op      frame.Opcode
	payload []byte
	err     error
}

type errandKind uint8

const (
	opening errandKind = iota
	message
	closing
)

func (b *blocking) Opened(s *Socket) { b.put(s, errand{kind: opening}) }

func (b *blocking) Message(s *Socket, op frame.Opcode, payload []byte) {
	b.put(s, errand{kind: message, op: op, payload: clone(payload)})
}

func (b *blocking) Closed(s *Socket, err error) { b.put(s, errand{kind: closing, err: err}) }

// put has e done after everything else that waits for s.
func (b *blocking) put(s *Socket, e errand) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.boxes[s]
	if x == nil {
		x = &box{s: s}
		b.boxes[s] = x
	}
	if e.kind == message && x.failed {
		return
	}
	x.waiting = append(x.waiting, e)
	x.bytes += int64(len(e.payload))
	if e.kind == message && !x.held && (len(x.waiting) >= b.o.Queue || x.bytes >= s.rx.set.limits.MessageSize) {
		x.held = true
		s.stop(holdBusy)
	}
	if x.busy {
		return
	}
	x.busy = true
	if b.running == b.o.Goroutines {
		b.ready = append(b.ready, x)
		return
	}
	b.running++
	go b.work(x)
}

// work makes callbacks, those of x first, until there are none left for this goroutine.
func (b *blocking) work(x *box) {
	done := false
	defer func() {
		if !done {
			go b.work(b.next(x)) // a callback has ended its goroutine; x has nothing but Closed left, if that
		}
	}()
	for x != nil {
		if e, ok := b.take(x); ok {
			b.do(x, e)
		}
		x = b.next(x)
	}
	done = true
}

// take takes the next errand of x, and has its socket read again when it was the last.
func (b *blocking) take(x *box) (e errand, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(x.waiting) == 0 {
		return e, false
	}
	e = x.waiting[0]
	x.waiting[0] = errand{}
	x.waiting = x.waiting[1:]
	x.bytes -= int64(len(e.payload))
	b.readLocked(x)
	return e, true
}

// readLocked has the socket of x read again once nothing waits.
func (b *blocking) readLocked(x *box) {
	if len(x.waiting) > 0 {
		return
	}
	x.waiting = nil
	if x.held {
		x.held = false
		x.s.goOn(holdBusy)
	}
}

// next returns the box that a goroutine goes on with after x, nil when it is not needed any more. It may get nil itself.
func (b *blocking) next(x *box) *box {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x != nil && len(x.waiting) > 0 {
		if len(b.ready) == 0 {
			return x
		}
		b.ready = append(b.ready, x)
	} else if x != nil {
		x.busy = false
	}
	if len(b.ready) == 0 {
		b.running--
		return nil
	}
	x = b.ready[0]
	b.ready[0] = nil
	b.ready = b.ready[1:]
	return x
}

var errHandlerExit = errors.New("the handler has ended its goroutine")

// do makes one callback.
func (b *blocking) do(x *box, e errand) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			b.failed(x, v)
		} else if !returned {
			b.failed(x, errHandlerExit)
		}
	}()
	switch e.kind {
	case opening:
		b.h.Opened(x.s)
	case message:
		b.h.Message(x.s, e.op, e.payload)
	case closing:
		b.mu.Lock()
		delete(b.boxes, x.s)
		b.mu.Unlock()
		b.h.Closed(x.s, e.err)
	}
	returned = true
}

// failed ends the socket of x, whose callback has panicked with v, and forgets the messages that wait.
func (b *blocking) failed(x *box, v any) {
	x.s.panicked(v)
	b.mu.Lock()
	defer b.mu.Unlock()
	x.failed = true
	var last []errand
	if n := len(x.waiting); n > 0 && x.waiting[n-1].kind == closing {
		last = x.waiting[n-1:]
	}
	x.waiting, x.bytes = last, 0
	b.readLocked(x)
}
