package wizard

import (
	"fmt"
	"strings"
)

// View draws the screen.
func (m *model) View() string {
	if m.w == 0 || m.h == 0 {
		return ""
	}
	if m.w < minWidth || m.h < minHeight {
		return strings.Join(m.th.block(wrap(fmt.Sprintf(
			"This screen has %d columns and %d lines; the wizard needs %d and %d. Make it larger, or use rolemgr wizard --plain.",
			m.w, m.h, minWidth, minHeight), max(m.w, 1)), m.w, m.h), "\n")
	}
	var lines []string
	var hints []hint
	switch {
	case m.help:
		lines, hints = m.helpView(m.w, m.h-1)
	case m.win != nil:
		m.win.covered = m.dlg != nil
		lines, hints = m.win.view(&m.th, m.w, m.h-1), m.win.hints()
	default:
		lines, hints = m.console.view(&m.th, m.tasks, m.w, m.h-1), m.console.hints()
	}
	if m.dlg != nil && !m.help {
		lines, hints = m.dlg.view(&m.th, m.th.block(lines, m.w, m.h-1), m.w), m.dlg.hints()
	}
	if !m.help && m.dlg == nil && !m.typing() {
		hints = append(hints, hint{"?", "keys"})
	}
	lines = append(m.th.block(lines, m.w, m.h-1), hintLine(&m.th, hints, m.w))
	return strings.Join(lines, "\n")
}
