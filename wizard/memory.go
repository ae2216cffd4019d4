package wizard

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/rolemgr/rolemgr/features"
)

const (
	memoryVersion = 1
	keptTasks     = 20 // notifications that survive the program
)

// memory is what the wizard knows from one run to the next: what a person prefers, what was ticked and not carried out,
// and what became of the tasks. It belongs to the user, not to a server; losing it loses no change.
type memory struct {
	Version    int         `toml:"version"`
	SkipBefore bool        `toml:"skip_before_you_begin"`
	Mouse      bool        `toml:"mouse"`
	Drafts     []draft     `toml:"draft,omitempty"`
	Tasks      []savedTask `toml:"task,omitempty"`
}

// draft is a wish that was not carried out.
type draft struct {
	Mode    string   `toml:"mode"`
	Home    string   `toml:"home"`
	Install []string `toml:"install,omitempty"`
	Remove  []string `toml:"remove,omitempty"`
	Tools   bool     `toml:"management_tools,omitempty"`
}

// savedTask is a notification.
type savedTask struct {
	Mode    string    `toml:"mode"`
	Server  string    `toml:"server"`
	Home    string    `toml:"home"`
	Command string    `toml:"command"`
	Begun   time.Time `toml:"begun"`
	Ended   time.Time `toml:"ended,omitempty"`
	State   taskState `toml:"state"`
	Base    uint64    `toml:"base_serial"`
	Serial  uint64    `toml:"serial,omitempty"`
	Text    string    `toml:"text,omitempty"`
	Notes   []string  `toml:"notes,omitempty"`
	Units   []string  `toml:"units,omitempty"`
	Seen    bool      `toml:"seen,omitempty"`
}

func modeName(m Mode) string {
	if m == Remove {
		return "remove"
	}
	return "add"
}

func modeOf(name string) Mode {
	if name == "remove" {
		return Remove
	}
	return Add
}

// decodeMemory reads a memory. One of a newer version, or a broken one, is an error and gives an empty memory.
func decodeMemory(text []byte) (memory, error) {
	m := memory{Version: memoryVersion}
	if len(text) == 0 {
		return m, nil
	}
	if err := toml.Unmarshal(text, &m); err != nil {
		return memory{Version: memoryVersion}, fmt.Errorf("read the wizard's memory: %w", err)
	}
	if m.Version != memoryVersion {
		return memory{Version: memoryVersion}, fmt.Errorf("read the wizard's memory: version %d is not %d", m.Version, memoryVersion)
	}
	return m, nil
}

func (m *memory) encode() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# What the wizard remembers. Deleting this file forgets it and harms nothing.\n")
	if err := toml.NewEncoder(&b).Encode(m); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// keep remembers what is ticked in a session, or forgets it when nothing is.
func (m *memory) keep(s *Session) {
	srv, ok := s.Server()
	if !ok || s.Started() || s.Sel == nil {
		return
	}
	m.drop(s.Mode, srv.Home)
	if s.Sel.Empty() {
		return
	}
	w := s.Sel.Wish()
	m.Drafts = append(m.Drafts, draft{modeName(s.Mode), srv.Home, idStrings(w.Install), idStrings(w.Remove), w.IncludeManagementTools})
}

// drop forgets what was ticked: it has been carried out.
func (m *memory) drop(mode Mode, home string) {
	m.Drafts = slices.DeleteFunc(m.Drafts, func(d draft) bool { return d.Mode == modeName(mode) && d.Home == home })
}

// draft returns what was ticked for a server.
func (m *memory) draft(mode Mode, home string) features.Wish {
	for _, d := range m.Drafts {
		if d.Mode == modeName(mode) && d.Home == home {
			return features.Wish{Install: stringIDs(d.Install), Remove: stringIDs(d.Remove), IncludeManagementTools: d.Tools}
		}
	}
	return features.Wish{}
}

// record remembers the newest tasks.
func (m *memory) record(tasks []*task) {
	m.Tasks = nil
	for _, t := range tasks[:min(len(tasks), keptTasks)] {
		s := savedTask{
			Mode: modeName(t.Mode), Server: t.Server, Home: t.Home, Command: t.Command, Begun: t.Begun, Ended: t.Ended,
			State: t.State, Base: t.Base, Serial: t.Serial, Text: t.Text, Notes: t.Notes, Seen: t.Seen,
		}
		for _, it := range t.Items {
			s.Units = append(s.Units, string(it.ID))
		}
		m.Tasks = append(m.Tasks, s)
	}
}

// recall makes the tasks of earlier runs. One that was running when the program ended was interrupted.
func (m *memory) recall(cat *features.Catalog) []*task {
	var out []*task
	for _, s := range m.Tasks {
		t := &task{
			Mode: modeOf(s.Mode), Server: s.Server, Home: s.Home, Command: s.Command, Begun: s.Begun, Ended: s.Ended,
			State: s.State, Base: s.Base, Serial: s.Serial, Text: s.Text, Notes: s.Notes, Seen: s.Seen,
		}
		if t.State == taskRunning {
			t.State, t.Seen = taskLost, false
		}
		for _, id := range s.Units {
			u, _ := cat.Unit(features.ID(id))
			it := taskItem{ID: u.ID, Title: u.Title, Depth: cat.Depth(u.ID), State: itemWaiting}
			if u.ID == "" {
				it.Title = id
			}
			switch t.State {
			case taskDone:
				it.State = itemDone
			case taskFailed, taskStopped:
				it.State = itemUndone
			}
			t.Items = append(t.Items, it)
		}
		out = append(out, t)
	}
	return out
}

func idStrings(ids []features.ID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}

func stringIDs(names []string) []features.ID {
	var out []features.ID
	for _, n := range names {
		out = append(out, features.ID(n))
	}
	return out
}

// draftChanged remembers what is ticked when that is not what is remembered, and reports whether it was not.
func (m *model) draftChanged() bool {
	if m.win == nil || m.win.s.Sel == nil || m.win.s.Started() {
		return false
	}
	srv, ok := m.win.s.Server()
	if !ok {
		return false
	}
	now, was := m.win.s.Sel.Wish(), m.mem.draft(m.win.s.Mode, srv.Home)
	if m.win.s.Sel.Empty() {
		now = features.Wish{}
	}
	if sameWish(now, was) {
		return false
	}
	m.mem.keep(m.win.s)
	return true
}
