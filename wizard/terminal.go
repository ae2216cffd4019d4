package wizard

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// picture is what is to stand on the terminal.
type picture struct {
	text string // lines, none wider than w
	w, h int
	// mouse has the terminal tell of clicks.
	mouse bool
}

// terminal is the device. It is put into raw mode and onto its alternate screen, and a picture is written the moment it is
// made, as far as it differs from what stands there. Bubble Tea's own renderer looks sixty times a second whether there
// is something to write; this one sleeps until there is. A terminal that takes its bytes slowly is given the newest
// picture and not each.
type terminal struct {
	in, out  term.File
	before   *term.State  // of in
	pictures chan picture // holds the newest
	drawn    chan struct{}

	mu   sync.Mutex
	left bool
}

// enterTerminal takes the terminal over; leave gives it back as it was.
func enterTerminal(in io.Reader, out io.Writer) (*terminal, error) {
	t := &terminal{pictures: make(chan picture, 1), drawn: make(chan struct{})}
	var ok bool
	if t.in, ok = in.(term.File); !ok {
		return nil, fmt.Errorf("the keyboard is a %T, not a terminal", in)
	}
	if t.out, ok = out.(term.File); !ok {
		return nil, fmt.Errorf("the screen is a %T, not a terminal", out)
	}
	before, err := term.MakeRaw(t.in.Fd())
	if err != nil {
		return nil, fmt.Errorf("switch the terminal to single keys: %w", err)
	}
	t.before = before
	_, _ = io.WriteString(t.out, ansi.SetAltScreenSaveCursorMode+ansi.HideCursor+ansi.SetBracketedPasteMode)
	go t.draw()
	return t, nil
}

// leave gives the terminal back. Only the first call does something.
func (t *terminal) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left {
		return
	}
	t.left = true
	close(t.pictures)
	<-t.drawn
	_, _ = io.WriteString(t.out, ansi.ResetButtonEventMouseMode+ansi.ResetSgrExtMouseMode+
		ansi.ResetBracketedPasteMode+ansi.ResetAltScreenSaveCursorMode+ansi.ShowCursor)
	_ = term.Restore(t.in.Fd(), t.before) // fails when the terminal is gone
}

// show has a picture drawn, instead of one that still waits. After leave it does nothing.
func (t *terminal) show(pic picture) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left {
		return
	}
	select {
	case <-t.pictures:
	default:
	}
	t.pictures <- pic // has room: only this fills it
}

// draw writes pictures until there are no more.
func (t *terminal) draw() {
	defer close(t.drawn)
	var p painter
	for pic := range t.pictures {
		if text := p.paint(pic); text != "" {
			_, _ = io.WriteString(t.out, text) // a terminal that is gone is told by SIGHUP
		}
	}
}

// size is the size of the screen in columns and lines.
func (t *terminal) size() (w, h int, err error) {
	w, h, err = term.GetSize(t.out.Fd())
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the size of the terminal: %w", err)
	}
	return w, h, nil
}

// watchSize tells of each new size until the returned function is called.
func (t *terminal) watchSize(tell func(w, h int)) (stop func()) {
	changed, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(changed, syscall.SIGWINCH)
	go func() {
		for {
			select {
			case <-over:
				return
			case <-changed:
				if w, h, err := t.size(); err == nil {
					tell(w, h)
				}
			}
		}
	}()
	return func() { signal.Stop(changed); close(over) }
}

// painter turns pictures into what is to be written to the terminal.
type painter struct {
	on picture // what stands on the terminal
}

// paint returns what makes the terminal show pic: the lines that differ, or everything after a change of the size, for
// what terminals make of their lines then differs.
func (p *painter) paint(pic picture) string {
	var b strings.Builder
	if pic.mouse != p.on.mouse {
		if pic.mouse {
			b.WriteString(ansi.SetButtonEventMouseMode + ansi.SetSgrExtMouseMode)
		} else {
			b.WriteString(ansi.ResetButtonEventMouseMode + ansi.ResetSgrExtMouseMode)
		}
	}
	lines, on := strings.Split(pic.text, "\n"), strings.Split(p.on.text, "\n")
	if pic.w != p.on.w || pic.h != p.on.h {
		on = nil
		b.WriteString(ansi.EraseEntireScreen)
	}
	for i := range min(max(len(lines), len(on)), pic.h) {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		if i < len(on) && on[i] == line {
			continue
		}
		b.WriteString(ansi.CursorPosition(1, i+1))
		line = ansi.Truncate(line, pic.w, "")
		b.WriteString(line)
		if ansi.StringWidth(line) < pic.w { // in the last column, some terminals would take the last letter away
			b.WriteString(ansi.EraseLineRight)
		}
	}
	p.on = pic
	return b.String()
}

// onTerminal is the model with the terminal that it is shown on. When something panics the terminal is given back first,
// so that what Bubble Tea tells of it can be read.
type onTerminal struct {
	m *model
	t *terminal
}

// Init begins as the model does.
func (o onTerminal) Init() tea.Cmd { return o.guard(o.m.Init()) }

// Update hands a message to the model.
func (o onTerminal) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	defer o.onPanic()()
	_, cmd := o.m.Update(msg)
	return o, o.guard(cmd)
}

// View draws the model. It returns nothing: Bubble Tea runs without a renderer.
func (o onTerminal) View() string {
	defer o.onPanic()()
	o.t.show(picture{o.m.View(), o.m.w, o.m.h, o.m.mem.Mouse})
	return ""
}

// onPanic returns what is to be deferred.
func (o onTerminal) onPanic() func() {
	return func() {
		if r := recover(); r != nil {
			o.t.leave()
			panic(r)
		}
	}
}

// guard is a command that gives the terminal back when it panics.
func (o onTerminal) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() tea.Msg {
		defer o.onPanic()()
		msg := cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = o.guard(batch[i])
			}
		}
		return msg
	}
}
