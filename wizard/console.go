package wizard

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"
)

// console is Server Manager: the dashboard and what can be reached from it.
type console struct {
	ctx     context.Context
	o       *Options
	status  string
	serious bool
}

func newConsole(ctx context.Context, o *Options) *console { return &console{ctx: ctx, o: o} }

func (c *console) init() tea.Cmd              { return nil }
func (c *console) reload() tea.Cmd            { return nil }
func (c *console) update(msg tea.Msg) tea.Cmd { return nil }
func (c *console) typing() bool               { return false }
func (c *console) say(text string, serious bool) {
	c.status, c.serious = text, serious
}

func (c *console) key(k string) tea.Msg {
	switch k {
	case "a", "enter":
		return openWizardMsg{Add}
	case "r":
		return openWizardMsg{Remove}
	case "q":
		return quitMsg{}
	}
	return nil
}

func (c *console) hints() []hint {
	return []hint{{"a", "add roles and features"}, {"r", "remove"}, {"q", "quit"}}
}

func (c *console) view(th *theme, tasks []*task, w, h int) []string {
	return []string{" " + th.bold.Render("Server Manager"), th.rule(w), "", " " + c.status}
}
