package wizard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rolemgr/rolemgr/internal/target"
)

// InputEndedError is an input that ended where the plain dialogue had asked something. Nothing was changed.
type InputEndedError struct{ Question string }

// Error names the question.
func (e *InputEndedError) Error() string {
	return fmt.Sprintf("the input ended at the question %q; nothing was changed", e.Question)
}

// plain is the wizard as a dialogue, line by line. It asks one question at a time, each with a prompt of its own, and
// writes nothing that moves a cursor: a screen reader reads it from top to bottom, and a script can wait for its prompts.
type plain struct {
	ctx     context.Context
	o       *Options
	th      theme
	in      *bufio.Reader
	mem     memory
	tasks   []*task
	targets map[string]target.Target
	s       *Session

	mu sync.Mutex // guards o.Out, for a signal is heard while a change tells of its steps
}

// move is where an answer leads.
type move uint8

const (
	stay     move = 0 // the page has changed and is shown again
	forward  move = 1
	backward move = 2
	away     move = 3 // leave the wizard
	other    move = 4 // the other wizard
)

// RunPlain shows the wizard as a plain dialogue on any reader and writer, which need not be a terminal. It returns nil
// when the person left or the change was made, an *InputEndedError when o.In ended at a question, and the error of a
// change that failed. When ctx ends while a change is carried out, the change is undone first.
func RunPlain(ctx context.Context, o Options) error {
	mem, err := decodeMemory(o.Memory)
	p := &plain{
		ctx: ctx, o: &o, in: bufio.NewReader(o.In), mem: mem, tasks: mem.recall(o.Catalog),
		th: newTheme(Look{ASCII: o.Look.ASCII}, io.Discard), targets: map[string]target.Target{o.Local.Home: o.Target},
	}
	if err != nil {
		p.say("Note: %v; going on without it.", err)
	}
	switch o.Start {
	case AddWizard:
		return p.wizard(Add)
	case RemoveWizard:
		return p.wizard(Remove)
	}
	return p.manager()
}

// wizard walks through a wizard, and through the other one when the person changes over.
func (p *plain) wizard(mode Mode) error {
	for {
		p.s = NewSession(mode, p.o.Catalog, []Server{p.o.Local}, p.mem.SkipBefore)
		p.s.wanted = p.mem.draft(mode, p.o.Local.Home)
		p.say("")
		p.say("%s Roles and Features Wizard", []string{"Add", "Remove"}[mode])
		p.say("Every question takes a number, or Enter for the answer in brackets. < goes back, ? helps, q quits.")
		m, err := p.walk()
		if err != nil || m != other {
			return err
		}
		mode = Remove - mode
	}
}

// walk shows one page after the other until the wizard is left.
func (p *plain) walk() (move, error) {
	for {
		if err := p.load(); err != nil {
			return away, err
		}
		m, err := p.page()
		switch {
		case err != nil:
			p.keepDraft()
			return away, err
		case m == away && !p.s.Started():
			p.keepDraft()
			p.say("Nothing was changed.")
			return away, nil
		case m == away:
			return away, nil
		case m == other:
			p.keepDraft()
			return other, nil
		case m == forward:
			next, why := p.s.Next()
			p.refuse(why)
			p.s.Go(next)
		case m == backward:
			previous, why := p.s.Previous()
			p.refuse(why)
			p.s.Go(previous)
		}
	}
}

// page announces the current page and asks its questions.
func (p *plain) page() (move, error) {
	pages := p.s.Pages()
	p.say("")
	p.say("Page %d of %d: %s", slices.Index(pages, p.s.Page)+1, len(pages), p.s.Heading(p.s.Page))
	switch p.s.Page {
	case PageBefore:
		return p.before()
	case PageType:
		return p.installType()
	case PageServer:
		return p.server()
	case PageRoleInfo:
		return p.roleInfo()
	case PageConfirm:
		return p.confirm()
	case PageResults:
		return p.carryOut()
	}
	t := &plainTree{p: p, page: p.s.Page}
	return t.ask()
}

// load reads what is installed on the chosen server, unless it is known. Only the end of ctx is an error: a server that
// cannot be read is told of, and the pages that need it cannot be reached.
func (p *plain) load() error {
	if _, ok := p.s.Server(); !ok || p.s.Sel != nil || p.s.Started() {
		return p.ctx.Err()
	}
	st, err := p.target().State(p.ctx)
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if err != nil {
		p.say("What is installed cannot be read: %v", err)
		return nil
	}
	restored := !p.s.wantedAgain && len(p.s.wanted.Install)+len(p.s.wanted.Remove) > 0
	p.s.SetState(st)
	if restored && !p.s.Sel.Empty() {
		p.say("Selected again: what you had selected the last time. ! on a page with a list takes it back.")
	}
	return nil
}

// target is the chosen server.
func (p *plain) target() target.Target {
	srv, _ := p.s.Server()
	if t := p.targets[srv.Home]; t != nil {
		return t
	}
	return p.o.Target
}

// keepDraft remembers the ticks for the next time.
func (p *plain) keepDraft() {
	p.mem.keep(p.s)
	p.save()
}

// save keeps what is to survive the program.
func (p *plain) save() {
	text, err := p.mem.encode()
	if err == nil {
		err = p.o.Keep(text)
	}
	if err != nil {
		p.say("Note: what you answered could not be kept: %v", err)
	}
}

// say writes a line, or several.
func (p *plain) say(format string, args ...any) {
	p.write(fmt.Sprintf(format, args...) + "\n")
}

// refuse says why something cannot be done, if there is a reason.
func (p *plain) refuse(why string) {
	if why != "" {
		p.say("%s.", upperFirst(strings.TrimSuffix(why, ".")))
	}
}

// write writes text without anything that a terminal would take for a command.
func (p *plain) write(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.o.Out, printableText(text, p.o.Look.ASCII)) // who cannot read it cannot be told either
}

// printableText takes control characters out of a text, but for line feeds, and with ascii all that is not ASCII.
func printableText(text string, ascii bool) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteRune(r)
		case r < ' ' || r >= 0x7f && r < 0xa0:
		case r < 0x7f || !ascii:
			b.WriteRune(r)
		default:
			b.WriteString(asciiFor(r))
		}
	}
	return b.String()
}

// asciiFor writes a sign that texts use with letters of ASCII.
func asciiFor(r rune) string {
	switch r {
	case '–', '—', '‐', '−':
		return "-"
	case '…':
		return "..."
	case '“', '”', '„':
		return `"`
	case '‘', '’':
		return "'"
	case '→':
		return "->"
	case '•', '·':
		return "*"
	case '\u00a0':
		return " "
	case 'µ', 'μ':
		return "u"
	}
	return "?"
}

// ask asks a question until the answer is not a call for help. quit is true for q. The help is that of the question.
func (p *plain) ask(question string, help ...string) (answer string, err error) {
	for {
		p.write(question + ": ")
		answer, err := p.readLine(question)
		if err != nil {
			p.write("\n")
			return "", err
		}
		if answer != "?" {
			return answer, nil
		}
		for _, line := range append(help, "<: back to the previous page", "?: this help", "q: quit; nothing is changed") {
			p.say("  %s", line)
		}
	}
}

// elsewhere reports whether an answer leaves the page instead of answering its question.
func elsewhere(answer string) (m move, ok bool) {
	switch strings.ToLower(answer) {
	case "<", "back", "previous":
		return backward, true
	case "q", "quit", "cancel":
		return away, true
	}
	return stay, false
}

// number reads an answer as one of n choices.
func number(answer string, n int) (i int, ok bool) {
	i, err := strconv.Atoi(strings.TrimSuffix(answer, "."))
	return i, err == nil && i >= 1 && i <= n
}

// readLine reads an answer. When ctx ends it returns at once; the reading goes on in the background until the program
// ends, for a read of a terminal cannot be taken back.
func (p *plain) readLine(question string) (string, error) {
	if err := p.ctx.Err(); err != nil {
		return "", err
	}
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := boundedLine(p.in)
		read <- result{line, err}
	}()
	select {
	case <-p.ctx.Done():
		return "", p.ctx.Err()
	case r := <-read:
		if errors.Is(r.err, io.EOF) {
			return "", &InputEndedError{question}
		}
		if r.err != nil {
			return "", fmt.Errorf("read the answer: %w", r.err)
		}
		return strings.TrimSpace(r.line), nil
	}
}

// boundedLine reads a line, or what there is before the end of the input. What is longer than any answer is cut.
func boundedLine(in *bufio.Reader) (string, error) {
	const longest = 4096
	var line []byte
	for {
		part, more, err := in.ReadLine()
		if err != nil {
			return "", err
		}
		line = append(line, part[:min(len(part), longest-len(line))]...)
		if !more {
			return string(line), nil
		}
	}
}
