package wizard

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/internal/state"
)

func realCatalog(t testing.TB) *features.Catalog {
	t.Helper()
	cat, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// What the wizard remembers is read as it was written.
func TestMemoryComesBack(t *testing.T) {
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	m := memory{Version: memoryVersion, SkipBefore: true, Mouse: true,
		Drafts: []draft{{Mode: "remove", Home: "/srv/a \"b\"", Remove: []string{"websocket"}, Tools: true}},
		Tasks: []savedTask{{Mode: "add", Server: "web01", Home: "/srv", Command: "rolemgr install websocket", Begun: at,
			Ended: at.Add(time.Second), State: taskDone, Base: 3, Serial: 4, Text: "line\nline", Notes: []string{"x"},
			Units: []string{"websocket"}, Seen: true}},
	}
	text, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := decodeMemory(text)
	if err != nil || !reflect.DeepEqual(again, m) {
		t.Errorf("%+v, %v\nbecame\n%+v", m, err, again)
	}
}

// A memory that cannot be used is said to be so, and the wizard begins with an empty one.
func TestMemoryThatCannotBeUsed(t *testing.T) {
	for _, text := range []string{"version = 2\n", "version = \"x\"\n", "this is not TOML", "version = 1\nmouse = 7\n"} {
		m, err := decodeMemory([]byte(text))
		if err == nil || !reflect.DeepEqual(m, memory{Version: memoryVersion}) {
			t.Errorf("%q gives %+v, %v", text, m, err)
		}
	}
	if m, err := decodeMemory(nil); err != nil || m.Version != memoryVersion {
		t.Errorf("nothing gives %+v, %v", m, err)
	}
}

// Ticks that were not carried out come back in the next run; those that were do not.
func TestDrafts(t *testing.T) {
	cat := realCatalog(t)
	s := NewSession(Add, cat, []Server{{Name: "web01", Home: "/srv/web01"}}, false)
	s.SetState(state.State{Level: "8.0"})
	p, err := s.Toggle("websocket")
	if err != nil || p == nil {
		t.Fatalf("ticking websocket on an empty server: %v, %v", p, err)
	}
	if err := s.Accept(p, true); err != nil {
		t.Fatal(err)
	}
	var m memory
	m.keep(s)
	wish := m.draft(Add, "/srv/web01")
	if !reflect.DeepEqual(wish.Install, []features.ID{"websocket"}) {
		t.Fatalf("%+v is remembered", wish)
	}
	if other := m.draft(Remove, "/srv/web01"); other.Install != nil {
		t.Errorf("the other wizard remembers %+v", other)
	}
	again := NewSession(Add, cat, s.Pool, false)
	again.wanted = wish
	again.SetState(state.State{Level: "8.0"})
	if !again.Sel.New("websocket") || !again.Sel.New("web-server") {
		t.Error("the ticks are not made again")
	}
	m.drop(Add, "/srv/web01")
	if m.draft(Add, "/srv/web01").Install != nil {
		t.Error("what was carried out is remembered as if it were not")
	}
	// What no catalogue has any more, and what is installed by now, is passed over.
	late := NewSession(Add, cat, s.Pool, false)
	late.wanted = features.Wish{Install: []features.ID{"no-such-unit", "static-content", "websocket"}}
	late.SetState(state.State{Level: "8.0", Features: []state.Feature{{ID: "web-server", Reason: "required"}, {ID: "web-server-core", Reason: "required"},
		{ID: "common-http", Reason: "required"}, {ID: "static-content", Reason: "requested"}}})
	if got := late.Sel.Wish().Install; !reflect.DeepEqual(got, []features.ID{"websocket"}) {
		t.Errorf("%v is ticked again", got)
	}
}

// A task that was running when the program ended is one that was interrupted, and is to be looked at.
func TestRecall(t *testing.T) {
	cat := realCatalog(t)
	var m memory
	running := &task{Mode: Add, Server: "web01", State: taskRunning, Seen: true,
		Items: []taskItem{{ID: "websocket", Title: "WebSocket Protocol"}, {ID: "gone", Title: "gone"}}}
	done := &task{Mode: Remove, Server: "web01", State: taskDone, Seen: true}
	m.record([]*task{running, done})
	got := m.recall(cat)
	if len(got) != 2 || got[0].State != taskLost || got[0].Seen || got[1].State != taskDone || !got[1].Seen || got[1].Mode != Remove {
		t.Fatalf("%+v", got)
	}
	if got[0].Items[0].Title != "WebSocket Protocol" || got[0].Items[1].Title != "gone" {
		t.Errorf("%+v", got[0].Items)
	}
	if !strings.Contains(got[0].headline(), "interrupted") {
		t.Errorf("it is called %q", got[0].headline())
	}
	var many []*task
	for range keptTasks + 5 {
		many = append(many, done)
	}
	if m.record(many); len(m.Tasks) != keptTasks {
		t.Errorf("%d tasks are kept", len(m.Tasks))
	}
}
