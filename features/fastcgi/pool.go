package fastcgi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

var (
	errQueueFull  = errors.New("the queue of the application is full")
	errRapidFails = errors.New("the processes of the application have failed too often within a minute")
	errClosed     = errors.New("the application is being stopped")
)

// pool is an application with its processes. It outlives generations that declare it alike. Methods may be called
// concurrently.
//
// An instance goes starting → busy → idle → busy ... → ended; only its own request, or the timer of an idle one, moves it.
type pool struct {
	app     application
	program gateway.Program
	network string // of an application that runs already; "" for one with processes
	address string
	dir     string // for sockets
	keeper  *process.Keeper
	release func() // of the keeper
	log     *slog.Logger
	rapid   *process.RapidFail

	mu      sync.Mutex
	closed  bool
	count   int         // instances that are there or being started
	idle    []*instance // the one used last is at the end
	waiting []chan struct{}
	serial  int
	epoch   int       // instances of an earlier one run an earlier state of their files
	monitor time.Time // of the file monitorChangesTo
}

// limit returns how many instances there may be. With maxInstances="0" the server decides: a script waits for others
// more than it computes.
func (p *pool) limit() int {
	switch {
	case p.app.Max == 0 && p.network != "":
		return math.MaxInt // it has limits of its own
	case p.app.Max == 0:
		return 8 * runtime.GOMAXPROCS(0)
	}
	return int(p.app.Max)
}

// acquire returns an instance for one request. It waits for one while all are busy.
func (p *pool) acquire(ctx context.Context) (*instance, error) {
	if until, tripped := p.rapid.Tripped(time.Now()); tripped {
		return nil, fmt.Errorf("%w; it is tried again at %s", errRapidFails, until.Format(time.TimeOnly))
	}
	p.recycleChanged()
	for {
		i, wait, err := p.take()
		switch {
		case err != nil:
			return nil, err
		case wait != nil:
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				p.giveUp(wait)
				return nil, ctx.Err()
			}
		case i != nil:
			return i, nil
		}
		i, err = p.start()
		if err != nil {
			p.gone()
			p.failed(err.Error())
			return nil, err
		}
		return i, nil
	}
}

// take returns an idle instance, or a channel to wait on, or nothing when one is to be started.
func (p *pool) take() (*instance, chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, errClosed
	}
	for len(p.idle) > 0 {
		i := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if i.timer.Stop() && i.alive() {
			return i, nil, nil
		}
		p.count--
		go i.stop(0)
	}
	if p.count < p.limit() {
		p.count++
		return nil, nil, nil
	}
	if len(p.waiting) >= int(p.app.Queue) {
		return nil, nil, errQueueFull
	}
	wait := make(chan struct{})
	p.waiting = append(p.waiting, wait)
	return nil, wait, nil
}

// giveUp takes a request out of the queue; one that was woken passes that on.
func (p *pool) giveUp(wait chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, w := range p.waiting {
		if w == wait {
			p.waiting = append(p.waiting[:n], p.waiting[n+1:]...)
			return
		}
	}
	p.wake()
}

func (p *pool) wake() {
	if len(p.waiting) > 0 {
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// gone notes that an instance is no more.
func (p *pool) gone() {
	p.mu.Lock()
	p.count--
	p.wake()
	p.mu.Unlock()
}

// failed notes that an instance ended against its will, or could not be started.
func (p *pool) failed(why string) {
	tripped := p.rapid.Failed(time.Now())
	p.log.Warn("a FastCGI process failed", "application", p.app.FullPath, "reason", why)
	if tripped {
		p.log.Error("a FastCGI application fails too often; its requests are answered with 500.0 for a while",
			"application", p.app.FullPath, "rapidFailsPerMinute", p.app.RapidFails)
	}
}

// put gives an instance back. One that has served its requests, or runs an earlier state of its files, is replaced.
func (p *pool) put(i *instance) {
	i.served++
	p.mu.Lock()
	keep := !p.closed && i.alive() && i.served < p.app.Requests && i.epoch == p.epoch
	if keep {
		i.timer = time.AfterFunc(time.Duration(p.app.Idle)*time.Second, func() { p.expire(i) })
		p.idle = append(p.idle, i)
	} else {
		p.count--
	}
	p.wake()
	p.mu.Unlock()
	if !keep {
		i.stop(p.grace())
	}
}

// expire ends an instance that nobody has used for idleTimeout.
func (p *pool) expire(i *instance) {
	p.mu.Lock()
	for n, other := range p.idle {
		if other == i {
			p.idle = append(p.idle[:n], p.idle[n+1:]...)
			p.count--
			p.mu.Unlock()
			i.stop(p.grace())
			return
		}
	}
	p.mu.Unlock()
}

// discard ends an instance that did something wrong.
func (p *pool) discard(i *instance, why string) {
	i.stop(0)
	p.gone()
	p.failed(why)
}

// grace is how long an instance may take to end when it is asked to.
func (p *pool) grace() time.Duration {
	return max(time.Second, time.Duration(p.app.Signal)*time.Second)
}

// recycleChanged ends the idle instances that were started before the file monitorChangesTo was changed. Busy ones end
// with their request.
func (p *pool) recycleChanged() {
	if p.app.Monitor == "" {
		return
	}
	file := p.app.Monitor
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(p.program.Path), file)
	}
	info, err := os.Stat(file)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.monitor.IsZero():
		p.monitor = info.ModTime()
		return
	case info.ModTime().Equal(p.monitor):
		return
	}
	p.monitor = info.ModTime()
	p.epoch++
	p.log.Info("a FastCGI application is started anew: its file has changed", "application", p.app.FullPath, "file", file)
	p.rapid.Reset()
	for n, i := range p.idle {
		i.timer.Stop()
		p.idle[n] = nil
		p.count--
		go i.stop(p.grace())
	}
	p.idle = p.idle[:0]
}

// Close ends the instances: idle ones now, busy ones with their request.
func (p *pool) Close() error {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	for _, w := range p.waiting {
		close(w)
	}
	p.waiting = nil
	p.mu.Unlock()
	var all sync.WaitGroup
	for _, i := range idle {
		i.timer.Stop()
		all.Go(func() { i.stop(p.grace()) })
	}
	all.Wait()
	p.release()
	return nil
}

// instance is a process of an application, or for one that runs already the right to ask it.
type instance struct {
	pool   *pool
	proc   *process.Process // nil for an application that runs already
	socket string
	epoch  int
	served uint32
	timer  *time.Timer // of an idle one
}

func (i *instance) alive() bool {
	if i.proc == nil {
		return true
	}
	select {
	case <-i.proc.Done():
		return false
	default:
		return true
	}
}

func (i *instance) stop(grace time.Duration) {
	if i.proc == nil {
		return
	}
	if grace == 0 {
		i.proc.Kill()
	} else {
		i.proc.Stop(grace)
	}
	_ = os.Remove(i.socket) // its folder is one of the cache
}

// dial connects to the instance. A process listens before it is started, so that this never has to be tried again.
func (i *instance) dial() (net.Conn, error) {
	if i.proc == nil {
		return net.DialTimeout(i.pool.network, i.pool.address, 10*time.Second)
	}
	return net.DialTimeout("unix", i.socket, 10*time.Second)
}
