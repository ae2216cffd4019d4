package wizard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// serverInfo is what a refresh finds out about the local server.
type serverInfo struct {
	at         time.Time
	state      state.State
	stateErr   error
	roles      []features.ID // installed ones
	checks     []target.FileCheck
	host       wshost.Status
	hostErr    error
	mended     *apply.Recovery // what became of an interrupted change
	pendingErr error
	conns      []wshost.Connection
	log        []string // last lines of the host's own log, oldest first
	access     []string // and of the newest access log
	warnings   int      // of the last 24 hours
	failures   int
	faults     []string // of the configuration
	faultsErr  error
}

// gather finds everything out. What cannot be found out is in the info as an error.
func gather(ctx context.Context, o *Options) serverInfo {
	i := serverInfo{at: o.Now()}
	i.mended, i.pendingErr = mend(ctx, o.Target)
	i.state, i.stateErr = o.Target.State(ctx)
	for _, f := range i.state.Features {
		if u, _ := o.Catalog.Unit(features.ID(f.ID)); u.Kind == features.Role {
			i.roles = append(i.roles, u.ID)
		}
	}
	i.checks, _ = o.Target.Verify(ctx) // what cannot be read is what State has said already
	i.host, i.hostErr = o.Target.Host(ctx)
	if i.hostErr == nil && o.Connections != nil {
		i.conns, _ = o.Connections(ctx) // the host may just have ended
	}
	i.log = tail(filepath.Join(o.Local.Home, "logs", "wshost.log"))
	i.warnings, i.failures = countRecent(i.log, i.at.Add(-24*time.Hour))
	i.access = tail(newest(filepath.Join(o.Local.Home, "logs")))
	if o.Check != nil {
		i.faults, i.faultsErr = o.Check(ctx)
	}
	return i
}

// mend finishes or undoes an interrupted change, as every command does first that may write.
func mend(ctx context.Context, t target.Target) (*apply.Recovery, error) {
	_, pending, err := t.Pending(ctx)
	if err != nil || !pending {
		return nil, err
	}
	r, err := t.Recover(ctx)
	var locked *state.LockedError
	if errors.As(err, &locked) {
		return nil, nil // somebody is at work
	}
	if err != nil {
		return nil, err
	}
	return &r, nil
}

const tailBytes = 64 << 10 // of a log that are looked at

// tail returns the last lines of a file, oldest first; none when it cannot be read.
func tail(name string) []string {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > tailBytes {
		if _, err := f.Seek(-tailBytes, io.SeekEnd); err != nil {
			return nil
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, tailBytes))
	if err != nil {
		return nil
	}
	if len(text) == tailBytes { // begins in the middle of a line
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		out = append(out, harmless(strings.TrimRight(line, "\r\n")))
	}
	return out
}

// harmless takes out of a text what a terminal would obey: logs hold what strangers have sent.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			return '?'
		}
		return r
	}, s)
}

// newest returns the access log that was written last, below the folders of the sites.
func newest(logs string) string {
	files, _ := filepath.Glob(filepath.Join(logs, "*", "*.log")) // the pattern is fine
	best, at := "", time.Time{}
	for _, name := range files {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(at) {
			best, at = name, info.ModTime()
		}
	}
	return best
}

// countRecent counts the warnings and errors among the lines of the host's log since a moment.
func countRecent(lines []string, since time.Time) (warnings, failures int) {
	for _, line := range lines {
		text, ok := strings.CutPrefix(line, "time=")
		stamp, _, _ := strings.Cut(text, " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if !ok || err != nil || at.Before(since) {
			continue
		}
		switch {
		case strings.Contains(line, " level=WARN "):
			warnings++
		case strings.Contains(line, " level=ERROR "):
			failures++
		}
	}
	return warnings, failures
}

// drifted returns the files that are not as recorded.
func (i *serverInfo) drifted() []target.FileCheck {
	return slices.DeleteFunc(slices.Clone(i.checks), func(f target.FileCheck) bool { return f.State == target.FileOK })
}

// sockets counts the live ones.
func (i *serverInfo) sockets() int {
	n := 0
	for _, k := range i.host.Sockets {
		n += k
	}
	return n
}
