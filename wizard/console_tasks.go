package wizard

import (
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/internal/apply"
)

// noticeRows are the notifications, newest first.
func (c *console) noticeRows() []crow {
	out := []crow{heading("Task", "When")}
	for _, t := range c.tasks() {
		s := warned
		switch t.State {
		case taskDone:
			s = good
		case taskFailed, taskBroken:
			s = failed
		case taskRunning:
			s = noSign
		}
		what := t.brief()
		if !t.Seen {
			what = "New: " + what
		}
		out = append(out, crow{cells: []string{what, ago(t.Begun, c.o.Now())}, sign: s, act: showTaskMsg{t}})
	}
	if len(out) == 1 {
		return append(out, text("There are no notifications."))
	}
	return out
}

// openTask shows the details of a task.
func (c *console) openTask(t *task) {
	c.show(atTask)
	c.task = t
}

// taskLines are Task Details.
func (c *console) taskLines(th *theme, w int) []string {
	t := c.task
	if t == nil {
		return nil
	}
	out := taskView(th, t, w)
	line := func(key, value string) {
		for i, l := range wrap(value, max(w-12, 8)) {
			if i > 0 {
				key = ""
			}
			out = append(out, th.dim.Render(th.fit(key, 12))+l)
		}
	}
	line("Command", t.Command)
	line("Begun", t.Begun.Format("2006-01-02 15:04:05"))
	if !t.Ended.IsZero() {
		line("Ended", t.Ended.Format("2006-01-02 15:04:05"))
	}
	if t.Serial > 0 {
		line("Serial", fmt.Sprint(t.Serial))
	}
	out = append(out, "")
	return append(out, itemLines(th, t, w)...)
}

// unseen counts the notifications that nobody has looked at, and tells whether one of them went wrong.
func unseen(tasks []*task) (n int, bad bool) {
	for _, t := range tasks {
		if !t.Seen && t.State != taskRunning {
			n++
			bad = bad || t.State != taskDone
		}
	}
	return n, bad
}

// tellLost says of every task that was interrupted what became of it: from what a recovery did now or, when another
// command has recovered since, from what is recorded.
func (m *model) tellLost(i serverInfo) bool {
	if i.stateErr != nil || i.pendingErr != nil {
		return false
	}
	told := false
	for _, t := range m.tasks {
		if t.State != taskLost || t.Home != m.o.Local.Home {
			continue
		}
		t.State, t.Seen, told = taskMended, false, true
		switch {
		case i.mended != nil && i.mended.Finished, i.mended == nil && i.state.Serial > t.Base:
			t.Text, t.Serial = "finished since.", i.state.Serial
			for n := range t.Items {
				t.Items[n].State = itemDone
			}
		default:
			t.Text = "undone since."
			for n := range t.Items {
				t.Items[n].State = itemUndone
			}
		}
	}
	if !told && i.mended != nil && i.mended.Transaction != "" {
		m.tasks = append([]*task{lostCommand(m.o.Local, *i.mended, m.o)}, m.tasks...)
		told = true
	}
	return told
}

// lostCommand is the notification of an interrupted change that was not begun here.
func lostCommand(srv Server, r apply.Recovery, o Options) *task {
	t := &task{Mode: Add, Server: srv.Name, Home: srv.Home, Command: r.Command, Begun: o.Now(), Ended: o.Now(), State: taskMended,
		Text: "undone since.", Notes: r.Warnings}
	if r.Finished {
		t.Text = "finished since."
	}
	return t
}

// taskMsg does what the notifications ask for. ok is false for other messages.
func (m *model) taskMsg(msg tea.Msg) (cmd tea.Cmd, ok bool) {
	switch msg := msg.(type) {
	case showTaskMsg:
		m.console.openTask(msg.t)
		msg.t.Seen = msg.t.State != taskRunning
	case seenMsg: // the list tells of new ones as long as it is looked at
		return nil, true
	case removeMsg:
		m.tasks = slices.DeleteFunc(m.tasks, func(t *task) bool { return t == msg.t })
		m.console.clamp()
	default:
		return nil, false
	}
	m.mem.record(m.tasks)
	return m.save(), true
}
