package wizard

import (
	"context"
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// place is what Server Manager shows.
type place uint8

const (
	atDashboard place = iota
	atLocal
	atAll
	atRole
	atInstalled
	atSites
	atConnections
	atLog
	atCheck
	atNotifications
	atTask
)

// console is Server Manager: the dashboard and what can be reached from it. It shows what was found out at the last
// refresh; nothing is asked while nothing is pressed.
type console struct {
	ctx   context.Context
	o     *Options
	tasks func() []*task

	info    serverInfo
	loading bool

	place  place
	back   []place
	cursor int // of the items that can be pressed
	top    int // first line that is shown
	lines  int // lines of the page at the last view
	room   int // and how many of them were shown
	menu   int // the open menu, -1 for none
	item   int // of the open menu
	task   *task

	status  string
	serious bool
}

// What the console says to the model.
type (
	goMsg      struct{ to place }
	refreshMsg struct{}
	removeMsg  struct{ t *task } // a notification
	seenMsg    struct{}          // notifications were looked at
	noteMsg    struct{ title, text string }
	helpMsg    struct{}
)

// infoMsg is the answer of a refresh.
type infoMsg struct{ info serverInfo }

func newConsole(ctx context.Context, o *Options, tasks func() []*task) *console {
	return &console{ctx: ctx, o: o, tasks: tasks, menu: -1}
}

func (c *console) init() tea.Cmd { return c.reload() }

// reload finds out how the server is.
func (c *console) reload() tea.Cmd {
	c.loading = true
	ctx, o := c.ctx, c.o
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return infoMsg{gather(ctx, o)}
	}
}

// update takes what a refresh found out, and what a row or a menu said.
func (c *console) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case infoMsg:
		if msg.info.at.Before(c.info.at) {
			return nil // a look that was slower than a later one
		}
		c.loading, c.info = false, msg.info
		c.clamp()
		switch {
		case msg.info.stateErr != nil:
			c.say(fmt.Sprintf("what is installed cannot be read: %v", msg.info.stateErr), true)
		case msg.info.pendingErr != nil:
			c.say(fmt.Sprintf("an interrupted change could not be mended: %v", msg.info.pendingErr), true)
		}
	case goMsg:
		c.show(msg.to)
	case refreshMsg:
		return c.reload()
	case noteMsg:
		c.say(msg.text, false)
	}
	return nil
}

func (c *console) typing() bool { return false }

func (c *console) say(text string, serious bool) { c.status, c.serious = text, serious }

// show goes to a place, from where Esc leads back.
func (c *console) show(p place) {
	if p != c.place {
		c.back = append(c.back, c.place)
	}
	c.place, c.cursor, c.top = p, 0, 0
}

// key takes a key.
func (c *console) key(k string) tea.Msg {
	c.status, c.serious = "", false
	if c.menu >= 0 {
		return c.menuKey(k)
	}
	if i := menuOf(k); i >= 0 {
		c.menu, c.item = i, 0
		return nil
	}
	items := c.items()
	switch k {
	case "n", "alt+n":
		c.show(atNotifications)
		return seenMsg{}
	case "f5", "ctrl+r":
		return refreshMsg{}
	case "q":
		return quitMsg{}
	case "esc", "backspace", "alt+left":
		return c.goBack()
	case "up", "k":
		c.move(-1, len(items))
	case "down", "j":
		c.move(1, len(items))
	case "pgup":
		c.move(-max(c.room-1, 1), len(items))
	case "pgdown":
		c.move(max(c.room-1, 1), len(items))
	case "home":
		c.cursor, c.top = 0, 0
	case "end":
		c.cursor, c.top = max(len(items)-1, 0), c.lines
	case "left", "right":
		c.sideways(k)
	case "enter", " ":
		if c.cursor < len(items) {
			return items[c.cursor].act
		}
	case "d", "delete":
		return c.forget()
	default:
		return c.navKey(k)
	}
	return nil
}

// goBack goes to where one came from.
func (c *console) goBack() tea.Msg {
	if n := len(c.back); n > 0 {
		c.place, c.back = c.back[n-1], c.back[:n-1]
		c.cursor, c.top = 0, 0
	}
	return nil
}

// move moves the cursor, or what is shown where there is nothing to press.
func (c *console) move(by, items int) {
	if items == 0 {
		c.top += by
		return
	}
	c.cursor = min(max(c.cursor+by, 0), items-1)
}

// clamp puts the cursor on something when what it was on has gone.
func (c *console) clamp() { c.cursor = max(min(c.cursor, len(c.items())-1), 0) }

// navKey goes to a page of the navigation pane by its number.
func (c *console) navKey(k string) tea.Msg {
	for i, p := range c.pages() {
		if k == fmt.Sprint(i+1) {
			c.show(p)
		}
	}
	return nil
}

// forget removes the notification under the cursor.
func (c *console) forget() tea.Msg {
	tasks := c.tasks()
	switch {
	case c.place == atNotifications && c.cursor < len(tasks):
		if tasks[c.cursor].State == taskRunning {
			c.say("a task that is running cannot be removed", true)
			return nil
		}
		return removeMsg{tasks[c.cursor]}
	case c.place == atTask && c.task != nil && c.task.State != taskRunning:
		t := c.task
		c.goBack()
		return removeMsg{t}
	}
	return nil
}

// pages are the entries of the navigation pane.
func (c *console) pages() []place {
	pages := []place{atDashboard, atLocal, atAll}
	if len(c.info.roles) > 0 {
		pages = append(pages, atRole)
	}
	return pages
}

// name is what a place is called.
func (c *console) name(p place) string {
	switch p {
	case atDashboard:
		return "Dashboard"
	case atLocal:
		return "Local Server"
	case atAll:
		return "All Servers"
	case atRole:
		return "IIS"
	case atInstalled:
		return "Installed features"
	case atSites:
		return "Sites and bindings"
	case atConnections:
		return "Live connections"
	case atLog:
		return "Log"
	case atCheck:
		return "Configuration check"
	case atNotifications:
		return "Notifications"
	}
	return "Task Details"
}

// hints are the keys that do something here and now.
func (c *console) hints() []hint {
	if c.menu >= 0 {
		return []hint{{"↑↓", "move"}, {"←→", "other menu"}, {"enter", "choose"}, {"esc", "close"}}
	}
	var h []hint
	items := c.items()
	if len(items) > 1 || c.lines > c.room && !c.info.at.IsZero() {
		h = append(h, hint{"↑↓", "move"})
	}
	if c.cursor < len(items) {
		h = append(h, hint{"enter", "open"})
	}
	if len(c.back) > 0 {
		h = append(h, hint{"esc", "back"})
	}
	if c.place == atNotifications && len(c.tasks()) > 0 {
		h = append(h, hint{"d", "remove"})
	}
	h = append(h, hint{"m", "manage"}, hint{"t", "tools"}, hint{"v", "view"}, hint{"f5", "refresh"})
	if c.place != atNotifications {
		h = append(h, hint{"n", "notifications"})
	}
	return append(h, hint{"q", "quit"})
}
