package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/wizard"
	"github.com/spf13/cobra"
)

type wizardOptions struct {
	plain  bool
	remove bool
}

func newWizardCommand(c *cli) *cobra.Command {
	o := wizardOptions{}
	cmd := &cobra.Command{
		Use:   "wizard",
		Short: "Add or remove roles and features, page by page",
		Long: `Add or remove roles and features with the pages of Server Manager's wizard.

It needs a terminal. --plain asks the same questions line by line, with numbered answers and nothing that moves, for
screen readers, serial lines and scripts: it works on pipes too. ACCESSIBLE=1 and TERM=dumb give the same on a terminal.
"rolemgr" alone opens Server Manager, which has the wizard in its menu.`,
		Example: "  rolemgr wizard\n  rolemgr wizard --remove\n  rolemgr wizard --plain",
		Args:    argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			start := wizard.AddWizard
			if o.remove {
				start = wizard.RemoveWizard
			}
			return runWizard(cmd.Context(), c, start, o.plain)
		},
	}
	cmd.Flags().BoolVar(&o.plain, "plain", false, "ask line by line, for screen readers and simple terminals")
	cmd.Flags().BoolVar(&o.remove, "remove", false, "remove roles and features instead")
	return cmd
}

// terminalError is a screen that was asked for where there is no terminal.
type terminalError struct{ what, instead string }

func (e *terminalError) Error() string {
	return e.what + " needs a terminal on standard input and output"
}

// runWizard shows Server Manager or a wizard. Whether there is a terminal is decided before anything looks for one: a
// redirected standard input is never replaced by the terminal behind it. The plain dialogue needs none, but without one
// it must have been asked for: nothing is to wait for an answer where nobody expects a question.
func runWizard(ctx context.Context, c *cli, start wizard.Start, plain bool) error {
	if c.json {
		return &usageError{"--json and the wizard exclude one another", "\"rolemgr install websocket --json\" is for programs"}
	}
	if !plain && (!c.InTTY || !c.OutTTY) {
		return noTerminal(start)
	}
	plain = plain || isSet(c.Getenv("ACCESSIBLE")) || c.Getenv("TERM") == "dumb"
	ctx, stop := c.untilHangup(ctx)
	defer stop()
	o, err := c.wizardOptions(ctx, start)
	if err != nil {
		return err
	}
	if !plain {
		return wizard.Run(ctx, o)
	}
	var locked *state.LockedError
	if err := c.mend(ctx, o.Target); errors.As(err, &locked) {
		c.noteUnmended(err)
	} else if err != nil {
		return err
	}
	o.In, o.Out = c.In, c.terminalLines()
	return wizard.RunPlain(ctx, o)
}

// untilHangup gives a context that ends also when the terminal goes away: what is being carried out then is undone, and
// not left for the next command.
func (c *cli) untilHangup(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	hangups, unhear := c.Hangups()
	go func() {
		select {
		case <-hangups:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); unhear() }
}

// noTerminal refuses a screen, with the commands that do the same without one.
func noTerminal(start wizard.Start) error {
	switch start {
	case wizard.ServerManager:
		return &terminalError{"Server Manager",
			"the same without one: \"rolemgr install websocket\"; \"rolemgr --help\" lists the commands"}
	case wizard.RemoveWizard:
		return &terminalError{"the wizard",
			"the same without one: \"rolemgr remove websocket\"; \"rolemgr wizard --remove --plain\" asks line by line"}
	}
	return &terminalError{"the wizard",
		"the same without one: \"rolemgr install websocket\"; \"rolemgr wizard --plain\" asks line by line"}
}

// isSet reports whether a variable of the environment switches something on.
func isSet(value string) bool {
	return value != "" && value != "0" && !strings.EqualFold(value, "false")
}

// wizardOptions gathers what a wizard runs with.
func (c *cli) wizardOptions(_ context.Context, start wizard.Start) (wizard.Options, error) {
	t, err := c.server()
	if err != nil {
		return wizard.Options{}, err
	}
	kept, err := c.memoryFile()
	if err != nil {
		return wizard.Options{}, err
	}
	memory, err := os.ReadFile(kept)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wizard.Options{}, fmt.Errorf("read what the wizard remembers: %w", err)
	}
	return wizard.Options{
		In: c.Keys, Out: c.Screen, Look: c.look(), Start: start, Catalog: c.cat, Target: t,
		Local:   wizard.Server{Name: t.Name(), Address: addresses(), System: system(), Home: c.home, Named: c.homeGiven()},
		Version: c.Version, Now: c.Now, Memory: memory,
		Open: c.openHome,
		Connections: func(ctx context.Context) ([]wshost.Connection, error) {
			return wshost.NewAdmin(c.home).Connections(ctx)
		},
		Check:  c.checkSites,
		Export: c.exportRequest,
		Keep: func(text []byte) error {
			if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
				return err
			}
			return atomicfile.Write(atomicfile.OS{}, kept, text, 0o600)
		},
	}, nil
}

// memoryFile is where the wizard keeps what it remembers: state of the user, not of the server.
func (c *cli) memoryFile() (string, error) {
	// The XDG base directory specification says that a relative path is to be ignored.
	if dir := c.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "rolemgr", "wizard.toml"), nil
	}
	home, err := c.UserHome()
	if err != nil {
		return "", &hintedError{fmt.Errorf("find a place for what the wizard remembers: %w", err), "set XDG_STATE_HOME to a folder"}
	}
	return filepath.Join(home, ".local", "state", "rolemgr", "wizard.toml"), nil
}

// look is what the environment says of the terminal.
func (c *cli) look() wizard.Look {
	locale := c.Getenv("LC_ALL")
	for _, name := range []string{"LC_CTYPE", "LANG"} {
		if locale == "" {
			locale = c.Getenv(name)
		}
	}
	locale = strings.ToLower(strings.ReplaceAll(locale, "-", ""))
	l := wizard.Look{Color: c.Getenv("NO_COLOR") == "", Dark: true, ASCII: !strings.Contains(locale, "utf8")}
	// COLORFGBG is "15;0" or "0;default;15": the last number is the background, of which 7 and 15 are light.
	if parts := strings.Split(c.Getenv("COLORFGBG"), ";"); len(parts) > 1 {
		bg := parts[len(parts)-1]
		l.Dark = bg != "7" && bg != "15"
	}
	switch c.Getenv("ROLEMGR_BACKGROUND") {
	case "light":
		l.Dark = false
	case "dark":
		l.Dark = true
	}
	return l
}

// openHome opens the home folder of another server.
func (c *cli) openHome(home string) (target.Target, wizard.Server, error) {
	dir, err := filepath.Abs(home)
	if err == nil {
		err = checkHome(dir)
	}
	if err != nil {
		return nil, wizard.Server{}, err
	}
	t := c.NewTarget(target.LocalOptions{Home: dir, Catalog: c.cat, Factory: c.Factory, Version: c.Version, Now: c.Now})
	return t, wizard.Server{
		Name: filepath.Base(dir), Address: "-", System: system(), Home: dir, Offline: true, Named: true,
	}, nil
}

// exportRequest writes a request as a file that "rolemgr install --file" reads.
func (c *cli) exportRequest(path string, r plan.Request) error {
	a := answers{
		Version: answersVersion, Level: string(r.Level), ManagementTools: r.IncludeManagementTools, Features: []string{},
	}
	for _, id := range r.Install {
		a.Features = append(a.Features, string(id))
	}
	for _, id := range r.Remove {
		a.Without = append(a.Without, string(id))
	}
	return atomicfile.Write(atomicfile.OS{}, path, a.encode(c.title), 0o644)
}

// addresses are the addresses of this machine, without those that only it can reach.
func addresses() string {
	all, _ := net.InterfaceAddrs() // a machine without addresses is a machine all the same
	var out []string
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			out = append(out, n.IP.String())
		}
	}
	if len(out) == 0 {
		return "127.0.0.1"
	}
	return strings.Join(out, ", ")
}

// system is the name of the operating system as it gives it itself (os-release(5)).
func system() string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "Linux"
	}
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return "Linux"
}
