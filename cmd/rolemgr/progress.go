package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/target"
)

const (
	// barDelay is how long a transaction may take before a terminal shows a bar: most are over before it.
	barDelay = time.Second
	// barWidth is the width of the bar itself, in columns.
	barWidth = 24
)

// progress shows how a transaction is going on standard error: on a terminal a bar that appears when it takes longer
// than a second, else a plain line for each step. The transaction feeds it from one goroutine, a signal from another.
type progress struct {
	mu     sync.Mutex // guards everything below, and the order of what is written
	over   bool
	w      io.Writer
	now    func() time.Time
	begin  time.Time
	bar    bool // a bar, not lines
	quiet  bool // neither
	width  int  // columns of the terminal, 0 unknown
	drawn  bool
	undone bool
	probes []target.UnitProbe
}

// newProgress decides once how progress is shown. A terminal that cannot move its cursor gets lines.
func (c *cli) newProgress() *progress {
	return &progress{
		w: c.Err, now: c.Now, begin: c.Now(), width: c.Width(), quiet: c.json,
		bar: c.ErrTTY && c.Getenv("TERM") != "dumb",
	}
}

// finish ends the showing: nothing is written after it.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.over = true
}

// interrupted says that a signal was heard while the transaction is still at work.
func (p *progress) interrupted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || p.quiet {
		return
	}
	p.clear()
	fmt.Fprintln(p.w, "rolemgr: interrupted: this step is finished, then everything is rolled back")
}

// emit takes an event of the transaction.
func (p *progress) emit(e apply.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Kind {
	case apply.EventBegin:
		p.begin = p.now()
	case apply.EventStep:
		p.draw(e)
	case apply.EventStepDone:
		p.keepProbe(e)
		p.line(e)
	case apply.EventUndo:
		p.undo(e)
	case apply.EventEnd:
		p.clear()
	}
}

func (p *progress) keepProbe(e apply.Event) {
	if e.Step != nil && e.Step.Op == plan.Probe && e.Detail != "" {
		p.probes = append(p.probes, target.UnitProbe{Unit: e.Step.Unit, OK: true, Detail: e.Detail})
	}
}

// draw draws the bar over itself.
func (p *progress) draw(e apply.Event) {
	if p.quiet || !p.bar || e.Total == 0 || p.now().Sub(p.begin) < barDelay {
		return
	}
	full := barWidth * (e.N - 1) / e.Total
	text := fmt.Sprintf("[%s%s] %d/%d %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), e.N, e.Total, describeStep(e.Step))
	if limit := p.width - 1; limit > 0 && len(text) > limit {
		text = text[:limit]
	}
	p.clear()
	fmt.Fprint(p.w, text)
	p.drawn = true
}

// clear takes the bar away again.
func (p *progress) clear() {
	if p.drawn {
		blank := barWidth + 64
		if p.width > 1 {
			blank = p.width - 1
		}
		fmt.Fprint(p.w, "\r", strings.Repeat(" ", blank), "\r")
		p.drawn = false
	}
}

func (p *progress) line(e apply.Event) {
	if p.quiet || p.bar {
		return
	}
	text := fmt.Sprintf("[%*d/%d] %s", len(fmt.Sprint(e.Total)), e.N, e.Total, describeStep(e.Step))
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	fmt.Fprintln(p.w, text)
}

// undo says once that everything is being rolled back, and each step of it where steps are shown.
func (p *progress) undo(e apply.Event) {
	if p.quiet {
		return
	}
	p.clear()
	if !p.undone {
		fmt.Fprintln(p.w, "rolemgr: rolling back")
		p.undone = true
	}
	if !p.bar && e.Step != nil {
		fmt.Fprintln(p.w, "[undo] "+describeStep(e.Step))
	}
}

// describeStep says what a step does.
func describeStep(s *plan.Step) string {
	if s == nil {
		return ""
	}
	switch s.Op {
	case plan.Reload:
		return "reload"
	case plan.Probe:
		return "probe " + string(s.Unit) // what was seen follows when it is done
	}
	return plan.Describe(*s)
}
