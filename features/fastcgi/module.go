package fastcgi

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules> and <handlers>.
const name = "FastCgiModule"

// cacheDir is the folder of sockets and stored bodies below the host's cache.
const cacheDir = "fastcgi"

// fastCGIModule is FastCgiModule in one generation.
type fastCGIModule struct {
	shared *module.Shared
	log    *slog.Logger
	dir    string

	mu     sync.Mutex
	pools  map[string]*pool
	giveUp []func() // the folder, and the pools of this generation
}

func newModule() module.Module { return &fastCGIModule{pools: map[string]*pool{}} }

var (
	_ module.Module      = (*fastCGIModule)(nil)
	_ module.Provisioner = (*fastCGIModule)(nil)
)

// Provision makes the folder of sockets. Nobody else may enter it: whoever reaches the socket of a FastCGI application can
// run scripts as its user.
func (m *fastCGIModule) Provision(c *module.Context) error {
	m.shared, m.log, m.dir = c.Shared, c.Logger, filepath.Join(c.CacheDir, cacheDir)
	_, release, err := m.shared.Acquire("fastcgi folder", func() (any, error) { return nil, emptyDir(m.dir) })
	if err != nil {
		return err
	}
	m.giveUp = append(m.giveUp, release)
	return nil
}

// emptyDir makes the folder, without what a host left that was killed.
func emptyDir(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("empty the folder of FastCGI sockets: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of FastCGI sockets: %w", err)
	}
	return nil
}

// Close lets the pools go that no other generation uses.
func (m *fastCGIModule) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range slices.Backward(m.giveUp) {
		f()
	}
	m.giveUp, m.pools = nil, map[string]*pool{}
	return nil
}

// Middleware hands requests to the application that their handler names.
func (m *fastCGIModule) Middleware(next http.Handler) http.Handler {
	return gateway.Middleware(name, next, m.serve)
}

// serve answers r, or says why it cannot, in which case nothing has been sent.
func (m *fastCGIModule) serve(w http.ResponseWriter, r *http.Request, q *module.Request) *module.HTTPError {
	script := gateway.FindScript(q, r.URL.Path)
	if e := present(q, script); e != nil {
		return e
	}
	app, e := declared(q)
	if e != nil {
		return e
	}
	p, e := m.pool(q, app)
	if e != nil {
		return e
	}
	body, length, done, e := gateway.Body(r, m.dir, gateway.MaxSpool)
	if e != nil {
		return e
	}
	defer done()
	return (&exchange{pool: p, q: q, script: script, body: body, length: length}).run(w, r)
}

// present refuses a script that is not there: an application would be asked for a file that it does not find, or that
// lies outside of the site. A handler for every path has none.
func present(q *module.Request, s gateway.Script) *module.HTTPError {
	info, err := q.Files.Stat(s.URL)
	switch {
	case err == nil && !info.IsDir():
		return nil
	case errors.Is(err, fs.ErrPermission):
		return &module.HTTPError{
			Status: http.StatusForbidden, Summary: "the script may not be read",
			Hint: "give the account that runs the host permission to read it; links that lead out of the site's folder are not followed",
		}
	case q.Handler.Path == "*" || strings.HasSuffix(q.Handler.Path, "/*"):
		return nil
	}
	return &module.HTTPError{Status: http.StatusNotFound, Summary: "there is no such script", Hint: "check the spelling: file names are case-sensitive"}
}

// declared returns the application of a request: the one of the section that its handler names, else one with the
// defaults. PHP writes warnings to the error stream unless its own file says otherwise, and the file of the Windows
// server, which says so, is not here: what nobody has declared is not answered with 500 for them.
func declared(q *module.Request) (application, *module.HTTPError) {
	c, err := config.Decode[fastCGIConfig](q.Config, section)
	if err != nil {
		return application{}, module.Misfit(name, section, err)
	}
	fullPath, arguments := gateway.SplitProcessor(q.Handler.Processor)
	if fullPath == "" {
		return application{}, &module.HTTPError{
			Status: http.StatusInternalServerError, Win32: errorFileNotFound,
			Summary: fmt.Sprintf("the handler %q names no FastCGI application", q.Handler.Name),
			Hint:    fmt.Sprintf(`give the handler at %s a scriptProcessor="/usr/bin/php-cgi"`, q.Handler.Pos),
		}
	}
	if e := gateway.Restricted(q, name, fullPath, fullPath+"|"+arguments); e != nil {
		return application{}, e
	}
	for _, a := range c.Applications {
		if strings.EqualFold(gateway.Unquote(a.FullPath), fullPath) && strings.EqualFold(strings.TrimSpace(a.Arguments), arguments) {
			return a, nil
		}
	}
	return application{
		FullPath: fullPath, Arguments: arguments, Stderr: stderrIgnore, Idle: 300, Activity: 70, Request: 90, Requests: 200,
		Queue: 1000, RapidFails: 10,
	}, nil
}
