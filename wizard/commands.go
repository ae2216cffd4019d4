package wizard

import (
	"context"
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
)

// serverState is what is known of a server.
type serverState struct{ state state.State }

// madePlan is the answer to a request.
type madePlan struct {
	wish  features.Wish
	plan  plan.Plan
	diags diag.List
	err   error
}

// sameWish reports whether two wishes ask for the same.
func sameWish(a, b features.Wish) bool {
	return slices.Equal(a.Install, b.Install) && slices.Equal(a.Remove, b.Remove) && a.IncludeManagementTools == b.IncludeManagementTools
}

// target is the server of a session.
func (m *model) target(s *Session) target.Target {
	srv, _ := s.Server()
	if t := m.targets[srv.Home]; t != nil {
		return t
	}
	return m.o.Target
}

// loadState reads what is installed.
func (m *model) loadState(s *Session) tea.Cmd {
	t, ctx := m.target(s), m.ctx
	srv, _ := s.Server()
	return func() tea.Msg {
		st, err := t.State(ctx)
		return stateMsg{s, srv.Home, serverState{st}, err}
	}
}

// makePlan asks what the answers lead to.
func (m *model) makePlan(s *Session) tea.Cmd {
	t, ctx, r := m.target(s), m.ctx, s.Request()
	return func() tea.Msg {
		p, diags, err := t.Plan(ctx, r)
		return planMsg{s, madePlan{r.Wish, p, diags, err}}
	}
}

// start carries the plan of a session out. Events and the outcome come over one channel, so they come in order.
func (m *model) start(s *Session) tea.Cmd {
	if m.running != nil {
		m.say("another task is running on this server: see Notifications", true)
		return nil
	}
	line := commandText(s.Command())
	t := newTask(m.o.Catalog, s, line, m.o.Now())
	ctx, cancel := context.WithCancel(m.ctx)
	r := &run{task: t, win: m.win, cancel: cancel, events: make(chan tea.Msg, 64)}
	s.Start()
	m.win.task, m.running = t, r
	m.win.area, m.win.button = onPage, 0
	m.tasks = append([]*task{t}, m.tasks...)
	m.mem.record(m.tasks)
	tgt, p, gone := m.target(s), s.Plan, m.gone
	tell := func(msg tea.Msg) {
		select {
		case r.events <- msg:
		case <-gone:
		}
	}
	m.waiter.Add(1)
	go func() {
		defer m.waiter.Done()
		defer cancel()
		res, err := tgt.Apply(ctx, p, target.ApplyOptions{
			Command: line, MaxCut: p.Cuts, Emit: func(e apply.Event) { tell(eventMsg{e}) },
		})
		r.res, r.err = res, err
		tell(taskEndMsg{res, err})
	}()
	return tea.Batch(m.save(), m.listen())
}

// listen waits for the next event of the running task.
func (m *model) listen() tea.Cmd {
	events := m.running.events
	return func() tea.Msg { return <-events }
}

// openHome opens a home folder that was named by hand.
func (m *model) openHome(home string) tea.Cmd {
	open := m.o.Open
	return func() tea.Msg {
		t, srv, err := open(home)
		return openedMsg{srv, t, err}
	}
}

// export writes the answers down.
func (m *model) export(path string) tea.Cmd {
	r, write := m.win.s.Request(), m.o.Export
	return func() tea.Msg { return exportedMsg{path, write(path, r)} }
}

// save keeps what is to survive the program.
func (m *model) save() tea.Cmd {
	text, err := m.mem.encode()
	write := m.o.Keep
	return func() tea.Msg {
		if err == nil {
			err = write(text)
		}
		if err != nil {
			err = fmt.Errorf("keep the wizard's memory: %w", err)
		}
		return savedMsg{err}
	}
}
