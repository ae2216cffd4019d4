package wizard

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/features"
)

// plainTree is a page with a tree, one level at a time.
type plainTree struct {
	p    *plain
	page PageID
	at   features.ID   // the node whose inside is listed; "" for the top
	list []features.ID // as they were numbered last
}

func (t *plainTree) help() []string {
	verb := "tick it or clear it"
	if t.p.s.Mode == Remove {
		verb = "remove it or keep it"
	}
	return []string{
		"Enter: the next page",
		"a number: " + verb,
		"a number and +, as in 1+: list what it holds; -: back to what holds it",
		"/word, or a word: list what has it in its name, anywhere on this page",
		"*: list everything on this page",
		"l: list again",
		"d and a number: the description",
		"tick NAME, clear NAME: by name, whether it is listed or not",
		"!: take everything back that was selected",
	}
}

// ask lists the tree and takes answers until the page is left.
func (t *plainTree) ask() (move, error) {
	s := t.p.s
	t.p.say("%s", (&treePage{s: s, id: t.page}).instruction())
	if s.Sel == nil {
		t.p.say("What is installed on the server is not known: go back to Server Selection.")
	}
	if len(s.Roots(t.page)) == 0 {
		t.p.say("There is nothing to choose on this page: everything that can be chosen is a role service.")
	} else if s.Sel != nil {
		t.level()
	}
	for {
		answer, err := t.p.ask("Number, /word, or Enter for the next page", t.help()...)
		if err != nil {
			return stay, err
		}
		if m, ok := elsewhere(answer); ok {
			return m, nil
		}
		if answer == "" {
			if _, why := s.Next(); why != "" {
				t.p.refuse(why)
				continue
			}
			return forward, nil
		}
		if s.Sel == nil {
			t.p.say("What is installed on the server is not known: go back to Server Selection.")
			continue
		}
		if err := t.take(answer); err != nil {
			return stay, err
		}
	}
}

// take does what an answer says.
func (t *plainTree) take(answer string) error {
	word, rest, _ := strings.Cut(answer, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case answer == "l":
		t.show()
	case answer == "*":
		t.list = t.everything()
		t.show()
	case answer == "-":
		t.up()
	case answer == "!":
		t.p.s.Sel.Clear()
		t.p.s.stale()
		t.p.say("Everything that was selected is taken back.")
	case strings.HasPrefix(answer, "/"):
		t.find(strings.TrimSpace(answer[1:]))
	case word == "d":
		return t.withNumber(rest, t.describe)
	case word == "tick" && rest != "":
		return t.byName(rest, true)
	case word == "clear" && rest != "":
		return t.byName(rest, false)
	case strings.HasSuffix(answer, "+"):
		return t.withNumber(strings.TrimSuffix(answer, "+"), t.open)
	case strings.Trim(answer, "0123456789.") == "":
		return t.withNumber(answer, t.toggle)
	default:
		t.find(answer)
	}
	return nil
}

// withNumber does something with a node of the list.
func (t *plainTree) withNumber(text string, do func(features.ID) error) error {
	i, ok := number(strings.TrimSpace(text), len(t.list))
	if !ok {
		t.p.say("%q is no number of the list. l lists again, ? helps.", text)
		return nil
	}
	return do(t.list[i-1])
}

// level lists what stands directly below the current node.
func (t *plainTree) level() {
	t.list = t.p.s.cat.Children(t.at)
	if t.at == "" {
		t.list = t.p.s.Roots(t.page)
	} else {
		t.p.say("In %s:", t.title(t.at))
	}
	t.show()
}

func (t *plainTree) open(id features.ID) error {
	if len(t.p.s.cat.Children(id)) == 0 {
		t.p.say("%s holds nothing else.", t.title(id))
		return nil
	}
	t.at = id
	t.level()
	return nil
}

// up lists what stands beside the node that was opened last.
func (t *plainTree) up() {
	inside := t.everything()
	u, _ := t.p.s.cat.Unit(t.at)
	t.at = ""
	for _, id := range inside { // Role Services begins below the role
		if id == u.Parent {
			t.at = id
		}
	}
	t.level()
}

// everything is all that stands on the page.
func (t *plainTree) everything() []features.ID {
	var out []features.ID
	for _, root := range t.p.s.Roots(t.page) {
		out = append(append(out, root), t.p.s.cat.Descendants(root)...)
	}
	return out
}

// find lists what a word matches.
func (t *plainTree) find(word string) {
	if word == "" {
		t.level()
		return
	}
	look := newTree(t.p.s.cat, t.p.s.Roots(t.page))
	look.filter = word
	var found, otherwise []features.ID
	for _, r := range look.rows() {
		switch {
		case r.from >= 0:
			found = append(found, r.id)
		case r.why != "": // another name, or the description
			otherwise = append(otherwise, r.id)
		}
	}
	found = append(found, otherwise...)
	if len(found) == 0 {
		t.p.say("Nothing on this page matches %q.", word)
		return
	}
	t.list = found
	t.p.say("%s for %q:", count(len(found), "match", "matches"), word)
	t.show()
}

// show lists the numbered nodes, each with its state in words. Where they are not those of one level, each tells where
// it stands.
func (t *plainTree) show() {
	cat := t.p.s.cat
	for i, id := range t.list {
		u, _ := cat.Unit(id)
		where := ""
		if u.Parent != t.at && u.Parent != "" && (t.at != "" || t.page != PageServices || u.Parent != t.p.s.role) {
			where = " (in " + t.title(u.Parent) + ")"
		}
		inside := ""
		if n := len(cat.Children(id)); n > 0 {
			inside = fmt.Sprintf("; holds %s, list them with %d+", thousands(n), i+1)
		}
		t.p.say("  %d. %s%s: %s%s", i+1, u.Title, where, t.p.s.Sel.words(id), inside)
	}
	t.p.say("%s.", upperFirst(selectedLine(t.p.s)))
}

func (t *plainTree) title(id features.ID) string {
	u, _ := t.p.s.cat.Unit(id)
	return u.Title
}

// describe says what a node is.
func (t *plainTree) describe(id features.ID) error {
	const unbroken = 1 << 16 // whoever reads breaks the lines
	for _, line := range describe(&t.p.th, t.p.s.cat, t.p.s.Sel, id, unbroken) {
		t.p.say("%s", line)
	}
	t.p.say("State: %s", t.p.s.Sel.words(id))
	return nil
}

// byName ticks a node or clears it by any of its names, so that a script needs no numbers.
func (t *plainTree) byName(name string, on bool) error {
	u, err := t.p.s.cat.Find(name)
	var none *features.NotFoundError
	if errors.As(err, &none) {
		t.p.say("No feature is called %q.", name)
		for _, near := range none.Suggestions {
			t.p.say("  Did you mean %s (%s)?", near.Title, near.ID)
		}
		return nil
	}
	if err != nil {
		t.p.refuse(err.Error())
		return nil
	}
	s := t.p.s.Sel
	is := s.anyTicked(u.ID)
	if s.mode == Add && !on {
		is = s.anyNew(u.ID)
	} else if s.mode == Add {
		is = s.anyNew(u.ID) || !s.changeable(u.ID) && s.was[u.ID]
	}
	if is == on {
		t.p.say("%s: %s, as before.", u.Title, s.words(u.ID))
		return nil
	}
	return t.toggle(u.ID)
}

// toggle ticks a node or clears it. When more follows than was asked for, that is asked first.
func (t *plainTree) toggle(id features.ID) error {
	s := t.p.s
	proposal, err := s.Toggle(id)
	var refused *RefusedError
	switch {
	case errors.As(err, &refused):
		t.p.refuse(refused.Reason)
		t.p.refuse(refused.Hint)
		return nil
	case err != nil:
		return err
	case proposal != nil:
		answer, err := t.p.dialog(confirmDialog(s.cat, s.Mode, proposal))
		if err != nil {
			return err
		}
		accept, ok := answer.(acceptMsg)
		if !ok {
			t.p.say("%s: %s, as before.", t.title(id), s.Sel.words(id))
			return nil
		}
		if err := s.Accept(accept.proposal, accept.tools); err != nil {
			t.p.refuse(err.Error())
			return nil
		}
	}
	t.p.say("%s: %s. %s.", t.title(id), s.Sel.words(id), upperFirst(selectedLine(s)))
	return nil
}

// dialog asks a question of the wizard with numbered buttons, and returns the answer of the one that was pressed.
func (p *plain) dialog(d *dialog) (any, error) {
	p.say("%s", d.title)
	p.paragraphs(d.text)
	for _, l := range d.tree {
		note := ""
		if l.note != "" {
			note = ": " + l.note
		}
		p.say("%s%s%s", strings.Repeat("  ", l.depth+1), l.text, note)
	}
	for {
		var texts []string
		for i, b := range d.buttons {
			if i == 0 && d.relabel != nil {
				b.label = d.relabel(d.checked)
			}
			texts = append(texts, b.label)
		}
		if d.check != "" {
			texts = append(texts, d.check+": "+yesOrNo(d.checked))
		}
		p.choices(texts...)
		answer, err := p.ask(fmt.Sprintf("Choose [%d]", d.focus+1), "the number of an answer; one with yes or no behind it is switched")
		if err != nil {
			return nil, err
		}
		i, ok := number(answer, len(texts))
		if answer == "" {
			i, ok = d.focus+1, true
		} else if _, leave := elsewhere(answer); leave {
			i, ok = len(d.buttons), true // the last button is that of Esc
		}
		switch {
		case !ok:
			p.notAChoice(answer, len(texts))
		case i > len(d.buttons):
			d.checked = !d.checked
		default:
			return d.buttons[i-1].answer(d), nil
		}
	}
}
