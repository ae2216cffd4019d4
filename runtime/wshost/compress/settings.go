package compress

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// Settings are httpCompression of a folder, ready for use. They are shared and immutable.
type Settings struct {
	c               *httpConfig
	Static, Dynamic Plan
}

// Plan is what one of the two features compresses, and with what.
type Plan struct {
	Types   *Types
	Offers  []Coding // in the order of the schemes
	levels  []int    // of the offers
	minSize int64
}

func newSettings(c *httpConfig) *Settings {
	s := &Settings{c: c}
	s.Static = Plan{Types: newTypes(c.Static.Types), minSize: max(1, int64(c.MinFileSize))}
	s.Dynamic = Plan{Types: newTypes(c.Dynamic.Types)}
	for _, sc := range c.Schemes {
		coding, ok := Known(sc.Name)
		if !ok {
			continue // a scheme of Windows that is no coding of HTTP clients; see Unknown
		}
		s.Static.set(coding, int(min(sc.StaticLevel, maxLevel)), sc.Static)
		s.Dynamic.set(coding, int(min(sc.DynamicLevel, maxLevel)), sc.Dynamic)
	}
	return s
}

// set takes a scheme in, at the place of an earlier one of the same name.
func (p *Plan) set(c Coding, level int, on bool) {
	i := slices.Index(p.Offers, c)
	switch {
	case i >= 0 && on:
		p.levels[i] = level
	case i >= 0:
		p.Offers, p.levels = slices.Delete(p.Offers, i, i+1), slices.Delete(p.levels, i, i+1)
	case on && len(p.Offers) < maxOffers:
		p.Offers, p.levels = append(p.Offers, c), append(p.levels, level)
	}
}

// Level returns the level of an offered coding.
func (p *Plan) Level(c Coding) int {
	if i := slices.Index(p.Offers, c); i >= 0 {
		return p.levels[i]
	}
	return 0
}

// Worth reports whether content of that type and size could be compressed for some client: its answers vary.
func (p *Plan) Worth(contentType string, size int64) bool {
	return len(p.Offers) > 0 && size >= p.minSize && p.Types.Match(contentType)
}

// Coding returns what to send to the client that asks, Identity where the settings or the client forbid compression.
// It does not look at the method.
func (s *Settings) Coding(p *Plan, r *http.Request) Coding {
	switch {
	case s.c.NoHTTP10 && !r.ProtoAtLeast(1, 1),
		s.c.NoProxies && len(r.Header["Via"]) > 0, // RFC 9110, section 7.6.3
		s.c.NoRange && len(r.Header["Range"]) > 0:
		return Identity
	}
	return Choose(r.Header["Accept-Encoding"], p.Offers)
}

// Unknown returns the names of schemes that nothing here produces.
func (s *Settings) Unknown() []string {
	var names []string
	for _, sc := range s.c.Schemes {
		if _, ok := Known(sc.Name); !ok {
			names = append(names, sc.Name)
		}
	}
	return names
}

// DiskLimit returns how many bytes of compressed copies a site may keep; -1 is no limit.
func (s *Settings) DiskLimit() int64 {
	if !s.c.LimitDisk {
		return -1
	}
	return int64(s.c.MaxDiskMB) << 20
}

// Directory returns the folder of compressed copies. A relative one counts from home. A folder of Windows, which a file
// that comes from there names, means the host's own.
func (s *Settings) Directory(home, own string) string {
	dir := s.c.Directory
	if dir == "" || strings.HasPrefix(dir, "%") || len(dir) > 1 && dir[1] == ':' || strings.HasPrefix(dir, `\\`) {
		return own
	}
	if dir = filepath.FromSlash(strings.ReplaceAll(dir, `\`, "/")); !filepath.IsAbs(dir) {
		dir = filepath.Join(home, dir)
	}
	return dir
}

// maxSettings bounds the settings that are kept: about one per folder with a web.config of its own.
const maxSettings = 256

// Cache keeps the Settings of each decoded section, whose address is its identity. The zero value is ready; methods may
// be called concurrently.
type Cache struct {
	mu sync.RWMutex
	m  map[*httpConfig]*Settings
}

// Get returns the settings and switches of a URL.
func (k *Cache) Get(e *config.Effective) (*Settings, *URLConfig, error) {
	c, err := config.Decode[httpConfig](e, HTTPSection)
	if err != nil {
		return nil, nil, err
	}
	u, err := config.Decode[URLConfig](e, URLSection)
	if err != nil {
		return nil, nil, err
	}
	return k.settings(c), u, nil
}

func (k *Cache) settings(c *httpConfig) *Settings {
	k.mu.RLock()
	s, ok := k.m[c]
	k.mu.RUnlock()
	if ok {
		return s
	}
	s = newSettings(c)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.m == nil || len(k.m) >= maxSettings {
		k.m = make(map[*httpConfig]*Settings)
	}
	k.m[c] = s
	return s
}
