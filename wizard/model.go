package wizard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/target"
)

// model is the whole screen: Server Manager, a wizard over it, the tasks, and who may do I/O. Update and View do none:
// what takes time is a command.
type model struct {
	ctx  context.Context
	o    Options
	th   theme
	w, h int

	console *console
	win     *window
	drafts  map[Mode]*window // what was answered before the window was closed
	targets map[string]target.Target
	mem     memory
	tasks   []*task
	running *run
	waiter  *sync.WaitGroup
	gone    <-chan struct{} // closed when nobody looks any more

	dlg     *dialog
	help    bool
	helpTop int  // first line of the list of keys that is shown
	direct  bool // the wizard was asked for on the command line: closing it ends the program
	leaving bool // end the program when the task is over
}

// run is the task that is being carried out.
type run struct {
	task   *task
	win    *window
	cancel context.CancelFunc
	events chan tea.Msg

	// The outcome, to be read when the model's waiter has been waited for.
	res apply.Result
	err error
}

// What commands answer.
type (
	stateMsg struct {
		s    *Session
		home string // of the server that was asked
		got  serverState
		err  error
	}
	planMsg struct {
		s    *Session
		made madePlan
	}
	eventMsg   struct{ e apply.Event }
	taskEndMsg struct {
		res apply.Result
		err error
	}
	openedMsg struct {
		srv Server
		t   target.Target
		err error
	}
	exportedMsg struct {
		path string
		err  error
	}
	savedMsg struct{ err error }
)

// What the console and the model's own dialogs say.
type (
	openWizardMsg struct{ mode Mode }
	showTaskMsg   struct{ t *task }
	stopMsg       struct{ leave bool }
	quitMsg       struct{}
)

// Init asks for what the first screen shows.
func (m *model) Init() tea.Cmd {
	if m.win != nil {
		return tea.Batch(m.console.init(), m.follow(m.win.needs()))
	}
	return m.console.init()
}

// Update takes a message.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
		return m, nil
	case tea.KeyMsg:
		cmd := m.keys(msg)
		if m.draftChanged() {
			cmd = tea.Batch(cmd, m.save())
		}
		return m, cmd
	case tea.MouseMsg:
		return m, m.mouse(msg)
	case stateMsg:
		return m, m.gotState(msg)
	case planMsg:
		if !msg.s.Started() && sameWish(msg.made.wish, msg.s.Request().Wish) {
			msg.s.SetPlan(msg.made.plan, msg.made.diags, msg.made.err)
		}
		return m, nil
	case eventMsg:
		if m.running == nil {
			return m, nil
		}
		m.running.task.event(msg.e)
		return m, m.listen()
	case taskEndMsg:
		return m, m.taskEnded(msg)
	case openedMsg:
		return m, m.opened(msg)
	case exportedMsg:
		m.exported(msg)
		return m, nil
	case savedMsg:
		if msg.err != nil {
			m.say(fmt.Sprintf("what you answered could not be kept: %v", msg.err), true)
		}
		return m, nil
	}
	if got, ok := msg.(infoMsg); ok && m.tellLost(got.info) {
		m.mem.record(m.tasks)
		return m, tea.Batch(m.console.update(msg), m.save())
	}
	return m, m.console.update(msg)
}

// keys takes what the terminal has sent at once: letters that come fast come together, and so does what is pasted.
func (m *model) keys(msg tea.KeyMsg) tea.Cmd {
	if msg.Type != tea.KeyRunes || len(msg.Runes) < 2 {
		return m.key(msg.String())
	}
	var cmds []tea.Cmd
	for _, r := range msg.Runes {
		if k := string(r); printable(k) {
			cmds = append(cmds, m.key(k))
		}
	}
	return tea.Batch(cmds...)
}

// key takes a key: the model's own first, then the dialog, the wizard, Server Manager.
func (m *model) key(k string) tea.Cmd {
	switch {
	case k == "ctrl+c":
		return m.interrupt()
	case m.help:
		m.helpKey(k)
		return nil
	case k == "ctrl+t":
		return m.toggleMouse()
	case m.dlg != nil:
		answer, done := m.dlg.key(k)
		if done {
			m.dlg = nil
		}
		return m.follow(answer)
	case (k == "?" || k == "f1") && !m.typing():
		m.help, m.helpTop = true, 0
		return nil
	case m.win != nil:
		return m.follow(m.win.take(m.win.key(k)))
	}
	return m.follow(m.console.key(k))
}

// typing reports whether letters are text.
func (m *model) typing() bool {
	if m.win != nil {
		if m.win.dlg != nil {
			kind, _ := m.win.dlg.part()
			return kind == 'f'
		}
		return m.win.area == onPage && m.win.current().typing()
	}
	return m.console.typing()
}

// interrupt is Ctrl-C: it ends the program, but for a change that is being carried out, which is asked about once.
func (m *model) interrupt() tea.Cmd {
	if m.running == nil {
		return tea.Quit
	}
	if m.running.task.stopping {
		m.say("stopping already: this step is finished, then everything is undone", false)
		return nil
	}
	m.dlg = &dialog{
		title: "Stop the " + m.running.task.verb() + "?",
		text:  []string{"The step that is being done is finished, then everything that was changed is undone."},
		focus: 2,
		buttons: []dialogButton{
			{"Stop and undo", "s", func(*dialog) any { return stopMsg{} }},
			{"Undo and quit", "q", func(*dialog) any { return stopMsg{leave: true} }},
			{"Go on", "g", func(*dialog) any { return nil }},
		},
	}
	return nil
}

// follow does what a page, a dialog or the console asked the model for.
func (m *model) follow(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case nil:
		return nil
	case needStateMsg:
		return m.loadState(msg.s)
	case needPlanMsg:
		return m.makePlan(msg.s)
	case startMsg:
		return m.start(msg.s)
	case closeMsg:
		return m.closeWindow()
	case switchModeMsg:
		m.openWindow(msg.mode)
		return m.follow(m.win.needs())
	case openWizardMsg:
		m.openWindow(msg.mode)
		return m.follow(m.win.needs())
	case openMsg:
		return m.openHome(msg.home)
	case exportMsg:
		return m.export(msg.path)
	case skipMsg:
		m.mem.SkipBefore = msg.on
		return m.save()
	case stopMsg:
		m.leaving = msg.leave
		if m.running != nil {
			m.running.task.stopping = true
			m.running.cancel()
		} else if msg.leave {
			return tea.Quit
		}
		return nil
	case quitMsg:
		if m.running != nil {
			return m.interrupt()
		}
		return tea.Quit
	}
	if cmd, ok := m.taskMsg(msg); ok {
		return cmd
	}
	if _, ok := msg.(helpMsg); ok {
		m.help, m.helpTop = true, 0
		return nil
	}
	return m.console.update(msg)
}

// say tells something in the status line of what is shown.
func (m *model) say(text string, serious bool) {
	if m.win != nil {
		m.win.status, m.win.serious = text, serious
		return
	}
	m.console.say(text, serious)
}

// openWindow shows a wizard, with what was answered in it before.
func (m *model) openWindow(mode Mode) {
	m.keepDraft()
	if w := m.drafts[mode]; w != nil {
		delete(m.drafts, mode)
		w.area, w.dlg = onPage, nil
		m.win = w
		return
	}
	s := NewSession(mode, m.o.Catalog, []Server{m.o.Local}, m.mem.SkipBefore)
	s.wanted = m.mem.draft(mode, m.o.Local.Home)
	m.win = newWindow(s, m.o.Catalog)
	m.win.button = m.win.preferred()
}

// keepDraft takes the window away and keeps what was answered, unless its change was begun.
func (m *model) keepDraft() {
	if m.win != nil && !m.win.s.Started() {
		m.drafts[m.win.s.Mode] = m.win
	}
	m.win = nil
}

// closeWindow closes the wizard. Ticks are kept for the next time, also of the next run of the program.
func (m *model) closeWindow() tea.Cmd {
	s := m.win.s
	m.keepDraft()
	m.mem.keep(s)
	cmds := []tea.Cmd{m.save(), m.console.reload()}
	if m.direct && m.running == nil {
		return tea.Sequence(m.save(), tea.Quit)
	}
	return tea.Batch(cmds...)
}

// gotState puts what is installed into the session that asked.
func (m *model) gotState(msg stateMsg) tea.Cmd {
	if msg.err != nil {
		m.say(fmt.Sprintf("what is installed cannot be read: %v", msg.err), true)
		return nil
	}
	if srv, _ := msg.s.Server(); msg.s.Started() || srv.Home != msg.home {
		return nil // an answer about a server that is not the chosen one any more
	}
	restored := msg.s.Sel == nil && !msg.s.wantedAgain && len(msg.s.wanted.Install)+len(msg.s.wanted.Remove) > 0
	msg.s.SetState(msg.got.state)
	if restored && !msg.s.Sel.Empty() && m.win != nil && m.win.s == msg.s {
		m.say("ticked again: what you had ticked the last time", false)
	}
	if m.win != nil && m.win.s == msg.s {
		return m.follow(m.win.needs())
	}
	return nil
}

// opened adds an offline home folder to the pool.
func (m *model) opened(msg openedMsg) tea.Cmd {
	if m.win == nil {
		return nil
	}
	if msg.err != nil {
		m.win.dlg = notice("The home folder cannot be used", upperFirst(msg.err.Error())+".")
		return nil
	}
	m.targets[msg.srv.Home] = msg.t
	s := m.win.s
	row := slices.IndexFunc(s.Pool, func(x Server) bool { return x.Home == msg.srv.Home })
	if row < 0 {
		s.Pool = append(s.Pool, msg.srv)
		row = len(s.Pool) - 1
	}
	s.Choose(row)
	if p, ok := m.win.page[PageServer].(*serverPage); ok {
		p.filter, p.filtering, p.cursor = "", false, row
	}
	return m.follow(m.win.needs())
}

func (m *model) exported(msg exportedMsg) {
	if msg.err != nil {
		if m.win != nil {
			m.win.dlg = notice("The file could not be written", upperFirst(msg.err.Error())+".")
		}
		return
	}
	m.say("written to "+msg.path+"; rolemgr install --file "+msg.path+" replays it", false)
}

// taskEnded notes the outcome of a change.
func (m *model) taskEnded(msg taskEndMsg) tea.Cmd {
	r := m.running
	m.running = nil
	if r == nil {
		return nil
	}
	var stale *apply.StaleError
	if errors.As(msg.err, &stale) && m.win == r.win && !m.leaving {
		m.tasks = slices.DeleteFunc(m.tasks, func(t *task) bool { return t == r.task })
		r.win.s.back()
		m.say("the server was changed meanwhile by somebody else: this is the new plan", true)
		return tea.Batch(m.loadState(r.win.s), m.save())
	}
	r.task.end(msg.res, msg.err, m.o.Now())
	r.win.s.Finish()
	if m.win == r.win {
		r.task.Seen = true
	}
	for _, w := range m.drafts {
		w.s.forgetState() // what it knew of the server is old
	}
	m.mem.record(m.tasks)
	if r.task.State == taskDone { // else the ticks are wanted again
		m.mem.drop(r.task.Mode, r.task.Home)
	}
	if m.leaving {
		return tea.Sequence(m.save(), tea.Quit)
	}
	return tea.Batch(m.save(), m.console.reload())
}
