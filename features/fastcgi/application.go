package fastcgi

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// The Win32 codes of failures, as IIS logs them.
const (
	errorFileNotFound = 2   // ERROR_FILE_NOT_FOUND
	errorAccessDenied = 5   // ERROR_ACCESS_DENIED
	errorInvalidData  = 13  // ERROR_INVALID_DATA
	errorBrokenPipe   = 109 // ERROR_BROKEN_PIPE
	waitTimeout       = 258 // WAIT_TIMEOUT
	unexpectedExit    = 255 // what IIS writes for a process without an exit code of its own
)

// socketPathRoom is how long the folder of sockets may be: the path of a socket has 107 bytes at most.
const socketPathRoom = 90

// pool returns the pool of an application. Applications that are declared alike share one, across generations.
func (m *fastCGIModule) pool(q *module.Request, app application) (*pool, *module.HTTPError) {
	key := fmt.Sprintf("%+v", app)
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.pools[key]; p != nil {
		return p, nil
	}
	v, release, err := m.shared.Acquire("fastcgi pool "+key, func() (any, error) { return m.newPool(app) })
	if err != nil {
		return nil, &module.HTTPError{
			Status: http.StatusInternalServerError, Win32: errorFileNotFound,
			Summary: fmt.Sprintf("the FastCGI application of the handler %q cannot be started: %v", q.Handler.Name, err),
			Hint:    fmt.Sprintf("the handler is written at %s", q.Handler.Pos),
		}
	}
	p := v.(*pool)
	m.pools[key] = p
	m.giveUp = append(m.giveUp, release)
	return p, nil
}

// newPool finds the program of an application. It starts nothing yet.
func (m *fastCGIModule) newPool(app application) (*pool, error) {
	p := &pool{app: app, log: m.log, rapid: process.NewRapidFail(int(app.RapidFails), time.Minute), release: func() {}}
	if network, address, ok := gateway.IsAddress(app.FullPath); ok {
		p.network, p.address = network, address
		return p, nil
	}
	fullPath := app.FullPath
	if app.Program != "" {
		fullPath = app.Program
	}
	program, err := gateway.FindProgram(gateway.Unquote(fullPath))
	if err != nil {
		return nil, err
	}
	program.Args = m.arguments(app, gateway.SplitArguments(app.Arguments))
	if app.User != "" {
		if _, err := process.LookupUser(app.User); err != nil {
			return nil, err
		}
	}
	if p.dir, err = m.socketDir(); err != nil {
		return nil, err
	}
	keeper, release, err := m.shared.Acquire("fastcgi processes", func() (any, error) { return &process.Keeper{}, nil })
	if err != nil {
		return nil, err
	}
	p.program, p.keeper = program, keeper.(*process.Keeper)
	p.release = func() {
		_ = os.RemoveAll(p.dir)
		release()
	}
	if program.Note != "" {
		m.log.Warn("a FastCGI application is written for Windows", "note", program.Note)
	}
	return p, nil
}

// arguments tells of arguments that are paths of Windows: nobody can know what they stand for, but for wfastcgi.
func (m *fastCGIModule) arguments(app application, args []string) []string {
	args, ok := bridged(args)
	if ok {
		m.log.Warn("wfastcgi.py is not here; the bridge of this server to WSGI applications runs in its place", "application", app.FullPath, "arguments", app.Arguments)
		return args
	}
	for _, a := range args {
		if strings.Contains(a, `:\`) {
			m.log.Warn("an argument of a FastCGI application is a path of Windows, which does not exist here", "application", app.FullPath, "argument", a)
		}
	}
	return args
}

// socketDir makes a folder for the sockets of one pool.
func (m *fastCGIModule) socketDir() (string, error) {
	parent := m.dir
	if len(parent) > socketPathRoom-20 {
		parent = "" // that of temporary files
	}
	dir, err := os.MkdirTemp(parent, "s")
	if err == nil && len(filepath.Join(dir, strconv.Itoa(1<<31))) > 107 {
		err = fmt.Errorf("the path %q is too long for sockets", dir)
	}
	if err != nil {
		return "", fmt.Errorf("make a folder for FastCGI sockets: %w", err)
	}
	return dir, nil
}
