package wshost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The probe site: it exists only while a probe looks at the host, and never in a configuration.
const (
	probeSiteID   = 0
	probeSiteName = "wshost.probe"
	probeLife     = 30 * time.Second
	maxProbes     = 16
)

// probes are the open probe listeners.
type probes struct {
	mu     sync.Mutex
	open   map[*probe]struct{}
	closed bool
	life   time.Duration // of a probe; 0 means probeLife
}

// probe is one probe listener with its server and its files.
type probe struct {
	all   *probes
	ep    *endpoint // nil until it listens
	files string    // folder
	timer *time.Timer
	once  sync.Once
	done  chan struct{}
}

// OpenProbe opens a listener on a loopback port that serves the probe site with the live generation under the
// configuration of the server level and of location tags for "wshost.probe". The caller closes it; after 30 s it
// closes by itself. Either way its connections are cut. At most 16 may be open at once.
func (s *Server) OpenProbe() (addr string, closeProbe func(), err error) {
	p := &probe{all: &s.probes, done: make(chan struct{})}
	if p.files, err = writeProbeFiles(); err != nil {
		return "", nil, err
	}
	ln, err := listenTCP(context.Background(), "127.0.0.1:0")
	if err != nil {
		p.close()
		return "", nil, fmt.Errorf("open a probe: %w", err)
	}
	t := target{id: probeSiteID, name: probeSiteName, files: folderFiles(p.files), limits: config.Limits{ConnectionTimeout: probeLife}}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, func(*generation) target { return t })
	})
	p.ep = &endpoint{log: s.log, counts: &siteCounts{}, handler: handler}
	p.ep.serve(ln, &endpointPlan{timeouts: timeouts{header: probeLife, idle: probeLife}, limits: []siteLimit{{max: 1024}}})
	if err := p.enter(); err != nil {
		p.close()
		return "", nil, err
	}
	return ln.Addr().(*net.TCPAddr).String(), p.close, nil
}

// enter makes the probe one of the open ones and starts the time that it may live.
func (p *probe) enter() error {
	a := p.all
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return errStopping
	case len(a.open) >= maxProbes:
		return errors.New("too many probes are open")
	case a.open == nil:
		a.open = map[*probe]struct{}{}
	}
	a.open[p] = struct{}{}
	life := a.life
	if life == 0 {
		life = probeLife
	}
	p.timer = time.AfterFunc(life, p.close)
	return nil
}

// closeAt closes the probe that listens at an address, if there is one.
func (a *probes) closeAt(addr string) {
	a.mu.Lock()
	var found *probe
	for p := range a.open {
		if p.ep.address().String() == addr {
			found = p
		}
	}
	a.mu.Unlock()
	if found != nil {
		found.close()
	}
}

// close closes the listener, cuts its connections and removes its files. It may be called more than once.
func (p *probe) close() {
	p.once.Do(func() {
		defer close(p.done)
		p.all.mu.Lock()
		delete(p.all.open, p)
		timer := p.timer
		p.all.mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
		if p.ep != nil {
			p.ep.cut()
		}
		if p.files != "" {
			_ = os.RemoveAll(p.files)
		}
	})
	<-p.done
}

// closeAll closes every probe and lets no new one open.
func (a *probes) closeAll() {
	a.mu.Lock()
	a.closed = true
	var all []*probe
	for p := range a.open {
		all = append(all, p)
	}
	a.mu.Unlock()
	for _, p := range all {
		p.close()
	}
}

// writeProbeFiles makes the folder with the files of the probe site.
func writeProbeFiles() (dir string, err error) {
	dir, err = os.MkdirTemp("", "wshost-probe-*")
	if err != nil {
		return "", fmt.Errorf("make the files of the probe site: %w", err)
	}
	files := [...]struct{ name, content string }{
		{"probe.txt", "rolemgr probe\n"},
		{"Default.htm", "<!doctype html><title>rolemgr probe</title>\n"},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), []byte(f.content), 0o600); err != nil {
			_ = os.RemoveAll(dir)
			return "", fmt.Errorf("make the files of the probe site: %w", err)
		}
	}
	return dir, nil
}
