package cgi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// name is the module's name in <globalModules> and <handlers>.
const name = "CgiModule"

// cgiModule is CgiModule in one generation.
type cgiModule struct {
	log     *slog.Logger
	keeper  *process.Keeper
	release func()
	dir     string // for stored bodies
}

func newModule() module.Module { return &cgiModule{} }

var (
	_ module.Module      = (*cgiModule)(nil)
	_ module.Provisioner = (*cgiModule)(nil)
)

// Provision takes the keeper of the host's CGI programs.
func (m *cgiModule) Provision(c *module.Context) error {
	m.log, m.dir = c.Logger, filepath.Join(c.CacheDir, "cgi")
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of CGI bodies: %w", err)
	}
	v, release, err := c.Shared.Acquire("cgi processes", func() (any, error) { return &process.Keeper{}, nil })
	if err != nil {
		return err
	}
	m.keeper, m.release = v.(*process.Keeper), release
	return nil
}

// Close gives the keeper back. The last generation's ends every program that is left.
func (m *cgiModule) Close() error {
	m.release()
	return nil
}

// Middleware runs the program that the handler of a request names, or that the URL names.
func (m *cgiModule) Middleware(next http.Handler) http.Handler {
	return gateway.Middleware(name, next, m.serve)
}

// serve answers r, or says why it cannot, in which case nothing has been sent.
func (m *cgiModule) serve(w http.ResponseWriter, r *http.Request, q *module.Request) *module.HTTPError {
	c, err := config.Decode[cgiConfig](q.Config, section)
	if err != nil {
		return module.Misfit(name, section, err)
	}
	script := gateway.FindScript(q, r.URL.Path)
	if e := present(q, script); e != nil {
		return e
	}
	spec, e := m.program(q, c, script)
	if e != nil {
		return e
	}
	body, length, done, e := gateway.Body(r, m.dir, gateway.MaxSpool)
	if e != nil {
		return e
	}
	defer done()
	for k, v := range gateway.Variables(r, q, script, length) {
		spec.Env = append(spec.Env, k+"="+v)
	}
	ctx, cancel := context.WithTimeout(r.Context(), c.Timeout)
	defer cancel()
	return (&run{m: m, q: q, spec: spec, body: body}).serve(ctx, w, r)
}

func present(q *module.Request, s gateway.Script) *module.HTTPError {
	info, err := q.Files.Stat(s.URL)
	switch {
	case err == nil && !info.IsDir():
		return nil
	case errors.Is(err, fs.ErrPermission):
		return &module.HTTPError{Status: http.StatusForbidden, Summary: "the program may not be read", Hint: "links that lead out of the site's folder are not followed"}
	}
	return &module.HTTPError{Status: http.StatusNotFound, Summary: "there is no such program", Hint: "check the spelling: file names are case-sensitive"}
}

// program returns what is to be started: the scriptProcessor with the script as its argument, or the file itself. Where a
// scriptProcessor says where the script is to stand, it says "%s", as on IIS.
func (m *cgiModule) program(q *module.Request, c *cgiConfig, script gateway.Script) (process.Spec, *module.HTTPError) {
	file := q.Files.Physical(script.URL)
	spec := process.Spec{Path: file, Dir: filepath.Dir(file)}
	if c.AsUser {
		spec.User = c.User
	}
	spec.Env = gateway.BaseEnv(spec.User)
	processor := q.Handler.Processor
	if processor == "" {
		return spec, gateway.Restricted(q, name, file)
	}
	if e := gateway.Restricted(q, name, processor); e != nil {
		return spec, e
	}
	words := gateway.SplitArguments(strings.Replace(processor, "|", " ", 1))
	if len(words) == 0 {
		return spec, failed(0, "the handler's scriptProcessor names no program")
	}
	program, err := gateway.FindProgram(words[0])
	if err != nil {
		return spec, failed(errorFileNotFound, fmt.Sprintf("the program of the handler %q cannot be started: %v", q.Handler.Name, err))
	}
	if program.Note != "" {
		q.Logger.Info("a handler is written for Windows", "note", program.Note)
	}
	spec.Path = program.Path
	placed := false
	for _, a := range words[1:] {
		if a == "%s" {
			a, placed = file, true
		}
		spec.Args = append(spec.Args, a)
	}
	if !placed {
		spec.Args = append(spec.Args, file)
	}
	return spec, nil
}

// run is one program at work.
type run struct {
	m     *cgiModule
	q     *module.Request
	spec  process.Spec
	body  io.Reader
	began bool
}

// The Win32 codes of failures, as IIS logs them.
const (
	errorFileNotFound = 2  // ERROR_FILE_NOT_FOUND
	errorInvalidData  = 13 // ERROR_INVALID_DATA
)

func failed(win32 uint32, summary string) *module.HTTPError {
	return &module.HTTPError{Status: http.StatusInternalServerError, Win32: win32, Summary: summary, Hint: "logs/wshost.log holds what the program wrote"}
}

// serve starts the program, hands the body over while it answers, and ends it with the request.
func (x *run) serve(ctx context.Context, w http.ResponseWriter, r *http.Request) *module.HTTPError {
	out, outEnd, err := os.Pipe()
	if err != nil {
		return failed(0, "no pipe for the program: "+err.Error())
	}
	defer out.Close()
	defer outEnd.Close()
	in, inEnd, err := os.Pipe()
	if err != nil {
		return failed(0, "no pipe for the program: "+err.Error())
	}
	defer in.Close()
	defer inEnd.Close()
	lines := process.NewLines(func(line string) { x.q.Logger.Warn("the program writes to its error stream", "line", line) })
	x.spec.Stdin, x.spec.Stdout, x.spec.Stderr = in, outEnd, lines
	p, err := x.m.keeper.Start(x.spec)
	if err != nil {
		e := failed(errorFileNotFound, err.Error())
		e.Hint = "a program needs the permission to be executed, and its first line must name an interpreter that exists"
		return e
	}
	_, _ = in.Close(), outEnd.Close() // the program has them now
	stop := context.AfterFunc(ctx, p.Kill)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		if x.body != nil {
			_, _ = io.Copy(inEnd, x.body) // a program need not read all of it
		}
		_ = inEnd.Close()
	}()
	client, err := x.answer(w, r, out)
	if client == nil && err == nil {
		select {
		case <-p.Done():
		case <-ctx.Done(): // it has answered, and does something yet
		}
	}
	p.Kill()
	stop()
	select {
	case <-sent:
	default:
		_ = inEnd.Close()
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		<-sent
	}
	lines.Flush()
	return x.outcome(ctx, p, client, err)
}

// answer reads the answer and sends it. It returns the error of the client's side, or that of the program.
func (x *run) answer(w http.ResponseWriter, r *http.Request, out io.Reader) (client, err error) {
	resp, err := gateway.ReadResponse(out)
	if err != nil {
		return nil, err
	}
	x.began = true
	err, client = resp.Send(w, r)
	return client, err
}

// outcome says what is to be answered, when nothing was.
func (x *run) outcome(ctx context.Context, p *process.Process, client, err error) *module.HTTPError {
	timedOut := errors.Is(ctx.Err(), context.DeadlineExceeded)
	switch {
	case x.began && (err != nil || timedOut):
		x.q.Logger.Error("a CGI answer broke off", "error", err, "timeout", timedOut)
		panic(http.ErrAbortHandler) // a client must not take half an answer for a whole one
	case x.began || client != nil:
		return nil
	case timedOut:
		return &module.HTTPError{
			Status: http.StatusBadGateway, SubStatus: 1, Summary: "the program did not answer within the time of <cgi timeout>",
			Hint: "the program was ended; logs/wshost.log holds what it wrote",
		}
	}
	return &module.HTTPError{
		Status: http.StatusBadGateway, SubStatus: 2, Win32: errorInvalidData,
		Summary: fmt.Sprintf("%v; it %s", err, p.Exit()), Hint: "logs/wshost.log holds what the program wrote",
	}
}
