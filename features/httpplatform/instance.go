package httpplatform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/xconnect"
)

// How often a process that starts is asked whether it listens, at first and at last.
const (
	probeFirst = 5 * time.Millisecond
	probeLast  = 200 * time.Millisecond
)

// instance is one process of an application.
type instance struct {
	app  *application
	set  settings
	slot int

	// requests are those that were given to it, also while it starts; they are added under app.mu, so that it is not ended
	// between the choice and the request.
	requests atomic.Int64
	sockets  atomic.Int64

	// Guarded by app.mu.
	epoch   int       // of the application, as it started
	gone    bool      // it takes nothing more: it has ended, failed, or was asked to end
	until   time.Time // of a process that is replaced: it is ended then at the latest
	session time.Time // when one of its sessions was used last

	ready chan struct{} // closed when it listens or has failed
	err   error         // after that: why it failed
	f     *forward.Forwarder
	addr  string
	tail  tail

	mu      sync.Mutex
	proc    *process.Process
	log     string
	stopped bool // it was asked to end
}

func newInstance(a *application, slot int) *instance {
	return &instance{app: a, set: a.set, slot: slot, epoch: a.epoch, ready: make(chan struct{})}
}

// isReady reports whether it takes requests.
func (i *instance) isReady() bool {
	select {
	case <-i.ready:
		return i.err == nil
	default:
		return false
	}
}

// wait waits until it takes requests.
func (i *instance) wait(ctx context.Context) error {
	select {
	case <-i.ready:
		return i.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// busy reports whether something that it has begun is going on.
func (i *instance) busy() bool { return i.requests.Load() > 0 || i.sockets.Load() > 0 }

// full reports whether it has as many requests and sockets as it may have.
func (i *instance) full() bool {
	return i.set.concurrent > 0 && i.requests.Load()+i.sockets.Load() >= int64(i.set.concurrent)
}

// logFile returns the file that holds what it writes, "" for none.
func (i *instance) logFile() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.log
}

// startError is a process that did not come to listen, or ended by itself.
type startError struct {
	err  error
	log  string // file; "" for none
	tail string // what it wrote last
}

// Error says what happened.
func (e *startError) Error() string { return e.err.Error() }

// Unwrap returns what happened.
func (e *startError) Unwrap() error { return e.err }

// run starts the process, as often as the settings allow, and watches over it.
func (i *instance) run() {
	var err error
	for attempt := 0; ; attempt++ {
		var again bool
		if again, err = i.start(); err == nil {
			break
		}
		if i.isStopped() {
			i.err = errReplaced
			close(i.ready)
			return
		}
		if !again || attempt >= i.set.retries {
			i.err = &startError{err, i.logFile(), i.tail.String()}
			i.app.ended(i, i.err, false) // before the others hear of it, so that the next one finds the slot empty
			close(i.ready)
			return
		}
		i.app.log.Warn("a process did not start and is tried again", "error", err, "attempt", attempt+1, "log", i.logFile())
	}
	i.f = i.forwarder()
	close(i.ready)
	i.app.log.Info("a process takes requests", "pid", i.proc.PID(), "address", i.addr, "log", i.logFile())
	<-i.proc.Done()
	_ = i.f.Close()
	if !i.isStopped() {
		err := fmt.Errorf("process %d ended by itself: %s", i.proc.PID(), i.proc.Exit())
		i.app.ended(i, &startError{err, i.logFile(), i.tail.String()}, true)
	}
}

func (i *instance) isStopped() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stopped
}

// start starts the process and waits until it listens. again tells whether another attempt makes sense.
func (i *instance) start() (again bool, err error) {
	port, err := i.app.m.ports.take()
	if err != nil {
		return true, err
	}
	kept := false
	defer func() {
		if !kept {
			i.app.m.ports.give(port)
		}
	}()
	c, err := i.set.resolve(port)
	if err != nil {
		return false, err
	}
	if c.note != "" {
		i.app.log.Info("a command written for Windows is understood", "meaning", c.note)
	}
	out, err := i.openLog()
	if err != nil {
		return false, err
	}
	spec := process.Spec{Path: c.path, Args: c.args, Dir: i.set.folder, Env: i.environment(port), User: i.set.user, Stdout: &i.tail, Stderr: &i.tail}
	i.tail.set(out)
	proc, err := i.app.m.keeper.Start(spec)
	if err != nil {
		if out != nil {
			_ = out.Close()
		}
		return false, fmt.Errorf("%q cannot be started: %w", c.path, err)
	}
	kept = true
	go func() {
		<-proc.Done()
		i.tail.close(out)
		i.app.m.ports.give(port)
	}()
	i.mu.Lock()
	i.proc = proc
	stopped := i.stopped
	if out != nil { // the name that IIS gives it has the process's number
		name := i.set.log + "_" + time.Now().UTC().Format("20060102150405") + "_" + strconv.Itoa(proc.PID()) + ".log"
		if os.Rename(out.Name(), name) == nil {
			i.log = name
		}
	}
	i.mu.Unlock()
	if stopped {
		proc.Kill()
		return false, errReplaced
	}
	if err := i.listens(proc, port); err != nil {
		proc.Kill()
		return true, err
	}
	return false, nil
}

// openLog makes the file for what the process writes; nil when it is not kept. It follows no link: the folder may belong
// to the user of the application, and the file belongs to that of the server.
func (i *instance) openLog() (*os.File, error) {
	if i.set.log == "" {
		return nil, nil
	}
	if err := os.MkdirAll(filepath.Dir(i.set.log), 0o755); err != nil {
		return nil, fmt.Errorf("the folder of the log cannot be made: %w", err)
	}
	name := i.set.log + "_" + time.Now().UTC().Format("20060102150405.000000000") + "_" + strconv.Itoa(i.slot) + ".log"
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return nil, fmt.Errorf("the log cannot be written: %w", err)
	}
	i.mu.Lock()
	i.log = f.Name()
	i.mu.Unlock()
	return f, nil
}

// listens waits until something listens at the port that the process was given.
func (i *instance) listens(proc *process.Process, port int) error {
	limit := time.NewTimer(i.set.startup)
	defer limit.Stop()
	for pause := probeFirst; ; pause = min(2*pause, probeLast) {
		for _, host := range []string{"127.0.0.1", "::1"} {
			addr := net.JoinHostPort(host, strconv.Itoa(port))
			if c, err := net.DialTimeout("tcp", addr, probeLast); err == nil {
				_ = c.Close()
				select {
				case <-proc.Done(): // it was somebody else who listens there
				default:
					i.addr = addr
					return nil
				}
			}
		}
		select {
		case <-proc.Done():
			return fmt.Errorf("the process ended before it listened at port %d: %s", port, proc.Exit())
		case <-limit.C:
			return fmt.Errorf("the process did not listen at port %d within %v (startupTimeLimit): it must take the port from the environment variable PORT, HTTP_PLATFORM_PORT or ASPNETCORE_PORT", port, i.set.startup)
		case <-time.After(pause):
		}
	}
}

// stop asks the process to end, kills it when it does not in time, and waits for the end.
func (i *instance) stop() {
	i.mu.Lock()
	i.stopped = true
	proc := i.proc
	i.mu.Unlock()
	if proc != nil {
		proc.Stop(i.set.shutdown)
	}
}

// own reports whether a variable of the host's environment is about the host itself.
func own(name string) bool {
	switch name {
	case "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM":
		return true
	}
	return strings.HasPrefix(name, "ROLEMGR_")
}

// environment returns what the process finds in its environment: the host's, the port under the names that frameworks
// know, what tells ASP.NET Core that it stands behind a server, and at last what the configuration says.
func (i *instance) environment(port int) []string {
	p := strconv.Itoa(port)
	env := slices.DeleteFunc(xconnect.Without(os.Environ()), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return own(name) || i.set.user != "" && gateway.OfUser(name)
	})
	env = append(env, "PORT="+p, "HTTP_PLATFORM_PORT="+p)
	if i.set.section == corePath {
		env = append(env, "ASPNETCORE_PORT="+p, "ASPNETCORE_URLS=http://127.0.0.1:"+p, "ASPNETCORE_APPL_PATH="+i.set.appPath,
			"ASPNETCORE_TOKEN="+i.app.token, "ASPNETCORE_IIS_HTTPAUTH=anonymous;", "ASPNETCORE_IIS_WEBSOCKETS_SUPPORTED=true",
			"ASPNETCORE_HOSTINGSTARTUPASSEMBLIES=Microsoft.AspNetCore.Server.IISIntegration")
	}
	for _, e := range entries(i.set.env) {
		name, _, _ := strings.Cut(e, "=")
		env = slices.DeleteFunc(env, func(have string) bool { return strings.HasPrefix(have, name+"=") })
		env = append(env, withPort(e, port))
	}
	return env
}

// forwarder passes requests on to the process.
func (i *instance) forwarder() *forward.Forwarder {
	return forward.New(forward.Options{
		Name:   "http://" + i.addr,
		Module: moduleOf(i.set.section),
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", i.addr)
		},
		Timeout:  i.set.request,
		Prepare:  i.prepare,
		Answered: i.answered,
		Failure:  i.failure,
		Again:    i.again,
		Opened: func(module.Conn) func() {
			i.sockets.Add(1)
			return func() { i.sockets.Add(-1) }
		},
		Tunnels: &i.app.m.tunnels,
	})
}

// How often, and how far apart, a request that found its process gone looks for another one.
const (
	againTries = 50
	againPause = 10 * time.Millisecond
)

// again gives a request to another process when no line to this one could be opened: it has just ended, and the one that
// takes its place is being started.
func (i *instance) again(w http.ResponseWriter, r *http.Request, _ error) bool {
	for range againTries {
		other, done, err := i.app.pick(r)
		if err == nil && other != i && other.isReady() {
			defer done()
			other.f.ServeHTTP(w, r)
			return true
		}
		if err == nil {
			done()
		} else if !errors.Is(err, errReplaced) {
			return false
		}
		select {
		case <-time.After(againPause):
		case <-r.Context().Done():
			return false
		}
	}
	return false
}

// prepare changes what the process gets beside the forwarding fields.
func (i *instance) prepare(out, in *http.Request) {
	for _, name := range []string{"Ms-Aspnetcore-Token", "Ms-Aspnetcore-Clientcert", "Ms-Aspnetcore-Winauthtoken", "X-Iis-Windowsauthtoken"} {
		out.Header.Del(name) // only a server may say these
	}
	switch i.set.section {
	case corePath:
		out.Header.Set("Ms-Aspnetcore-Token", i.app.token)
	case nodePath:
		// iisnode shows the program the URL of the client, whatever rewrote it to the script.
		if u, err := url.ParseRequestURI(in.RequestURI); err == nil {
			out.URL.Path, out.URL.RawPath, out.URL.RawQuery = u.Path, u.RawPath, u.RawQuery
		}
		promote(out.Header, in, i.set.promote)
	}
}

// answered learns which sessions the process has opened.
func (i *instance) answered(resp *http.Response) error {
	if resp.Request != nil && opensSession(resp.Request) && resp.StatusCode == http.StatusOK {
		resp.Body = &sniffer{ReadCloser: resp.Body, found: func(sid string) { i.app.bind(sid, i) }}
	}
	return nil
}

// failure names the file that may say why a request failed.
func (i *instance) failure(err error) *module.HTTPError {
	e := i.f.BadGateway(err)
	if i.ended() {
		e.Summary = "the process of the application has ended: " + err.Error()
	}
	e.Hint = hint(i.logFile(), i.tail.String())
	return e
}

func (i *instance) ended() bool {
	select {
	case <-i.proc.Done():
		return true
	default:
		return false
	}
}
