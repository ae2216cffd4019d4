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

// helpView draws the list of keys.
func (m *model) helpView(w, h int) []string {
	th := &m.th
	out := []string{" " + th.bold.Render("Keys"), th.rule(w)}
	for _, group := range keyHelp() {
		out = append(out, " "+th.accent.Render(group.where))
		for _, k := range group.keys {
			out = append(out, th.fit("   "+th.bold.Render(th.fit(k.key, 18))+k.does, w))
		}
	}
	return th.block(out, w, h)
}
