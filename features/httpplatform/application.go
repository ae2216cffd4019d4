package httpplatform

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// failWindow is the time in which rapidFailsPerMinute counts.
const failWindow = time.Minute

// drainLook is how often processes that are being replaced are looked at.
const drainLook = 200 * time.Millisecond

// application is a program with the processes that run it. Its slots are filled when a request comes; a process that
// ends by itself is started again, and one that is replaced keeps what it has begun.
type application struct {
	m     *manager
	id    identity
	token string
	log   *slog.Logger

	// Guarded by m.mu: the settings that a request asked for last, and its generation.
	wanted     settings
	generation uint64

	mu       sync.Mutex
	set      settings
	slots    []*instance // nil where no process was started
	fresh    *instance   // the replacement that is being started
	old      []*instance // replaced, and not ended yet
	next     int
	fails    *process.RapidFail
	last     error // of the last start or process that failed
	sessions sessions
	changes  changes
	epoch    int  // of the programs and settings: each reason for a replacement begins another one
	renewing bool // replacements are being started
	closed   bool
	draining bool
	stops    sync.WaitGroup // processes that were asked to end
}

func newApplication(m *manager, id identity, s settings, log *slog.Logger) *application {
	a := &application{m: m, id: id, token: newToken(), set: s, log: log.With("application", id.appPath, "section", id.section)}
	a.sessions.most = sessionsMost
	a.reset()
	return a
}

// reset makes room for the processes that the settings ask for.
func (a *application) reset() {
	a.slots = slices.Grow(a.slots, a.set.processes)
	for len(a.slots) < a.set.processes {
		a.slots = append(a.slots, nil)
	}
	a.fails = process.NewRapidFail(a.set.rapidFails, failWindow)
	a.changes = changes{}
}

// configure gives the application settings. When they are others than before its processes are replaced.
func (a *application) configure(s settings) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.set == s || a.closed {
		return
	}
	a.set = s
	for _, i := range a.slots[min(s.processes, len(a.slots)):] {
		a.retireLocked(i, s.drain)
	}
	a.slots = a.slots[:min(s.processes, len(a.slots))]
	a.reset()
	a.recycleLocked("its settings have changed")
}

var (
	// errGone is why nothing is started any more.
	errGone = errors.New("the server is stopping")
	// errReplaced is a process that was asked to end before it was ready: there is another one, or will be.
	errReplaced = errors.New("the process was replaced while it started")
)

// tooManyFailures is why an application is not started for now.
type tooManyFailures struct {
	limit int
	until time.Time
	last  error
}

// Error names the limit and when it ends.
func (e *tooManyFailures) Error() string {
	return fmt.Sprintf("the application failed more than %d times within a minute; it is started again at %s", e.limit, e.until.Format("15:04:05"))
}

// Unwrap returns the last failure.
func (e *tooManyFailures) Unwrap() error { return e.last }

// pick returns the process that a request goes to: the one that has its session, or the next one in turn. It waits while
// that starts, unless another is ready. The request counts as one of the process from then on; done is to be called
// at its end.
func (a *application) pick(r *http.Request) (i *instance, done func(), err error) {
	a.mu.Lock()
	i, err = a.chooseLocked(r)
	if err != nil {
		a.mu.Unlock()
		return nil, nil, err
	}
	i.requests.Add(1)
	a.mu.Unlock()
	done = func() { i.requests.Add(-1) }
	if err := i.wait(r.Context()); err != nil {
		done()
		return nil, nil, err
	}
	return i, done, nil
}

func (a *application) chooseLocked(r *http.Request) (*instance, error) {
	if a.closed {
		return nil, errGone
	}
	now := a.m.now()
	if why := a.changes.look(&a.set, now); why != "" {
		a.recycleLocked(why)
	}
	if sid := sessionID(r); sid != "" {
		if i := a.sessions.find(sid, now); i != nil {
			return i, nil
		}
	}
	turn := a.next % len(a.slots)
	a.next++
	if i := a.slots[turn]; i != nil && i.isReady() && !i.full() {
		return i, nil
	}
	if a.slots[turn] == nil {
		if until, tripped := a.fails.Tripped(now); tripped {
			if i := a.readyLocked(); i != nil {
				return i, nil
			}
			return nil, &tooManyFailures{a.set.rapidFails, until, a.last}
		}
		a.slots[turn] = a.startLocked(turn)
	}
	if i := a.readyLocked(); i != nil {
		return i, nil
	}
	return a.slots[turn], nil
}

// readyLocked returns the process that is ready and has least to do, nil when none is.
func (a *application) readyLocked() *instance {
	var best *instance
	for _, i := range a.slots {
		if i != nil && i.isReady() && (best == nil || best.full() && !i.full() || best.full() == i.full() && i.requests.Load() < best.requests.Load()) {
			best = i
		}
	}
	return best
}

// startLocked starts a process for a slot.
func (a *application) startLocked(slot int) *instance {
	i := newInstance(a, slot)
	go i.run()
	return i
}

// ended is told of a process that has ended without being asked to, or could not be started.
func (a *application) ended(i *instance, err error, wasReady bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i.gone = true
	a.sessions.forget(i)
	if n := len(a.old); n > 0 {
		if a.old = slices.DeleteFunc(a.old, func(o *instance) bool { return o == i }); len(a.old) < n {
			a.log.Warn("a process that was replaced has ended by itself", "error", err, "log", i.logFile())
			return
		}
	}
	if a.closed {
		return
	}
	a.last = err
	tripped := a.fails.Failed(a.m.now())
	a.log.Error("a process of an application has failed", "error", err, "was_ready", wasReady, "log", i.logFile())
	if tripped {
		a.log.Error("the application failed too often and is not started for now", "rapidFailsPerMinute", a.set.rapidFails)
	}
	if i.slot >= len(a.slots) || a.slots[i.slot] != i {
		return
	}
	a.slots[i.slot] = nil
	if _, tripped := a.fails.Tripped(a.m.now()); wasReady && !tripped {
		a.slots[i.slot] = a.startLocked(i.slot)
	}
}

// recycleLocked starts a replacement for every process there is. Each goes on until its replacement is ready, and is
// kept when that fails.
func (a *application) recycleLocked(why string) {
	a.fails.Reset()
	a.epoch++
	a.log.Info("the processes of an application are replaced", "because", why)
	if !a.renewing {
		a.renewing = true
		go a.renew()
	}
}

// renew replaces process after process, until none is of an earlier epoch but those whose replacement has failed.
func (a *application) renew() {
	for {
		a.mu.Lock()
		slot := slices.IndexFunc(a.slots, func(i *instance) bool { return i != nil && i.epoch < a.epoch })
		if slot < 0 || a.closed {
			a.renewing = false
			a.mu.Unlock()
			return
		}
		fresh := newInstance(a, slot)
		a.fresh = fresh
		a.mu.Unlock()
		go fresh.run()
		err := fresh.wait(context.Background())
		a.mu.Lock()
		a.fresh = nil
		switch {
		case errors.Is(err, errReplaced): // the application was taken down
		case err != nil:
			a.keepLocked(slot, fresh.epoch)
			a.log.Error("a replacement could not be started: the process before it goes on", "error", err)
		case fresh.gone: // it was asked to end, or has ended by itself, the moment it was ready
			a.keepLocked(slot, fresh.epoch)
		case slot >= len(a.slots):
			a.retireLocked(fresh, 0)
		default:
			before := a.slots[slot]
			a.slots[slot] = fresh
			if before != nil { // nil when it has failed for good meanwhile
				a.retireLocked(before, before.set.drain)
			}
		}
		a.mu.Unlock()
	}
}

// keepLocked keeps the process of a slot, whose replacement has failed, until there is another reason to replace it.
func (a *application) keepLocked(slot, epoch int) {
	if slot < len(a.slots) && a.slots[slot] != nil {
		a.slots[slot].epoch = max(a.slots[slot].epoch, epoch)
	}
}

// retireLocked lets a process end: when nothing that it has begun is left, or after limit.
func (a *application) retireLocked(i *instance, limit time.Duration) {
	if i == nil || i.gone || slices.Contains(a.old, i) {
		return
	}
	i.until = a.m.now().Add(limit)
	a.old = append(a.old, i)
	if !a.draining {
		a.draining = true
		go a.drain()
	}
}

// stopLocked asks a process to end.
func (a *application) stopLocked(i *instance) {
	i.gone = true
	a.sessions.forget(i)
	a.stops.Go(i.stop)
}

// drain ends processes that were replaced, until there are none.
func (a *application) drain() {
	for {
		a.mu.Lock()
		now := a.m.now()
		a.old = slices.DeleteFunc(a.old, func(i *instance) bool {
			if now.Before(i.until) && (i.busy() || now.Sub(i.session) < sessionQuiet) {
				return false
			}
			a.stopLocked(i)
			return true
		})
		if len(a.old) == 0 {
			a.draining = false
			a.mu.Unlock()
			return
		}
		a.mu.Unlock()
		time.Sleep(drainLook)
	}
}

// drainLimit returns how long its processes may finish what they have begun.
func (a *application) drainLimit() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.set.drain
}

// offline takes the application down: what its processes have begun may end, within limit.
func (a *application) offline(limit time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for slot, i := range a.slots {
		a.retireLocked(i, limit)
		a.slots[slot] = nil
	}
	if a.fresh != nil && !a.fresh.gone && !a.closed {
		a.stopLocked(a.fresh)
	}
	a.fails.Reset()
}

// close ends all processes.
func (a *application) close() {
	a.mu.Lock()
	a.closed = true
	for _, i := range append(append(slices.Clone(a.slots), a.old...), a.fresh) {
		if i != nil && !i.gone {
			a.stopLocked(i)
		}
	}
	a.slots, a.old = make([]*instance, len(a.slots)), nil
	a.mu.Unlock()
	a.stops.Wait()
}
