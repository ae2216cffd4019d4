package httpplatform

import (
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// changeLook is how often at most the files of an application are looked at.
const changeLook = 500 * time.Millisecond

// changes notices that files of an application have changed. It looks when a request comes: a process that nobody asks
// need not be replaced.
type changes struct {
	looked  time.Time
	known   bool
	files   uint64 // of what watch names
	touched time.Time
	content uint64 // of the application's web.config
}

// look returns why the processes must be replaced, "" when nothing has changed.
func (c *changes) look(s *settings, now time.Time) string {
	if now.Sub(c.looked) < changeLook {
		return ""
	}
	c.looked = now
	files := fingerprint(s.folder, entries(s.watch))
	name := filepath.Join(s.folder, "web.config")
	var touched time.Time
	if info, err := os.Stat(name); err == nil {
		touched = info.ModTime()
	}
	content := c.content
	if !touched.Equal(c.touched) {
		content = contentOf(name)
	}
	why := ""
	switch {
	case !c.known:
	case files != c.files:
		why = "a watched file has changed"
	case !touched.Equal(c.touched) && content == c.content:
		// Whoever writes the file without changing anything asks for a new start, as on IIS. A change that concerns the
		// processes comes in as other settings.
		why = "web.config was touched"
	}
	c.known, c.files, c.touched, c.content = true, files, touched, content
	return why
}

// fingerprint changes when a file that a pattern names appears, goes or is written.
func fingerprint(folder string, patterns []string) uint64 {
	brackets := strings.NewReplacer("[", `\[`)
	plain := strings.NewReplacer("[", `\[`, "*", `\*`, "?", `\?`, `\`, `\\`)
	h := fnv.New64a()
	for _, p := range patterns {
		p = brackets.Replace(p) // patterns of Windows know * and ? alone
		if !filepath.IsAbs(p) {
			p = filepath.Join(plain.Replace(folder), p)
		}
		names, _ := filepath.Glob(p)
		for _, name := range names {
			if info, err := os.Stat(name); err == nil {
				_, _ = h.Write([]byte(name + "\x00" + strconv.FormatInt(info.ModTime().UnixNano(), 16) + "\x00" + strconv.FormatInt(info.Size(), 16) + "\x00"))
			}
		}
	}
	return h.Sum64()
}

func contentOf(name string) uint64 {
	h := fnv.New64a()
	b, err := os.ReadFile(name)
	if err == nil {
		_, _ = h.Write(b)
	}
	return h.Sum64()
}
