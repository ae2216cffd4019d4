package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/plan"
)

// play feeds a progress with three steps that take so long each, and a rollback, and returns what was written.
func play(p *progress, each time.Duration) string {
	var out strings.Builder
	at := time.Unix(0, 0)
	p.w, p.now = &out, func() time.Time { return at }
	p.emit(apply.Event{Kind: apply.EventBegin, Total: 3})
	steps := []plan.Step{{Op: plan.PutFile, Path: "config/a.config"}, {Op: plan.Reload}, {Op: plan.Probe, Unit: "one"}}
	for i := range steps {
		p.emit(apply.Event{Kind: apply.EventStep, N: i + 1, Total: 3, Step: &steps[i]})
		at = at.Add(each)
		detail := ""
		if steps[i].Op == plan.Probe {
			detail = "loaded"
		}
		p.emit(apply.Event{Kind: apply.EventStepDone, N: i + 1, Total: 3, Step: &steps[i], Detail: detail})
	}
	p.emit(apply.Event{Kind: apply.EventUndo, Step: &steps[0]})
	p.emit(apply.Event{Kind: apply.EventEnd})
	return out.String()
}

func TestProgressLines(t *testing.T) {
	want := "[1/3] put config/a.config\n[2/3] reload\n[3/3] probe one: loaded\nrolemgr: rolling back\n[undo] put config/a.config\n"
	if got := play(&progress{}, time.Minute); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := play(&progress{quiet: true}, time.Minute); got != "" {
		t.Errorf("with --json: %q; want nothing", got)
	}
}

func TestProgressBar(t *testing.T) {
	if got := play(&progress{bar: true, width: 80}, 300*time.Millisecond); got != "rolemgr: rolling back\n" {
		t.Errorf("in less than a second: %q; want no bar", got)
	}
	got := play(&progress{bar: true, width: 40}, 700*time.Millisecond)
	if !strings.Contains(got, "[################........] 3/3 probe on") {
		t.Errorf("after a second: %q; want a bar at the third step", got)
	}
	for _, line := range strings.FieldsFunc(got, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if len(line) > 39 {
			t.Errorf("%q is wider than the terminal", line)
		}
	}
	if strings.ContainsRune(got, '\x1b') {
		t.Errorf("%q holds an escape sequence", got)
	}
	if !strings.HasSuffix(got, "\r"+strings.Repeat(" ", 39)+"\rrolemgr: rolling back\n") {
		t.Errorf("%q: the bar is not taken away before other lines", got)
	}
}
