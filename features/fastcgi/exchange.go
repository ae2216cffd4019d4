package fastcgi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/fcgi"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// maxStderr is how much of what a script writes to its error stream is kept for the page of a 500.
const maxStderr = 8 << 10

// exchange is one request to an application.
type exchange struct {
	pool   *pool
	q      *module.Request
	script gateway.Script
	body   io.Reader
	length int64

	inst   *instance
	conn   net.Conn
	x      *fcgi.Exchange
	stderr strings.Builder
	lines  *process.Lines
	began  bool // the answer has begun: nothing else can be sent
}

// run answers r, or says why it cannot, in which case nothing has been sent. The instance goes back to the pool, or ends.
func (e *exchange) run(w http.ResponseWriter, r *http.Request) *module.HTTPError {
	var err error
	if e.inst, err = e.acquire(r.Context()); err != nil {
		return e.unavailable(err)
	}
	if e.conn, err = e.inst.dial(); err != nil {
		if e.inst.proc == nil {
			e.pool.put(e.inst)
			return e.unreachable(err)
		}
		e.pool.discard(e.inst, err.Error())
		return e.failure(err)
	}
	e.lines = process.NewLines(func(line string) { e.q.Logger.Warn("the script writes to its error stream", "line", line) })
	app := e.pool.app
	e.x = fcgi.Start(e.conn, e.params(r), e.body, time.Duration(app.Activity)*time.Second, time.Duration(app.Request)*time.Second)
	e.x.Stderr = e.takeStderr
	refusal, client, err := e.answer(w, r)
	e.lines.Flush()
	e.hangUp(w)
	if err != nil && !e.began {
		refusal = e.failure(err)
	}
	e.giveBack(client, err)
	if err != nil && e.began {
		e.q.Logger.Error("a FastCGI answer broke off", "error", err)
		panic(http.ErrAbortHandler) // a client must not take half an answer for a whole one
	}
	return refusal
}

// acquire waits for an instance no longer than a request may take.
func (e *exchange) acquire(ctx context.Context) (*instance, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(e.pool.app.Request)*time.Second)
	defer cancel()
	return e.pool.acquire(ctx)
}

func (e *exchange) params(r *http.Request) []fcgi.Param {
	v := gateway.Variables(r, e.q, e.script, e.length)
	v["FCGI_ROLE"] = "RESPONDER"
	out := make([]fcgi.Param, 0, len(v))
	for name, value := range v {
		out = append(out, fcgi.Param{Name: name, Value: value})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func (e *exchange) takeStderr(p []byte) {
	_, _ = e.lines.Write(p) // it does not fail
	if room := maxStderr - e.stderr.Len(); room > 0 {
		e.stderr.Write(p[:min(len(p), room)])
	}
}

// answer reads the answer and sends it. It returns a refusal, the error of the client's side, or that of the application.
func (e *exchange) answer(w http.ResponseWriter, r *http.Request) (refusal *module.HTTPError, client, err error) {
	resp, err := gateway.ReadResponse(e.x)
	if err != nil {
		return nil, nil, err
	}
	if e.stderr.Len() > 0 && e.pool.app.Stderr != stderrIgnore {
		return e.complained(), nil, e.drain()
	}
	e.began = true
	err, client = resp.Send(w, r)
	if err == nil && client == nil {
		err = e.drain() // the declared end: an answer to HEAD has been read already
	}
	return nil, client, err
}

// drain reads to the declared end of the answer.
func (e *exchange) drain() error {
	_, err := io.Copy(io.Discard, e.x)
	return err
}

// complained is the 500.0 for a script that wrote to its error stream before it answered (stderrMode).
func (e *exchange) complained() *module.HTTPError {
	summary := "the script wrote to its error stream"
	if e.pool.app.Stderr == stderrIn500 {
		summary += ": " + strings.TrimSpace(e.stderr.String())
	}
	return &module.HTTPError{
		Status: http.StatusInternalServerError, Summary: summary,
		Hint: `PHP: fastcgi.logging=0 keeps warnings to its own log; stderrMode="IgnoreAndReturn200" of the application in <fastCgi> keeps them to the log of the host`,
	}
}

// hangUp closes the connection and waits until nobody reads the body any more.
func (e *exchange) hangUp(w http.ResponseWriter) {
	_ = e.conn.Close()
	select {
	case <-e.x.Sent():
	default:
		// The body is not read to its end: a client that is slow must not hold the request.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		<-e.x.Sent()
	}
}

// giveBack gives the instance back, or ends it. One whose client has gone away may be running the script still: it is
// taken back when it accepts the next connection.
func (e *exchange) giveBack(client, err error) {
	complained := e.stderr.Len() > 0 && e.pool.app.Stderr == stderrTerminate
	switch {
	case client != nil || e.bodyBroke():
		inst, p := e.inst, e.pool
		go p.settle(inst)
	case err == nil && complained:
		e.inst.stop(0)
		e.pool.gone()
	case err == nil, e.inst.proc == nil, errors.Is(err, gateway.ErrHeader): // of the latter, the process is well
		e.pool.put(e.inst)
	default:
		e.pool.discard(e.inst, err.Error())
	}
}

// bodyBroke reports whether the client is to blame for a body that was not handed over.
func (e *exchange) bodyBroke() bool {
	var body *fcgi.BodyError
	return errors.As(e.x.SendErr(), &body)
}

// settle waits until an instance has finished a request that nobody waits for.
func (p *pool) settle(i *instance) {
	if i.proc == nil {
		p.put(i)
		return
	}
	conn, err := i.dial()
	if err == nil {
		err = fcgi.Ping(conn, time.Duration(p.app.Request)*time.Second)
		_ = conn.Close()
	}
	if err != nil {
		p.log.Info("a FastCGI process did not end the request of a client that went away; it is replaced", "application", p.app.FullPath, "error", err)
		i.stop(0)
		p.gone()
		return
	}
	p.put(i)
}

// unavailable is the answer while there is no instance for a request.
func (e *exchange) unavailable(err error) *module.HTTPError {
	out := &module.HTTPError{Status: http.StatusInternalServerError, Summary: err.Error(), Hint: "logs/wshost.log holds what the processes wrote"}
	switch {
	case errors.Is(err, errQueueFull):
		out.Status, out.SubStatus = http.StatusServiceUnavailable, 4
		out.Hint = "queueLength and maxInstances of the application in <fastCgi> are the limits"
	case errors.Is(err, errRapidFails):
		out.Hint = "rapidFailsPerMinute of the application in <fastCgi> is the limit; " + out.Hint
	case errors.Is(err, context.DeadlineExceeded):
		out.Win32, out.Summary = waitTimeout, "all processes of the FastCGI application are busy for longer than requestTimeout"
	case errors.Is(err, os.ErrPermission):
		out.Win32 = errorAccessDenied
	case errors.Is(err, os.ErrNotExist):
		out.Win32 = errorFileNotFound
	}
	return out
}

// unreachable is the answer when an application that should run already does not answer.
func (e *exchange) unreachable(err error) *module.HTTPError {
	return &module.HTTPError{
		Status: http.StatusBadGateway, SubStatus: 3, Win32: errorBrokenPipe,
		Summary: fmt.Sprintf("the FastCGI application at %q cannot be reached: %v", e.pool.app.FullPath, plain(err)),
		Hint:    "start it, or correct the address in scriptProcessor",
	}
}

func plain(err error) error {
	if e := (*net.OpError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// failure is the answer for an application that did something wrong, as IIS logs it.
func (e *exchange) failure(err error) *module.HTTPError {
	out := &module.HTTPError{Status: http.StatusInternalServerError, Hint: "logs/wshost.log holds what the process wrote"}
	switch {
	case e.x != nil && e.bodyBroke():
		out.Status, out.Summary, out.Hint = http.StatusBadRequest, "the body of the request broke off", ""
	case errors.Is(err, fcgi.ErrOverloaded):
		out.Status, out.SubStatus, out.Summary = http.StatusServiceUnavailable, 4, err.Error()
	case errors.Is(err, os.ErrDeadlineExceeded):
		out.Win32 = waitTimeout
		out.Summary = fmt.Sprintf("the FastCGI process exceeded its activityTimeout of %d s or its requestTimeout of %d s", e.pool.app.Activity, e.pool.app.Request)
		out.Hint = "both are set for the application in <fastCgi>; " + out.Hint
	case errors.Is(err, gateway.ErrHeader):
		out.Status, out.SubStatus, out.Win32, out.Summary = http.StatusBadGateway, 2, errorInvalidData, err.Error()
	case errors.Is(err, fcgi.ErrProtocol):
		out.Win32, out.Summary = errorInvalidData, err.Error()
	default:
		out.Win32, out.Summary = e.ended()
	}
	return out
}

// exitDelay is how long the end of a process may come after that of its connection.
const exitDelay = time.Second

// ended tells how a process ended that answers no more.
func (e *exchange) ended() (code uint32, summary string) {
	const what = "the FastCGI process ended unexpectedly"
	if e.inst.proc == nil {
		return errorBrokenPipe, "the FastCGI application closed the connection before it had answered"
	}
	select {
	case <-e.inst.proc.Done():
	case <-time.After(exitDelay):
		return errorBrokenPipe, "the FastCGI process closed the connection before it had answered"
	}
	exit := e.inst.proc.Exit()
	if exit.Code > 0 {
		return uint32(exit.Code), what + ": it " + exit.String()
	}
	return unexpectedExit, what + ": it " + exit.String()
}
