package conformance

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of a case. A peer on a busy machine may be twenty times as slow as on an idle one.
const (
	perMiB      = 2 * time.Second // more silence for each MiB that the peer has to work on
	maxSilences = 8               // a whole case may last as long as so many silences
	ticks       = 16              // in which a stopwatch counts
)

// pace keeps the time of one case. A peer is given up when nothing has moved on the line, either way, for longer than
// its work explains: not when it is slow.
type pace struct {
	patience time.Duration
	deadline time.Duration // of silence, when there is nothing to work on
	began    time.Time
	owed     int64 // bytes that the peer has been given to work on
	late     bool  // a stopwatch has run out
	over     bool  // the case is given up

	moves atomic.Uint64 // counts what moves
	busy  atomic.Bool   // the judge is at work: it is no time of the peer's
	deaf  sync.Mutex    // held while nothing is to be read
}

func newPace(o Options) *pace {
	return &pace{patience: o.Patience, deadline: o.Deadline, began: time.Now()}
}

// owe gives the peer time to work on so many bytes.
func (p *pace) owe(bytes int) { p.owed += int64(bytes) }

// silence is how long nothing may move.
func (p *pace) silence() time.Duration { return p.deadline + time.Duration(p.owed)*(perMiB>>20) }

// moved tells that bytes have moved.
func (p *pace) moved() { p.moves.Add(1) }

// atWork tells that the judge works on what has come, or has done so.
func (p *pace) atWork(on bool) {
	p.busy.Store(on)
	p.moved()
}

// meter is a reader that tells of what it reads.
type meter struct {
	in   io.Reader
	pace *pace
}

func (m meter) Read(b []byte) (int, error) {
	m.pace.deaf.Lock()
	m.pace.deaf.Unlock() //lint:ignore SA2001 it waits for whoever holds it
	n, err := m.in.Read(b)
	if n > 0 {
		m.pace.moved()
	}
	return n, err
}

// stopwatch counts the time that a peer has had. It counts ticks: those that come late because the judge's own machine
// is busy are lost, so that what the judge cannot see in time is not held against the peer.
type stopwatch struct {
	pace    *pace
	ticker  *time.Ticker
	silence bool // it counts from the last move
	count   int
	moves   uint64
}

// moment is a stopwatch that runs out after d.
func (p *pace) moment(d time.Duration) *stopwatch {
	return &stopwatch{pace: p, ticker: time.NewTicker(max(d/ticks, time.Millisecond))}
}

// wholeCase is a stopwatch that runs out when nothing has moved for too long, or the case has lasted too long.
func (p *pace) wholeCase() *stopwatch {
	w := p.moment(p.silence())
	w.silence, w.moves = true, p.moves.Load()
	return w
}

func (w *stopwatch) tick() <-chan time.Time { return w.ticker.C }
func (w *stopwatch) stop()                  { w.ticker.Stop() }

// giveUp ends the case: nothing is waited for any more.
func (p *pace) giveUp() { p.late, p.over = true, true }

// spent reports whether there is nothing to wait for.
func (w *stopwatch) spent() bool { return w.silence && w.pace.over }

// over counts a tick and reports whether the time is over.
func (w *stopwatch) over() bool {
	moves := w.pace.moves.Load()
	switch {
	case w.pace.busy.Load(), w.silence && moves != w.moves:
		w.count, w.moves = 0, moves
	default:
		w.count++
	}
	if w.count < ticks && !(w.silence && time.Since(w.pace.began) > maxSilences*w.pace.silence()) {
		return false
	}
	w.pace.late, w.pace.over = true, w.pace.over || w.silence
	return true
}
