// Package wizard is Server Manager in the terminal: the dashboard, the wizards that add and remove roles and features
// page by page, and the same as a plain dialogue line by line.
//
// A Session holds the answers and knows no screen. The screen is one model (model.go) that owns all I/O; over it a
// window with a page for each question, which answers keys with messages and does not know the next page. Nothing does
// I/O in Update or View, and what the last line shows is what is bound.
//
// It decides nothing about a change: package plan makes the plan and package apply carries it out, as for every other
// face.
package wizard

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// Start is what is shown first.
type Start uint8

// The starts.
const (
	ServerManager Start = 0 // the dashboard
	AddWizard     Start = 1 // Add Roles and Features; closing it ends the program
	RemoveWizard  Start = 2 // Remove Roles and Features; closing it ends the program
)

// Options are what the wizard runs with. All fields but Look, Start, Connections and Check must be set.
type Options struct {
	In      io.Reader // a terminal
	Out     io.Writer // a terminal
	Look    Look
	Start   Start
	Catalog *features.Catalog
	Target  target.Target // the local server
	Local   Server        // its row in the server pool
	Version string        // of the program
	Now     func() time.Time
	// Open opens the home folder of a server that is not in the pool.
	Open func(home string) (target.Target, Server, error)
	// Export writes what was asked for to a file that "rolemgr install --file" reads.
	Export func(path string, r plan.Request) error
	// Connections lists the live sockets of the running host; nil when that cannot be asked.
	Connections func(ctx context.Context) ([]wshost.Connection, error)
	// Check looks at the configuration of the sites and returns its faults, one line each; nil when that cannot be done.
	Check func(ctx context.Context) ([]string, error)
	// Memory is what Keep was given in an earlier run, nil when there was none.
	Memory []byte
	// Keep keeps a few kilobytes for the next run of this user.
	Keep func(text []byte) error
}

// Run shows the wizard until the person leaves or ctx ends. A change that is being carried out then is stopped and
// undone before Run returns.
func Run(ctx context.Context, o Options) error {
	gone := make(chan struct{})
	m := newModel(ctx, o, gone)
	t, err := enterTerminal(o.In, o.Out)
	if err != nil {
		return err
	}
	defer t.leave()
	p := tea.NewProgram(onTerminal{m, t}, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithoutRenderer(),
		tea.WithoutSignalHandler())
	defer t.watchSize(func(w, h int) { p.Send(tea.WindowSizeMsg{Width: w, Height: h}) })()
	if m.w, m.h, err = t.size(); err == nil {
		_, err = p.Run()
	}
	close(gone)
	if kerr := m.windUp(); err == nil {
		err = kerr
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// windUp stops and undoes what is being carried out when nobody looks any more, and remembers what became of it.
func (m *model) windUp() error {
	r := m.running
	if r == nil {
		m.waiter.Wait()
		return nil
	}
	r.task.stopping = true
	r.cancel()
	m.waiter.Wait()
	r.task.end(r.res, r.err, m.o.Now())
	m.mem.record(m.tasks)
	text, err := m.mem.encode()
	if err == nil {
		err = m.o.Keep(text)
	}
	return err
}

// newModel makes the first screen.
func newModel(ctx context.Context, o Options, gone <-chan struct{}) *model {
	mem, err := decodeMemory(o.Memory)
	m := &model{
		ctx: ctx, o: o, th: newTheme(o.Look, o.Out), drafts: map[Mode]*window{}, targets: map[string]target.Target{},
		mem: mem, tasks: mem.recall(o.Catalog), waiter: new(sync.WaitGroup), gone: gone,
	}
	m.targets[o.Local.Home] = o.Target
	m.console = newConsole(ctx, &m.o, func() []*task { return m.tasks })
	switch o.Start {
	case AddWizard:
		m.openWindow(Add)
	case RemoveWizard:
		m.openWindow(Remove)
	}
	m.direct = o.Start != ServerManager
	if err != nil {
		m.say(err.Error()+"; going on without it", true)
	}
	return m
}

// commandText writes a command line as it is typed.
func commandText(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = shellWord(a)
	}
	return strings.Join(out, " ")
}

// shellWord quotes a word where a shell would take it apart.
func shellWord(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@,+%", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
