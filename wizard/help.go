package wizard

// keyHelp is every key, by where it works. The line at the bottom of the screen shows those that do something right
// there.
func keyHelp() []struct {
	where string
	keys  []hint
} {
	return []struct {
		where string
		keys  []hint
	}{
		{"Everywhere", []hint{
			{"tab, shift+tab", "go on, go back: page, buttons, navigation pane"},
			{"enter", "press the default button, or the one with the sign"},
			{"esc", "close a dialog or a filter; else leave, and keep the ticks"},
			{"?, F1", "this list"},
			{"ctrl+t", "mouse on or off"},
			{"ctrl+c", "quit; while a task runs, ask whether to stop and undo it"},
		}},
		{"Buttons", []hint{
			{"n, alt+n", "Next"}, {"p, alt+p", "Previous"}, {"i, alt+i", "Install"}, {"r, alt+r", "Remove"},
			{"c, alt+c", "Cancel or Close"},
		}},
		{"In a tree", []hint{
			{"up, down, k, j", "move"}, {"right, l", "expand"}, {"left, h", "fold, or go to the node above"},
			{"*", "expand all below"}, {"space", "tick or clear"}, {"/", "find as you type; shows why a row matched"},
			{"d", "the whole description"}, {"a letter", "jump to the next name; with shift also where the letter is a key"},
		}},
	}
}

// helpKey scrolls the list of keys; every other key leaves it.
func (m *model) helpKey(k string) {
	switch k {
	case "up", "k":
		m.helpTop--
	case "down", "j":
		m.helpTop++
	case "pgup":
		m.helpTop -= 10
	case "pgdown":
		m.helpTop += 10
	default:
		m.help = false
	}
}

// helpView draws the list of keys, and tells the keys that work there.
func (m *model) helpView(w, h int) ([]string, []hint) {
	const column = 18
	th := &m.th
	var list []string
	for _, group := range keyHelp() {
		list = append(list, " "+th.accent.Render(group.where))
		for _, k := range group.keys {
			key := k.key
			for _, line := range wrap(k.does, w-column-4) {
				list = append(list, "   "+th.bold.Render(th.fit(key, column))+line)
				key = ""
			}
		}
	}
	out := []string{" " + th.bold.Render("Keys"), th.rule(w)}
	room := max(h-len(out), 1)
	m.helpTop = max(min(m.helpTop, len(list)-room), 0)
	out = append(out, list[m.helpTop:min(m.helpTop+room, len(list))]...)
	hints := []hint{{"any other key", "back"}}
	switch {
	case len(list) > room:
		hints = []hint{{"↑↓", "scroll"}, {"any other key", "back"}}
	default:
		hints[0].key = "any key"
	}
	return th.block(out, w, h), hints
}
