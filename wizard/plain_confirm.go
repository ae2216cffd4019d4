package wizard

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/target"
)

// confirm is Confirmation: the plan, and the question that carries it out.
func (p *plain) confirm() (move, error) {
	s := p.s
	if s.NeedsPlan() {
		made, diags, err := p.target().Plan(p.ctx, s.Request())
		if p.ctx.Err() != nil {
			return stay, p.ctx.Err()
		}
		s.SetPlan(made, diags, err)
	}
	p.sayPlan()
	verb := strings.ToLower(s.Verb())
	for {
		p.choices(s.Verb(), "Restart the destination server automatically if required: "+yesOrNo(s.Restart),
			"Export configuration settings to a file")
		answer, err := p.ask("Type "+verb+" or a number",
			"1 or "+verb+": carry the plan out", "2: switch the restart on or off",
			"3, or e FILE: write what is selected to a file; rolemgr install --file FILE replays it",
			"plan: say the plan again")
		if err != nil {
			return stay, err
		}
		if m, ok := elsewhere(answer); ok {
			return m, nil
		}
		word, rest, _ := strings.Cut(answer, " ")
		switch strings.ToLower(word) {
		case "1", verb:
			ok, why := s.CanStart()
			if ok {
				p.mem.keep(s) // a change that fails is wanted again
				s.Start()
				return stay, nil
			}
			p.refuse(why)
		case "2":
			if err := p.restart(); err != nil {
				return stay, err
			}
		case "3", "e":
			if m, err := p.export(strings.TrimSpace(rest)); m != stay || err != nil {
				return m, err
			}
		case "plan":
			p.sayPlan()
		case "":
			p.say("Nothing is changed before you type %s.", verb)
		default:
			p.notAChoice(answer, 3)
		}
	}
}

// restart switches the restart on, after a question, or off.
func (p *plain) restart() error {
	var answer any = (&confirmPage{s: p.s, cat: p.s.cat}).options(&p.th.glyph, 0)[0].act()
	if ask, ok := answer.(askMsg); ok {
		var err error
		if answer, err = p.dialog(ask.dlg); err != nil {
			return err
		}
	}
	if switched, ok := answer.(restartMsg); ok {
		p.s.Restart = switched.on
	}
	return nil
}

// sayPlan says what the answers lead to: what happens to each unit, what it cuts, and the command that does the same.
func (p *plain) sayPlan() {
	s := p.s
	if s.PlanErr != nil {
		p.say("The selection cannot be carried out.")
		for _, d := range s.Diags {
			p.refuse(d.Summary)
			p.refuse(d.Hint)
		}
		if len(s.Diags) == 0 {
			p.refuse(s.PlanErr.Error())
		}
		return
	}
	srv, _ := s.Server()
	if s.Mode == Remove {
		p.say("To be removed from %s:", srv.Name)
	} else {
		p.say("To be installed on %s:", srv.Name)
	}
	for _, l := range changeTree(s.cat, s.Mode, s.Plan.Changes) {
		note := ""
		if l.note != "" {
			note = ": " + l.note
		}
		p.say("%s%s%s", strings.Repeat("  ", l.depth+1), l.text, note)
	}
	for _, d := range s.Diags {
		if d.Severity == diag.Warning {
			p.say("Warning: %s", d.Error())
			p.refuse(d.Hint)
		}
	}
	p.say("%s would be closed.", upperFirst(count(s.Plan.Cuts, "live socket", "live sockets")))
	p.say("The same as a command:")
	p.say("  %s", commandText(s.Command()))
}

// export writes the answers to a file that can be replayed.
func (p *plain) export(path string) (move, error) {
	if ok, why := p.s.canExport(); !ok {
		p.refuse(why)
		return stay, nil
	}
	if path == "" {
		answer, err := p.ask("File [none]", "the name of the file to write", "Enter: write none")
		if m, ok := elsewhere(answer); err != nil || ok && m == away {
			return m, err
		} else if answer == "" || ok {
			return stay, nil
		}
		path = answer
	}
	if err := p.o.Export(path, p.s.Request()); err != nil {
		p.say("The file could not be written: %v", err)
		return stay, nil
	}
	p.say("Written to %s; %s replays it.", path, commandText([]string{"rolemgr", "install", "--file", path}))
	return stay, nil
}

// carryOut is Results: it carries the plan out, says what really happens, and leaves the wizard.
func (p *plain) carryOut() (move, error) {
	s := p.s
	line := commandText(s.Command())
	t := newTask(p.o.Catalog, s, line, p.o.Now())
	p.tasks = append([]*task{t}, p.tasks...)
	p.mem.record(p.tasks)
	p.save()
	p.say("%s", t.headline())
	stop := context.AfterFunc(p.ctx, func() {
		p.say("Stopping: this step is finished, then everything is undone.")
	})
	res, err := p.target().Apply(p.ctx, s.Plan, target.ApplyOptions{Command: line, MaxCut: s.Plan.Cuts, Emit: func(e apply.Event) {
		t.event(e)
		p.sayEvent(e)
	}})
	t.stopping = !stop() // it was not stopped in time, so the end of ctx was heard
	var stale *apply.StaleError
	if errors.As(err, &stale) {
		p.tasks = p.tasks[1:]
		p.mem.record(p.tasks)
		p.save()
		s.back()
		p.say("The server was changed meanwhile by somebody else. This is the new plan.")
		return stay, nil
	}
	t.end(res, err, p.o.Now())
	t.Seen = true
	s.Finish()
	p.mem.record(p.tasks)
	if t.State == taskDone { // else the ticks are wanted again
		p.mem.drop(t.Mode, t.Home)
	}
	p.save()
	p.sayResult(t)
	return away, err
}

// sayEvent says an event of a change, one line for each.
func (p *plain) sayEvent(e apply.Event) {
	switch e.Kind {
	case apply.EventStep:
		p.say("Step %d of %d: %s", e.N, e.Total, stepText(e.Step))
	case apply.EventStepDone:
		if e.Detail != "" {
			p.say("  Seen: %s", e.Detail)
		}
	case apply.EventUndo:
		p.say("Undoing: %s", stepText(e.Step))
	case apply.EventCommit:
		p.say("Recorded as state %d", e.Serial)
	}
}

// sayResult says how a change ended, unit by unit.
func (p *plain) sayResult(t *task) {
	p.say("")
	p.say("%s", t.headline())
	words := map[itemState]string{
		itemWaiting: "not begun", itemWorking: "begun", itemDone: "installed", itemUndone: "undone", itemFailed: "failed",
	}
	if t.Mode == Remove {
		words[itemDone] = "removed"
	}
	for _, it := range t.Items {
		seen := ""
		if it.Seen != "" && it.State == itemDone {
			seen = "; proven: " + it.Seen
		}
		p.say("%s%s: %s%s", strings.Repeat("  ", it.Depth+1), it.Title, words[it.State], seen)
	}
	for _, n := range t.Notes {
		p.say("Note: %s", n)
	}
	if t.State == taskDone {
		p.say("Same thing as a command: %s", t.Command)
	}
}

// manager is Server Manager as a menu.
func (p *plain) manager() error {
	for {
		p.say("")
		p.say("Server Manager: %s", p.o.Local.Name)
		p.sayUnseen()
		p.choices("Add roles and features", "Remove roles and features", "Status", "Quit")
		answer, err := p.ask("Choose", "the number of what is to be done")
		if err != nil {
			return err
		}
		switch strings.ToLower(answer) {
		case "1":
			err = p.wizard(Add)
		case "2":
			err = p.wizard(Remove)
		case "3":
			p.status()
		case "4", "q", "quit", "<":
			return nil
		default:
			p.notAChoice(answer, 4)
		}
		var ended *InputEndedError
		if errors.As(err, &ended) || err != nil && p.ctx.Err() != nil {
			return err
		}
		if err != nil {
			p.say("Error: %v", err)
		}
	}
}

// sayUnseen says what became of tasks that nobody saw the end of.
func (p *plain) sayUnseen() {
	for _, t := range p.tasks {
		if !t.Seen {
			t.Seen = true
			p.say("Notification: %s", t.headline())
		}
	}
	p.mem.record(p.tasks)
	p.save()
}

// status says what is installed and whether the server runs.
func (p *plain) status() {
	st, err := p.o.Target.State(p.ctx)
	if err != nil {
		p.say("What is installed cannot be read: %v", err)
		return
	}
	p.say("Home folder: %s", p.o.Local.Home)
	p.say("Server level: %s", st.Level)
	host, err := p.o.Target.Host(p.ctx)
	switch {
	case err == nil:
		sockets := 0
		for _, n := range host.Sockets {
			sockets += n
		}
		p.say("Host: running, process %d, %s", host.PID, count(sockets, "live socket", "live sockets"))
	default:
		p.say("Host: %v", err)
	}
	if len(st.Features) == 0 {
		p.say("Nothing is installed.")
		return
	}
	p.say("Installed:")
	on := map[string]bool{}
	for _, f := range st.Features {
		on[f.ID] = true
	}
	for _, u := range p.o.Catalog.Units() {
		if on[string(u.ID)] && !u.Group {
			p.say("  %s", u.Title)
		}
	}
	p.say("%s", fmt.Sprintf("%s in all; rolemgr status tells more.", count(len(st.Features), "feature", "features")))
}
