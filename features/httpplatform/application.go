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

	mu       sync.Mutex
	set      settings
	slots    []*instance // nil where no process was started
	old      []*instance // replaced, and not ended yet
	next     int
	fails    *process.RapidFail
	last     error // of the last start or process that failed
	sessions sessions
	changes  changes
	renewing bool // replacements are being started
	again    bool // and are out of date already
	closed   bool
	draining bool
}

func newApplication(m *manager, id identity, s settings) *application {
	a := &application{m: m, id: id, token: newToken(), set: s, log: m.log.With("application", id.appPath, "section", id.section)}
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

// errGone is why nothing is started any more.
var errGone = errors.New("the server is stopping")

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
// that starts, unless another is ready.
func (a *application) pick(r *http.Request) (*instance, error) {
	i, err := a.choose(r)
	if err != nil {
		return nil, err
	}
	if err := i.wait(r.Context()); err != nil {
		return nil, err
	}
	return i, nil
}

func (a *application) choose(r *http.Request) (*instance, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errGone
	}
	now := time.Now()
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
	if i := a.slots[turn]; i != nil && i.isReady() {
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
		if i != nil && i.isReady() && (best == nil || i.requests.Load() < best.requests.Load()) {
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
	a.sessions.forget(i)
	a.old = slices.DeleteFunc(a.old, func(o *instance) bool { return o == i })
	a.last = err
	tripped := a.fails.Failed(time.Now())
	level := slog.LevelError
	a.log.Log(context.Background(), level, "a process of an application has failed", "error", err, "was_ready", wasReady, "log", i.logFile())
	if tripped {
		a.log.Error("the application failed too often and is not started for now", "rapidFailsPerMinute", a.set.rapidFails)
	}
	if i.slot >= len(a.slots) || a.slots[i.slot] != i {
		return
	}
	a.slots[i.slot] = nil
	if _, tripped := a.fails.Tripped(time.Now()); wasReady && !tripped && !a.closed {
		a.slots[i.slot] = a.startLocked(i.slot)
	}
}

// recycleLocked starts a replacement for every process there is. Each goes on until its replacement is ready, and is
// kept when that fails.
func (a *application) recycleLocked(why string) {
	a.fails.Reset()
	a.log.Info("the processes of an application are replaced", "because", why)
	if a.renewing {
		a.again = true
		return
	}
	a.renewing = true
	go a.renew()
}

// renew replaces process after process, as often as there was a change meanwhile.
func (a *application) renew() {
	for slot := 0; ; slot++ {
		a.mu.Lock()
		if a.again {
			a.again, slot = false, 0
		}
		for slot < len(a.slots) && a.slots[slot] == nil {
			slot++
		}
		if slot >= len(a.slots) || a.closed {
			a.renewing = false
			a.mu.Unlock()
			return
		}
		before := a.slots[slot]
		fresh := newInstance(a, slot)
		fresh.replaces = true
		a.mu.Unlock()
		go fresh.run()
		err := fresh.wait(context.Background())
		a.mu.Lock()
		switch {
		case err != nil:
			a.log.Error("a replacement could not be started: the process before it goes on", "error", err)
		case slot >= len(a.slots) || a.closed:
			a.retireLocked(fresh, 0)
		default:
			if a.slots[slot] != nil {
				before = a.slots[slot]
			}
			a.slots[slot] = fresh
			a.retireLocked(before, before.set.drain)
		}
		a.mu.Unlock()
	}
}

// retireLocked lets a process end: when nothing that it has begun is left, or after limit.
func (a *application) retireLocked(i *instance, limit time.Duration) {
	if i == nil || slices.Contains(a.old, i) {
		return
	}
	i.retire(limit)
	a.old = append(a.old, i)
	if !a.draining {
		a.draining = true
		go a.drain()
	}
}

// drain ends processes that were replaced, until there are none.
func (a *application) drain() {
	for {
		a.mu.Lock()
		now := time.Now()
		a.old = slices.DeleteFunc(a.old, func(i *instance) bool {
			if !now.After(i.until) && (i.busy() || a.sessions.live(i, now)) {
				return false
			}
			a.sessions.forget(i)
			go i.stop()
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

// offline takes the application down: what its processes have begun may end.
func (a *application) offline() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for slot, i := range a.slots {
		a.retireLocked(i, a.set.shutdown)
		a.slots[slot] = nil
	}
	a.fails.Reset()
}

// close ends all processes.
func (a *application) close() {
	a.mu.Lock()
	a.closed = true
	all := append(slices.Clone(a.slots), a.old...)
	a.slots, a.old = make([]*instance, len(a.slots)), nil
	a.mu.Unlock()
	var wg sync.WaitGroup
	for _, i := range all {
		if i != nil {
			wg.Go(i.stop)
		}
	}
	wg.Wait()
}
