package httplogging

import (
	"cmp"
	"errors"
	"net/http"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules>.
const name = "HttpLoggingModule"

// loggingModule is HttpLoggingModule in one generation. The files themselves are shared by generations.
type loggingModule struct {
	computer string
	sites    map[uint32]*siteLog
	release  []func()
	last     atomic.Pointer[stamp]
}

// siteLog is the log of one site as this generation writes it.
type siteLog struct {
	columns []field
	header  string
	file    *file
}

func newModule() module.Module { return &loggingModule{} }

var (
	_ module.Module      = (*loggingModule)(nil)
	_ module.Provisioner = (*loggingModule)(nil)
)

// Provision takes hold of the log file of every site that logs. No file is opened before the first line is written.
func (m *loggingModule) Provision(c *module.Context) error {
	m.computer, m.sites = c.ServerName, map[uint32]*siteLog{}
	for _, s := range c.Sites {
		l := &s.LogFile
		if !l.Enabled {
			continue
		}
		if l.Format != formatW3C {
			c.Logger.Warn("a site is logged in the W3C format: the format it asks for is not available", "site", s.ID, "format", l.Format)
		}
		dir := filepath.Join(cmp.Or(l.Directory, c.LogDir), "W3SVC"+strconv.FormatUint(uint64(s.ID), 10))
		naming := naming{period: l.Period, local: l.LocalTimeRollover}
		// Two generations with other rollover rules write other files; everything else is the same file.
		key := "httplogging:" + dir + ":" + naming.key()
		v, release, err := c.Shared.Acquire(key, func() (any, error) { return newFile(dir, naming, c.Logger), nil })
		if err != nil {
			return errors.Join(err, m.Close())
		}
		m.release = append(m.release, release)
		columns := choose(l.Fields)
		m.sites[s.ID] = &siteLog{columns: columns, header: fieldsLine(columns), file: v.(*file)}
	}
	return nil
}

// Close lets go of the files; what is buffered is written when no generation holds them any more.
func (m *loggingModule) Close() error {
	for _, r := range m.release {
		r()
	}
	m.release = nil
	return nil
}

// Middleware writes a line when the request has ended, which for a WebSocket is when the connection has.
func (m *loggingModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		log := m.sites[q.SiteID]
		if log == nil {
			next.ServeHTTP(w, r)
			return
		}
		x := &record{r: r, q: q, stem: r.URL.Path, query: r.URL.RawQuery, computer: m.computer}
		q.OnDetach(func() { x.r = keep(x.r, log.columns) })
		q.OnEnd(func() {
			c, err := config.Decode[loggingConfig](q.Config, section)
			if err == nil && !c.wants(q.Outcome.Status) {
				return
			}
			x.end = time.Now()
			x.stamp = at(&m.last, x.end)
			log.file.write(x.end, log.header, func(b []byte) []byte { return line(b, log.columns, x) })
		})
		next.ServeHTTP(w, r)
	})
}
