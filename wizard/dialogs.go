package wizard

import (
	"github.com/rolemgr/rolemgr/features"
)

// confirmDialog asks whether what follows from a tick is wanted, in the words of Server Manager.
func confirmDialog(cat *features.Catalog, mode Mode, p *Proposal) *dialog {
	u, _ := cat.Unit(p.Unit)
	d := &dialog{tree: additions(cat, p.Extras), checked: true}
	accept := dialogButton{key: "a", answer: func(d *dialog) any { return acceptMsg{p, d.checked} }}
	if p.On {
		d.title = "Add features that are required for " + u.Title + "?"
		accept.label = "Add Features"
		if hard(p) {
			d.text = []string{"You cannot install " + u.Title + " unless the following role services or features are also installed."}
		} else {
			d.text = []string{"The following tools are required to manage this feature, but do not have to be installed on the same server."}
		}
		if p.Tools {
			d.check = "Include management tools (if applicable)"
			d.relabel = func(checked bool) string {
				if !checked && !hard(p) {
					return "Continue"
				}
				return "Add Features"
			}
		}
	} else {
		d.title = "Remove features that require " + u.Title + "?"
		accept.label, accept.key = "Remove Features", "r"
		d.text = []string{"You cannot remove " + u.Title + " unless the following dependent role services or features are also removed."}
		if mode == Add {
			d.text = []string{"What is ticked below requires " + u.Title + ". Its tick is taken back too."}
		}
	}
	d.buttons = []dialogButton{accept, {"Cancel", "c", func(*dialog) any { return nil }}}
	return d
}

// hard reports whether more than management tools is needed.
func hard(p *Proposal) bool {
	for _, e := range p.Extras {
		if !e.Tool {
			return true
		}
	}
	return false
}

// yesNo asks a question whose default is no when risky is set.
func yesNo(title, text string, risky bool, yes any) *dialog {
	d := &dialog{title: title, text: []string{text}, buttons: []dialogButton{
		{"Yes", "y", func(*dialog) any { return yes }},
		{"No", "n", func(*dialog) any { return nil }},
	}}
	if risky {
		d.focus = 1
	}
	return d
}

// notice tells something that is to be read.
func notice(title string, text ...string) *dialog {
	return &dialog{title: title, text: text, buttons: []dialogButton{{"OK", "o", func(*dialog) any { return nil }}}}
}

// hints are the keys of a dialog.
func (d *dialog) hints() []hint {
	h := []hint{{"enter", "press"}}
	if d.parts() > 1 {
		h = append(h, hint{"tab", "go on"})
	}
	if kind, _ := d.part(); kind == 'c' {
		h[0] = hint{"space", "tick"}
	}
	if len(d.buttons) > 1 {
		h = append(h, hint{"esc", "cancel"})
	}
	return h
}
