package reverseproxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// routing is the module in one generation.
type routing struct {
	lines   *lines
	farms   map[string]*farm // by name in lower case
	release func()
	stop    context.CancelFunc
}

func newModule() module.Module { return new(routing) }

var (
	_ module.Provisioner = (*routing)(nil)
	_ io.Closer          = (*routing)(nil)
)

// Provision takes the lines to other servers, which outlive generations, and begins to look after the farms.
func (m *routing) Provision(c *module.Context) error {
	farms, err := config.Decode[farmsConfig](c.Config, farmPath)
	if err != nil {
		return err
	}
	v, release, err := c.Shared.Acquire("reverseproxy.lines", func() (any, error) { return newLines(), nil })
	if err != nil {
		return err
	}
	m.lines, m.release, m.farms = v.(*lines), release, map[string]*farm{}
	ctx, stop := context.WithCancel(c.Context)
	m.stop = stop
	for i := range farms.Entries {
		f := newFarm(&farms.Entries[i], m.lines, c.Logger)
		m.farms[strings.ToLower(f.Name)] = f
		f.watch(ctx)
	}
	return nil
}

// Close ends the health checks and gives the lines back.
func (m *routing) Close() error {
	m.stop()
	for _, f := range m.farms {
		f.watchers.Wait()
	}
	m.release()
	return nil
}

// Middleware answers what a rule has sent to another server.
func (m *routing) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if q.Upstream == nil {
			next.ServeHTTP(w, r)
			return
		}
		m.serve(w, r, q)
	})
}

func (m *routing) serve(w http.ResponseWriter, r *http.Request, q *module.Request) {
	a, refusal := m.prepare(r, q)
	if refusal != nil {
		q.Fail(w, r, refusal)
		return
	}
	if a.max, refusal = forwards(r, a.conf); refusal != nil {
		q.Fail(w, r, refusal)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), attemptKey{}, a))
	if a.farm == nil {
		m.lines.forwarder(lineOf(a.url, a.url.Hostname(), a.url.Port(), a.conf.Timeout)).ServeHTTP(w, r)
		return
	}
	if r.Body != nil {
		r.Body = io.NopCloser(r.Body) // a line that cannot be opened must not close it: another server may get it
	}
	if !a.farm.serve(w, r, a) {
		q.Fail(w, r, a.farm.noServer())
	}
}

// prepare says how a request is passed on.
func (m *routing) prepare(r *http.Request, q *module.Request) (*attempt, *module.HTTPError) {
	a := &attempt{url: q.Upstream, client: r}
	if f := m.farms[strings.ToLower(q.Upstream.Host)]; f != nil {
		a.farm, a.conf = f, &f.Routing.Protocol
		return a, nil
	}
	on, err := config.Decode[proxySwitch](q.Config, proxyPath)
	if err == nil {
		a.conf, err = config.Decode[proxyConfig](q.Config, proxyPath)
	}
	if err != nil {
		return nil, module.Misfit(name, proxyPath, err)
	}
	if !on.Enabled {
		return nil, &module.HTTPError{
			Status: http.StatusNotFound, SubStatus: 4, Module: name,
			Summary: fmt.Sprintf("a rewrite rule leads to another server, %q, and the proxy is switched off for this URL", q.Upstream.Host),
			Hint:    `set <proxy enabled="true" /> in applicationHost.config` + writtenAt(on.Pos),
		}
	}
	a.host = q.Upstream.Host
	return a, nil
}

func writtenAt(pos config.Pos) string {
	if pos.File == "" {
		return ""
	}
	return "; it is switched off at " + pos.String()
}

// attempt is a request on its way to another server. It is found in the context of the client's request and of the one
// that is passed on.
type attempt struct {
	client *http.Request
	url    *url.URL // to be asked for
	conf   *proxyConfig
	host   string // Host field when the client's is not preserved; "" with a farm's server
	max    int    // for Max-Forwards

	farm   *farm // nil for a single server
	server *server
	tried  []*server
}

type attemptKey struct{}

func attemptOf(r *http.Request) *attempt {
	a, _ := r.Context().Value(attemptKey{}).(*attempt)
	return a
}
