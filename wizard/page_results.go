package wizard

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// resultsPage is Results: how the change is going, from its own events.
type resultsPage struct {
	w    *window
	top  int
	room int
	n    int // lines of the list
}

func (p *resultsPage) typing() bool { return false }

func (p *resultsPage) key(k string) (tea.Msg, bool) {
	switch k {
	case "up", "k":
		p.top--
	case "down", "j":
		p.top++
	case "pgup":
		p.top -= max(p.room-1, 1)
	case "pgdown":
		p.top += max(p.room-1, 1)
	case "e":
		if p.w.s.Mode == Add {
			return askMsg{exportDialog()}, true
		}
		return nil, false
	default:
		return nil, false
	}
	p.top = max(min(p.top, p.n-p.room), 0)
	return nil, true
}

func (p *resultsPage) hints() []hint {
	var h []hint
	if p.n > p.room {
		h = append(h, hint{"↑↓", "scroll"})
	}
	if p.w.s.Mode == Add {
		h = append(h, hint{"e", "export"})
	}
	if t := p.w.task; t != nil && t.State == taskRunning && !t.stopping {
		h = append(h, hint{"ctrl+c", "stop and undo"})
	}
	return h
}

func (p *resultsPage) view(th *theme, w, h int, _ bool) []string {
	t := p.w.task
	if t == nil {
		return []string{th.dim.Render("Starting" + th.glyph.ellipsis)}
	}
	var out, foot []string
	if roomy := h >= 15; roomy {
		out, foot = []string{"View " + t.verb() + " progress", ""}, p.foot(th, t, w)
	}
	out = append(out, taskView(th, t, w)...)
	list := itemLines(th, t, w)
	p.n, p.room = len(list), max(h-len(out)-len(foot), 1)
	p.top = max(min(p.top, p.n-p.room), 0)
	return append(append(out, th.scrolled(list, p.top, w, p.room)...), foot...)
}

// taskView is the bar and the headline.
func taskView(th *theme, t *task, w int) []string {
	kind := th.bold.Render("Feature " + t.verb())
	out := []string{th.fit(kind, w)}
	if t.total > 0 || t.State == taskDone {
		out = append(out, progressBar(th, t, w))
	}
	style, sign := th.plain, ""
	switch t.State {
	case taskDone:
		style, sign = th.success, th.glyph.ok+" "
	case taskFailed, taskBroken:
		style, sign = th.failure, th.glyph.failed+" "
	case taskStopped, taskLost, taskMended:
		style, sign = th.warning, th.glyph.warn+" "
	}
	out = append(out, wrapStyled(style, sign+t.headline(), w)...)
	if t.State == taskRunning {
		now := t.now
		if t.stopping && !t.undoing {
			now = "Stopping: finishing this step, then undoing"
		}
		out = append(out, th.dim.Render(th.fit(now, w)))
	}
	if t.Text != "" && (t.State == taskFailed || t.State == taskBroken) {
		out = append(out, wrap(upperFirst(t.Text), w)...)
	}
	return append(out, "")
}

// progressBar moves with the steps that are done.
func progressBar(th *theme, t *task, w int) string {
	done := 1.0
	if t.total > 0 {
		done = float64(t.n) / float64(t.total)
	}
	width := max(min(w-8, 48), 8)
	full := int(done * float64(width))
	style := th.accent
	switch {
	case t.State == taskFailed || t.State == taskBroken:
		style = th.failure
	case t.undoing || t.State == taskStopped:
		style = th.warning
	}
	return style.Render(strings.Repeat(th.glyph.barFull, full)) + th.dim.Render(strings.Repeat(th.glyph.barEmpty, width-full)) +
		fmt.Sprintf("%4d %%", int(done*100))
}

// itemLines are the units of a task, each with how far it is.
func itemLines(th *theme, t *task, w int) []string {
	var out []string
	for _, n := range t.Notes {
		out = append(out, wrapStyled(th.warning, th.glyph.warn+" "+upperFirst(n), w)...)
	}
	for _, it := range t.Items {
		sign, style := " ", th.dim
		note := ""
		switch it.State {
		case itemWorking:
			sign, style, note = th.glyph.busy, th.bold, "working"
		case itemDone:
			sign, style, note = th.success.Render(th.glyph.ok), th.bold, it.Seen
		case itemUndone:
			sign, note = th.warning.Render("-"), "undone"
		case itemFailed:
			sign, style, note = th.failure.Render(th.glyph.failed), th.bold, "failed"
		}
		text := sign + " " + strings.Repeat("  ", it.Depth) + style.Render(it.Title)
		out = append(out, th.pair(text, th.dim.Render(note), w))
	}
	return out
}

func (p *resultsPage) foot(th *theme, t *task, w int) []string {
	out := []string{""}
	if t.State == taskRunning {
		out = append(out, wrapStyled(th.dim, "You can close this wizard without interrupting the task. It is kept under Notifications.", w)...)
	}
	out = append(out, th.dim.Render("Same thing as a command:"))
	return append(out, th.fit("  "+commandText(p.w.s.Command()), w))
}
