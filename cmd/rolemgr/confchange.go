package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

// confOptions are what every command that edits a configuration file has in common.
type confOptions struct {
	whatIf bool
	wait   time.Duration
}

func (o *confOptions) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.whatIf, "what-if", false, "show what would change in which file, and change nothing; needs no permission to write")
	cmd.Flags().DurationVar(&o.wait, "wait", 0, "how long to wait for another rolemgr to finish, as in 30s")
}

// confEdit is a file with the text that it is to have.
type confEdit struct {
	place  confPlace
	before []byte // nil when the file does not exist yet
	after  *edit.Document
	// ready is called with the file unchanged, before it is replaced; nil for nothing more to check.
	ready func() error
	// done is called when the change is in use.
	done func(ctx context.Context)
	// site is the site that the change adds, or nil.
	site *siteRow
}

// confResult is what the commands that edit a configuration file print with --json.
type confResult struct {
	Version    int        `json:"version"`
	Success    bool       `json:"success"`
	Result     string     `json:"result"` // "changed", "no-change", "planned"
	File       string     `json:"file"`
	Kept       string     `json:"kept,omitempty"` // where the file before is kept
	Diff       []diffLine `json:"diff"`
	Reloaded   bool       `json:"reloaded"`
	Generation uint64     `json:"generation,omitempty"`
	Warnings   []string   `json:"warnings"`
	Site       *siteRow   `json:"site,omitempty"` // that was added
}

// editConfig carries out one edit of one configuration file: under the writer's lock, checked by the configuration tree
// before anything is written, replaced atomically, and taken back when the running host refuses it.
func (c *cli) editConfig(ctx context.Context, o confOptions, plan func(*confTree) (*confEdit, error)) error {
	if o.wait < 0 {
		return &usageError{fmt.Sprintf("--wait %s is not a time to wait", o.wait), "give it as in 30s; 0s does not wait"}
	}
	t, err := c.openToWrite(ctx, o.whatIf)
	if err != nil {
		return err
	}
	if err := c.servable(ctx, t); err != nil {
		return err
	}
	if !o.whatIf {
		unlock, err := state.NewStore(c.home, atomicfile.OS{}, c.Factory).Lock(withoutValues(c.line), o.wait)
		if err != nil {
			return err
		}
		defer unlock()
	}
	s, err := c.openConfig(ctx)
	if err != nil {
		return err
	}
	e, err := plan(s)
	if err != nil {
		return err
	}
	text := e.after.Bytes()
	res := confResult{Version: 1, Success: true, Result: "no-change", File: e.place.file, Diff: []diffLine{}, Warnings: []string{}, Site: e.site}
	if bytes.Equal(text, e.before) {
		return c.print(res, func(w io.Writer) { fmt.Fprintf(w, "%s is so already; nothing was changed\n", e.place.file) })
	}
	if err := s.validate(e, text); err != nil {
		return err
	}
	if e.ready != nil {
		if err := e.ready(); err != nil {
			return err
		}
	}
	res.Diff = diffLines(e.before, text, s.options.Schema)
	if !c.json {
		writeDiff(c.Out, e.place.file, e.before == nil, res.Diff)
	}
	if o.whatIf {
		res.Result = "planned"
		return c.print(res, func(w io.Writer) { fmt.Fprintln(w, "Nothing was changed (--what-if).") })
	}
	return c.commitConfig(ctx, s, e, text, res)
}

// withoutValues cuts a command line where values begin: everybody may read who holds the lock, and a value may be a
// password.
func withoutValues(line string) string {
	words := strings.Split(line, " ")
	for i, w := range words {
		if name, _, found := strings.Cut(w, "="); found && !strings.HasPrefix(w, "-") {
			return strings.Join(append(words[:i:i], name+"=..."), " ")
		}
	}
	return line
}

// validate refuses a text that the configuration tree would refuse, for the server or for a site that it concerns.
func (s *confTree) validate(e *confEdit, text []byte) error {
	sites := []string{e.place.site}
	if e.place.site == "" {
		sites = nil
		for _, site := range s.tree.Sites() {
			sites = append(sites, site.Name)
		}
	}
	faults := edit.Validate(s.options, e.place.file, text, sites...)
	if len(faults) == 0 {
		return nil
	}
	f := faults[0]
	err := fmt.Errorf("nothing was changed: the configuration would be at fault: %w", f)
	if f.LockedBy != nil && e.place.site != "" && e.place.file != s.options.AppHost {
		return &hintedError{err, "write it into applicationHost.config instead with --commit apphost, or " + f.Hint}
	}
	return err
}

// commitConfig replaces the file and makes a running host read it.
func (c *cli) commitConfig(ctx context.Context, s *confTree, e *confEdit, text []byte, res confResult) error {
	name, err := realName(e.place.file)
	if err != nil {
		return err
	}
	if now, err := os.ReadFile(name); !bytes.Equal(now, e.before) || (e.before == nil) != errors.Is(err, fs.ErrNotExist) {
		return &hintedError{fmt.Errorf("nothing was changed: %q was changed by somebody else meanwhile", name), "look at it and try again"}
	}
	if e.before != nil {
		if res.Kept, err = c.keepBefore(e.place.file, e.before); err != nil {
			return err
		}
	}
	if err := replaceConfig(name, text); err != nil {
		return err
	}
	res.Result = "changed"
	if e.place.file == s.options.AppHost {
		if err := c.reloadAfter(ctx, &res); err != nil {
			if back := replaceConfig(name, e.before); back != nil {
				return &hintedError{
					fmt.Errorf("the running host refuses the change (%w), and the file could not be put back: %w", err, back),
					fmt.Sprintf("put back %q by hand", res.Kept),
				}
			}
			return &hintedError{&apply.RolledBackError{Err: fmt.Errorf("the running host refuses the change: %w", err)}, hintFor(err)}
		}
	}
	if e.done != nil {
		e.done(ctx)
	}
	return c.print(res, func(w io.Writer) { c.writeConfigChanged(w, res, e.place.file == s.options.AppHost) })
}

// reloadAfter makes a running host read applicationHost.config. That none runs is fine; one that may not be asked is
// told of.
func (c *cli) reloadAfter(ctx context.Context, res *confResult) error {
	r, err := wshost.NewAdmin(c.home).Reload(ctx)
	switch {
	case errors.Is(err, wshost.ErrNotRunning):
		return nil
	case errors.Is(err, fs.ErrPermission):
		res.Warnings = append(res.Warnings, "the host could not be told: "+err.Error())
	case err != nil:
		return err
	default:
		res.Reloaded, res.Generation = true, r.Generation
		res.Warnings = append(res.Warnings, r.Warnings...)
	}
	for _, w := range res.Warnings {
		c.note("warning: %s", w)
	}
	return nil
}

func (c *cli) writeConfigChanged(w io.Writer, r confResult, appHost bool) {
	if r.Kept != "" {
		fmt.Fprintf(w, "changed; the file before is kept as %s\n", r.Kept)
	} else {
		fmt.Fprintln(w, "written")
	}
	if r.Site != nil {
		fmt.Fprintf(w, "site %q with the id %d: %s\n", r.Site.Name, r.Site.ID, r.Site.Path)
	}
	switch {
	case r.Reloaded:
		fmt.Fprintf(w, "reloaded: generation %d\n", r.Generation)
	case appHost && len(r.Warnings) > 0:
		fmt.Fprintln(w, "it takes effect with \"rolemgr reload\"")
	case appHost:
		fmt.Fprintln(w, "no host is running; it takes effect with the next \"rolemgr serve\"")
	default:
		fmt.Fprintln(w, "it takes effect with the next request")
	}
}

// realName follows links: the file behind one is replaced, not the link.
func realName(name string) (string, error) {
	real, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) && !exists(name) {
		return name, nil
	}
	if err != nil {
		return "", fmt.Errorf("find %q: %w", name, err)
	}
	return real, nil
}

// keepBefore keeps the text of before. It does not lie beside a web.config, where it would be content of the site that
// no rule of Request Filtering hides. One text is kept of each file.
func (c *cli) keepBefore(file string, text []byte) (string, error) {
	dir := filepath.Join(c.home, "config", "previous")
	if err := atomicfile.MkdirAll(atomicfile.OS{}, dir, 0o700); err != nil {
		return "", fmt.Errorf("keep the file before: %w", err)
	}
	name := filepath.Base(file)
	if filepath.Dir(file) != filepath.Join(c.home, "config") {
		sum := sha256.Sum256([]byte(file))
		name += fmt.Sprintf(".%x", sum[:6])
	}
	name = filepath.Join(dir, name)
	if err := atomicfile.Write(atomicfile.OS{}, name, text, 0o600); err != nil {
		return "", fmt.Errorf("keep the file before: %w", err)
	}
	return name, nil
}

// replaceConfig replaces a configuration file atomically; the new one has mode and owner of the old. A new one belongs
// to the owner of its folder, as if that one had written it.
func replaceConfig(name string, text []byte) error {
	if text == nil {
		return os.Remove(name)
	}
	disk := ownedDisk{uid: -1, gid: -1, mode: 0o644}
	info, err := os.Stat(name)
	if err == nil {
		disk.mode = info.Mode().Perm()
	} else {
		info, err = os.Stat(filepath.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("replace the configuration: %w", err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		disk.uid, disk.gid = int(st.Uid), int(st.Gid)
	}
	return atomicfile.Write(disk, name, text, disk.mode)
}

// ownedDisk makes files with a mode and an owner before anything is written to them.
type ownedDisk struct {
	atomicfile.OS
	uid, gid int
	mode     fs.FileMode
}

// Create makes a new file for writing.
func (d ownedDisk) Create(name string, perm fs.FileMode) (atomicfile.File, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm&0o600)
	if err != nil {
		return nil, err
	}
	if err = f.Chown(d.uid, d.gid); err == nil {
		err = f.Chmod(d.mode)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(name))
	}
	return f, nil
}
