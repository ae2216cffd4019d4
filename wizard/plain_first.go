package wizard

import (
	"slices"
	"strings"
)

// paragraphs says a text of pages, in which a line that begins with "* " is one of a list.
func (p *plain) paragraphs(lines []string) {
	for _, line := range lines {
		if bullet, ok := strings.CutPrefix(line, "* "); ok {
			line = "  - " + bullet
		}
		p.say("%s", line)
	}
}

// choices says numbered answers.
func (p *plain) choices(texts ...string) {
	for i, text := range texts {
		p.say("  %d. %s", i+1, text)
	}
}

// notAChoice says that an answer is none of n numbers.
func (p *plain) notAChoice(answer string, n int) {
	p.say("%q is no answer here. Type a number from 1 to %d, or ? for help.", answer, n)
}

func yesOrNo(on bool) string {
	if on {
		return "yes"
	}
	return "no"
}

// before is Before You Begin.
func (p *plain) before() (move, error) {
	p.paragraphs((&beforePage{s: p.s}).lines())
	instead := "Remove roles and features instead"
	if p.s.Mode == Remove {
		instead = "Add roles and features instead"
	}
	for {
		p.choices("Next", "Skip this page by default: "+yesOrNo(p.s.SkipBefore), instead)
		answer, err := p.ask("Choose [1]", "1 or Enter: the next page", "2: switch the skipping of this page on or off", "3: the other wizard")
		if err != nil {
			return stay, err
		}
		if m, ok := elsewhere(answer); ok {
			return m, nil
		}
		switch answer {
		case "", "1":
			return forward, nil
		case "2":
			p.s.SkipBefore = !p.s.SkipBefore
			p.mem.SkipBefore = p.s.SkipBefore
			p.save()
		case "3":
			return other, nil
		default:
			p.notAChoice(answer, 3)
		}
	}
}

// installType is Installation Type.
func (p *plain) installType() (move, error) {
	types := installTypes()
	for i, t := range types {
		state := "chosen"
		if t.why != "" {
			state = "not available: " + t.why
		}
		p.say("  %d. %s. %s %s.", i+1, t.title, t.text, upperFirst(state))
	}
	for {
		answer, err := p.ask("Choose [1]", "1 or Enter: the chosen type, and on to the next page")
		if err != nil {
			return stay, err
		}
		if m, ok := elsewhere(answer); ok {
			return m, nil
		}
		i, ok := number(answer, len(types))
		switch {
		case answer == "" || ok && types[i-1].why == "":
			return forward, nil
		case ok:
			p.refuse(types[i-1].why)
		default:
			p.notAChoice(answer, len(types))
		}
	}
}

// server is Server Selection.
func (p *plain) server() (move, error) {
	page := &serverPage{s: p.s}
	for {
		rows := page.visible()
		for i, row := range rows {
			srv := p.s.Pool[row]
			state := ""
			if row == p.s.Chosen {
				state = "; chosen"
			}
			p.say("  %d. %s: %s, %s, home folder %s%s", i+1, srv.Name, srv.Address, srv.System, srv.Home, state)
		}
		p.say("  %d. Select an offline home folder", len(rows)+1)
		prompt := "Choose"
		if at := slices.Index(rows, p.s.Chosen); at >= 0 {
			prompt = "Choose [" + thousands(at+1) + "]"
		}
		answer, err := p.ask(prompt, "a number: choose that server, and on to the next page", "/text: only servers with that text; / alone: all")
		if err != nil {
			return stay, err
		}
		if m, ok := elsewhere(answer); ok {
			return m, nil
		}
		if text, ok := strings.CutPrefix(answer, "/"); ok {
			page.filter = strings.TrimSpace(text)
			continue
		}
		i, ok := number(answer, len(rows)+1)
		switch {
		case answer == "" && p.s.Chosen >= 0:
			return forward, nil
		case ok && i <= len(rows):
			p.s.Choose(rows[i-1])
			return forward, p.load()
		case ok:
			if m, err := p.offline(); m != stay || err != nil {
				return m, err
			}
		default:
			p.notAChoice(answer, len(rows)+1)
		}
	}
}

// offline asks for the home folder of a server that is not in the pool, and goes on when it can be used.
func (p *plain) offline() (move, error) {
	p.say("The home folder of a server that is not in the pool. It need not exist yet: the first installation makes it.")
	home, err := p.ask("Home folder [none]", "a folder, as in /srv/web02", "Enter: choose another server instead")
	if m, ok := elsewhere(home); err != nil || ok && m == away {
		return m, err
	} else if home == "" || ok {
		return stay, nil
	}
	t, srv, err := p.o.Open(home)
	if err != nil {
		p.say("The home folder cannot be used: %v", err)
		return stay, nil
	}
	p.targets[srv.Home] = t
	row := slices.IndexFunc(p.s.Pool, func(x Server) bool { return x.Home == srv.Home })
	if row < 0 {
		p.s.Pool = append(p.s.Pool, srv)
		row = len(p.s.Pool) - 1
	}
	p.s.Choose(row)
	return forward, p.load()
}

// roleInfo is Web Server Role (IIS).
func (p *plain) roleInfo() (move, error) {
	p.paragraphs(infoText())
	for {
		answer, err := p.ask("Enter for the next page", "Enter: the next page")
		if err != nil {
			return stay, err
		}
		if m, ok := elsewhere(answer); ok {
			return m, nil
		}
		if answer == "" || answer == "1" {
			return forward, nil
		}
		p.say("%q is no answer here. Press Enter, or type ? for help.", answer)
	}
}
