package staticcontent

import (
	"strings"
	"sync"
)

// mimeIndex is the MIME map of one folder, made once per decoded section.
type mimeIndex map[string]string

func newMimeIndex(c *staticConfig) mimeIndex {
	x := make(mimeIndex, len(c.MimeMaps))
	for _, m := range c.MimeMaps {
		x[strings.ToLower(m.Extension)] = m.Type
	}
	return x
}

// typeOf returns the MIME type for a file name. An entry for the longest extension wins (".dll.config" before
// ".config"); "." stands for names without an extension and ".*" for everything that has no other entry.
func (x mimeIndex) typeOf(name string) (string, bool) {
	rest := strings.ToLower(strings.TrimRight(name, "."))
	if !strings.Contains(rest, ".") {
		if typ, ok := x["."]; ok {
			return typ, true
		}
	}
	for {
		i := strings.IndexByte(rest, '.')
		if i < 0 {
			break
		}
		if typ, ok := x[rest[i:]]; ok {
			return typ, true
		}
		rest = rest[i+1:]
	}
	typ, ok := x[".*"]
	return typ, ok
}

// maxIndexes bounds the indexes that are kept: about one per folder with a web.config of its own.
const maxIndexes = 256

// mimeIndexes keeps the index of each decoded section. Sections are shared and immutable, so that their address is
// their identity; when files change, sections of the past stay until the bound is met and everything is made anew.
type mimeIndexes struct {
	mu sync.RWMutex
	m  map[*staticConfig]mimeIndex
}

func (s *mimeIndexes) get(c *staticConfig) mimeIndex {
	s.mu.RLock()
	x, ok := s.m[c]
	s.mu.RUnlock()
	if ok {
		return x
	}
	x = newMimeIndex(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil || len(s.m) >= maxIndexes {
		s.m = make(map[*staticConfig]mimeIndex)
	}
	s.m[c] = x
	return x
}
