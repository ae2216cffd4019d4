package wizard

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/plan"
)

// taskState is how far a task is. The values reach the disk.
type taskState string

const (
	taskRunning taskState = "running"
	taskDone    taskState = "done"
	taskFailed  taskState = "failed"      // and everything was undone
	taskStopped taskState = "stopped"     // by the person, and everything was undone
	taskBroken  taskState = "incomplete"  // failed, and not everything could be undone
	taskLost    taskState = "interrupted" // the program ended in the middle
	taskMended  taskState = "mended"      // what was interrupted was finished or undone
)

// task is a change that is carried out, or was: a notification. It lives longer than the window that began it.
type task struct {
	Mode    Mode
	Server  string
	Home    string
	Command string
	Begun   time.Time
	Ended   time.Time
	State   taskState
	Base    uint64 // serial of the state before
	Serial  uint64 // of the state afterwards
	Text    string // what happened, for people
	Items   []taskItem
	Notes   []string // warnings and what there is left to do
	Seen    bool

	// Of a running one.
	n, total int
	now      string // the step that is being done
	undoing  bool
	stopping bool
	probes   map[features.ID]string
	left     map[features.ID]int // steps to come
}

// taskItem is one unit of a task.
type taskItem struct {
	ID    features.ID
	Title string
	Depth int
	State itemState
	Seen  string // what its probe saw
}

// itemState is how far a unit is.
type itemState string

const (
	itemWaiting itemState = "waiting"
	itemWorking itemState = "working"
	itemDone    itemState = "done"
	itemUndone  itemState = "undone"
	itemFailed  itemState = "failed"
)

// newTask makes the task of a plan that is about to be carried out.
func newTask(cat *features.Catalog, s *Session, command string, now time.Time) *task {
	t := &task{
		Mode: s.Mode, Command: command, Begun: now, State: taskRunning, Base: s.Plan.BaseSerial,
		total: len(s.Plan.Steps), probes: map[features.ID]string{}, left: map[features.ID]int{},
	}
	if srv, ok := s.Server(); ok {
		t.Server, t.Home = srv.Name, srv.Home
	}
	for _, c := range s.Plan.Changes {
		if c.Action == plan.Keep {
			continue
		}
		t.Items = append(t.Items, taskItem{ID: c.Unit, Title: c.Title, Depth: cat.Depth(c.Unit), State: itemWaiting})
	}
	if s.Mode == Add { // as in the tree; removals stay as they are, dependents first
		place := map[features.ID]int{}
		for i, u := range cat.Units() {
			place[u.ID] = i
		}
		slices.SortStableFunc(t.Items, func(a, b taskItem) int { return place[a.ID] - place[b.ID] })
	} else {
		for i := range t.Items {
			t.Items[i].Depth = 0
		}
	}
	for _, step := range s.Plan.Steps {
		t.left[step.Unit]++
	}
	return t
}

// verb is "installation" or "removal".
func (t *task) verb() string {
	if t.Mode == Remove {
		return "removal"
	}
	return "installation"
}

// event takes an event of the transaction.
func (t *task) event(e apply.Event) {
	if e.Total > 0 {
		t.total = e.Total
	}
	switch e.Kind {
	case apply.EventStep:
		t.n, t.now = e.N-1, stepText(e.Step)
		t.mark(e.Step, itemWorking)
	case apply.EventStepDone:
		t.n = e.N
		t.stepDone(e)
	case apply.EventUndo:
		t.undoing, t.now = true, "Undoing: "+stepText(e.Step)
		t.mark(e.Step, itemUndone)
	case apply.EventCommit:
		t.now, t.Serial = "Recorded", e.Serial
	}
}

func (t *task) stepDone(e apply.Event) {
	if e.Step == nil {
		return
	}
	if e.Step.Op == plan.Probe && e.Detail != "" {
		t.probes[e.Step.Unit] = e.Detail
	}
	if t.left[e.Step.Unit]--; t.left[e.Step.Unit] <= 0 {
		t.mark(e.Step, itemDone)
	}
}

// mark gives the unit of a step a state.
func (t *task) mark(s *plan.Step, st itemState) {
	if s == nil || s.Unit == "" {
		return
	}
	for i := range t.Items {
		if t.Items[i].ID == s.Unit {
			t.Items[i].State, t.Items[i].Seen = st, t.probes[s.Unit]
		}
	}
}

// end takes the outcome.
func (t *task) end(res apply.Result, err error, now time.Time) {
	t.Ended, t.now = now, ""
	var rolledBack *apply.RolledBackError
	var incomplete *apply.IncompleteError
	all := func(st itemState) {
		for i := range t.Items {
			t.Items[i].State = st
		}
	}
	switch {
	case err == nil:
		t.State, t.Serial = taskDone, res.State.Serial
		t.n = t.total
		t.Notes = append(t.Notes, res.Warnings...)
		if res.Closed > 0 {
			t.Notes = append(t.Notes, count(res.Closed, "live socket was closed", "live sockets were closed"))
		}
		all(itemDone)
	case errors.As(err, &incomplete):
		t.State, t.Text = taskBroken, err.Error()
	case t.stopping:
		t.State, t.Text = taskStopped, "stopped; everything was undone"
		all(itemUndone)
	case errors.As(err, &rolledBack):
		t.State, t.Text = taskFailed, err.Error()
		all(itemUndone)
		t.mark(rolledBack.Step, itemFailed)
	default:
		t.State, t.Text = taskFailed, err.Error()
	}
}

// headline is the line that says how the task is going.
func (t *task) headline() string {
	what := "Installation"
	if t.Mode == Remove {
		what = "Removal"
	}
	switch t.State {
	case taskRunning:
		return what + " started on " + t.Server
	case taskDone:
		return what + " succeeded on " + t.Server + "."
	case taskStopped:
		return what + " was stopped on " + t.Server + ". Everything was undone."
	case taskBroken:
		return what + " failed on " + t.Server + ", and not everything could be undone."
	case taskLost:
		return what + " was interrupted on " + t.Server + "."
	case taskMended:
		return what + " was interrupted on " + t.Server + ": " + t.Text
	}
	return what + " failed on " + t.Server + ". Nothing was changed."
}

// brief is the headline in few words, for a list.
func (t *task) brief() string {
	what := "Installation"
	if t.Mode == Remove {
		what = "Removal"
	}
	how := map[taskState]string{
		taskRunning: "is running", taskDone: "succeeded", taskStopped: "stopped and undone", taskBroken: "failed, undone in part",
		taskFailed: "failed and was undone", taskLost: "interrupted", taskMended: "interrupted; " + strings.TrimSuffix(t.Text, "."),
	}[t.State]
	return what + " " + how
}

// stepText says what a step does, for people.
func stepText(s *plan.Step) string {
	if s == nil {
		return ""
	}
	switch s.Op {
	case plan.Reload:
		return "Reloading the server"
	case plan.Probe:
		if s.Probe != nil && s.Probe.Kind == features.ProbeWebSocket {
			return "Proving it: handshake with " + s.Probe.Path
		}
		return "Proving it: " + string(s.Unit)
	case plan.CloseSockets:
		return "Closing live sockets"
	case plan.MakeDir:
		return "Making " + s.Path
	case plan.PutFile:
		return "Writing " + s.Path
	case plan.RemoveFile:
		return "Removing " + s.Path
	}
	return upperFirst(plan.Describe(*s))
}

func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
