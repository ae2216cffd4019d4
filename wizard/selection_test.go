package wizard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/state"
)

// testUnit makes a unit from a word: "id", then letters for what it is: r role, f feature, g group, d default, t tool, x
// not available, n not before 8.5; "id.parent" below another; "id:need" with a requirement; "id!other" with a conflict.
func testUnit(t *testing.T, word string) features.Unit {
	t.Helper()
	word, flags, _ := strings.Cut(word, " ")
	u := features.Unit{Kind: features.RoleService}
	word, clash, _ := strings.Cut(word, "!")
	if clash != "" {
		u.Conflicts = []features.Conflict{{ID: features.ID(clash), Why: "both want the same"}}
	}
	word, needs, _ := strings.Cut(word, ":")
	for n := range strings.SplitSeq(needs, ",") {
		if n != "" {
			u.Requires = append(u.Requires, features.Require{ID: features.ID(n), Why: "it is built on it"})
		}
	}
	id, parent, _ := strings.Cut(word, ".")
	u.ID, u.Parent, u.Title = features.ID(id), features.ID(parent), strings.ToUpper(id[:1])+id[1:]
	for _, f := range flags {
		switch f {
		case 'r':
			u.Kind = features.Role
		case 'f':
			u.Kind = features.Feature
		case 'g':
			u.Group = true
		case 'd':
			u.Default = true
		case 't':
			u.Tool = true
		case 'x':
			u.Unavailable = &features.Unavailable{Reason: "chance"}
		case 'n':
			u.Since = "8.5"
		default:
			t.Fatalf("no flag %q", f)
		}
	}
	return u
}

func testCatalog(t *testing.T, words ...string) *features.Catalog {
	t.Helper()
	var units []features.Unit
	for _, w := range words {
		units = append(units, testUnit(t, w))
	}
	c, err := features.NewCatalog(units)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// houseTree is a role with a default group of two services, another of which one needs the first, and tools.
func houseTree(t *testing.T) *features.Catalog {
	return testCatalog(t, "role r", "common.role gd", "page.common d", "error.common d", "redirect.common",
		"apps.role g", "socket.apps:page", "script.apps:socket,filter", "filter.role", "asp.apps x", "late.apps n",
		"mgmt.role g", "console.mgmt t", "feat f", "left.feat", "right.feat!left")
}

// recorded is the state after a wish was carried out.
func recorded(t *testing.T, c *features.Catalog, w features.Wish) state.State {
	t.Helper()
	got, err := c.Resolve(w, nil, "8.0")
	if err != nil {
		t.Fatal(err)
	}
	return recordOf(state.State{Level: "8.0"}, got)
}

func recordOf(s state.State, got features.Selection) state.State {
	s.Serial++
	s.Features = nil
	for _, p := range got.Picks {
		s.Features = append(s.Features, state.Feature{ID: string(p.ID), Reason: string(p.Cause), RequiredBy: idStrings(p.By)})
	}
	return s
}

// press toggles a node and accepts what follows. The extras are returned.
func press(t *testing.T, s *Selection, id features.ID) []features.ID {
	t.Helper()
	p, err := s.Toggle(id)
	if err != nil {
		t.Fatalf("toggle %s: %v", id, err)
	}
	if err := s.Accept(p, true); err != nil {
		t.Fatalf("accept %s: %v", id, err)
	}
	var extras []features.ID
	for _, e := range p.Extras {
		extras = append(extras, e.ID)
	}
	return extras
}

// boxes writes the boxes that are not clear: "a+" ticked, "a~" partly.
func boxes(s *Selection) string {
	var out []string
	for _, u := range s.cat.Units() {
		if b := s.Box(u.ID); b != Clear {
			out = append(out, string(u.ID)+map[Box]string{Partial: "~", Ticked: "+"}[b])
		}
	}
	return strings.Join(out, " ")
}

// wishText writes a wish: what is asked for, what is out behind minus signs, and T for tools.
func wishText(s *Selection) string {
	w := s.Wish()
	out := idStrings(w.Install)
	for _, id := range w.Remove {
		out = append(out, "-"+string(id))
	}
	if w.IncludeManagementTools {
		out = append(out, "T")
	}
	return strings.Join(out, " ")
}

func TestTickAndClear(t *testing.T) {
	for _, tt := range []struct {
		name, on    string // on: a wish that is installed already
		mode        Mode
		press       string
		wish, boxes string
	}{
		{name: "nothing"},
		{name: "a role brings its defaults", press: "role", wish: "role T",
			boxes: "role~ common~ error+ page+ mgmt+ console+"},
		{name: "a service brings its role", press: "redirect", wish: "redirect T",
			boxes: "role~ common+ error+ page+ redirect+ mgmt+ console+"},
		{name: "and takes it away again", press: "redirect redirect"},
		{name: "a default is cleared", press: "role page", wish: "role -page T", boxes: "role~ common~ error+ mgmt+ console+"},
		{name: "and ticked again", press: "role page page", wish: "role page T",
			boxes: "role~ common~ error+ page+ mgmt+ console+"},
		{name: "a group of defaults is cleared", press: "redirect filter common", wish: "filter -common T", boxes: "role~ filter+ mgmt+ console+"},
		{name: "and one of it ticked", press: "filter common error", wish: "error filter -page T",
			boxes: "role~ common~ error+ filter+ mgmt+ console+"},
		{name: "a tool is cleared", press: "role console", wish: "role -console T", boxes: "role~ common~ error+ page+"},
		{name: "what another needs is cleared with it", press: "script filter", wish: ""},
		{name: "what two need", press: "script page", wish: ""},
		{name: "the role is cleared", press: "script role"},
		{name: "a group without defaults brings all", press: "apps", wish: "script socket T",
			boxes: "role~ common~ error+ page+ apps+ script+ socket+ filter+ mgmt+ console+"},
		{name: "more of what is installed", on: "role -page", press: "redirect", wish: "redirect T",
			boxes: "role~ common~ error+ redirect+ mgmt+ console+"},
		{name: "the rest of a group", on: "role -page", press: "common", wish: "page redirect T",
			boxes: "role~ common+ error+ page+ redirect+ mgmt+ console+"},
		{name: "removal", on: "script", mode: Remove, press: "script", wish: "-script",
			boxes: "role~ common~ error+ page+"},
		{name: "with dependents", on: "script socket", mode: Remove, press: "socket", wish: "-script -socket",
			boxes: "role~ common~ error+ page+"},
		{name: "taken back by the last", on: "script socket", mode: Remove, press: "page script",
			boxes: "role~ common~ error+ page+ apps+ script+ socket+ filter+"},
		{name: "one of a role is kept", on: "script", mode: Remove, press: "role error", wish: "-page -apps -filter",
			boxes: "role~ common~ error+"},
		{name: "and what it needs", on: "script socket", mode: Remove, press: "role socket", wish: "-error -script -filter",
			boxes: "role~ common~ page+ apps~ socket+"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := houseTree(t)
			st := state.State{Level: "8.0"}
			if tt.on != "" {
				st = recorded(t, c, parseWish(tt.on))
			}
			s := NewSelection(c, tt.mode, st)
			for id := range strings.FieldsSeq(tt.press) {
				press(t, s, features.ID(id))
				holds(t, s, st)
			}
			if got := wishText(s); got != tt.wish {
				t.Errorf("wish %q; want %q", got, tt.wish)
			}
			if got := boxes(s); got != tt.boxes && (tt.mode == Add || tt.boxes != "") {
				t.Errorf("boxes %q; want %q", got, tt.boxes)
			}
		})
	}
}

// parseWish reads what wishText writes.
func parseWish(text string) features.Wish {
	var w features.Wish
	for word := range strings.FieldsSeq(text) {
		if id, out := strings.CutPrefix(word, "-"); out {
			w.Remove = append(w.Remove, features.ID(id))
		} else {
			w.Install = append(w.Install, features.ID(word))
		}
	}
	return w
}

// holds fails unless the boxes show what the plan will do.
func holds(t *testing.T, s *Selection, st state.State) {
	t.Helper()
	if fault := boxFault(s, st); fault != "" {
		t.Fatalf("wish %q: %s", wishText(s), fault)
	}
}

// boxFault compares the boxes with what the catalogue makes of the wish, "" when they agree.
func boxFault(s *Selection, st state.State) string {
	var installed []features.Installed
	for _, f := range st.Features {
		installed = append(installed, features.Installed{ID: features.ID(f.ID), Cause: features.Cause(f.Reason), By: stringIDs(f.RequiredBy)})
	}
	got, err := s.cat.Resolve(s.Wish(), installed, features.Level(st.Level))
	if err != nil {
		return "the wish is refused: " + err.Error()
	}
	there, fresh := map[features.ID]bool{}, 0
	for _, p := range got.Picks {
		there[p.ID] = true
		if p.New {
			fresh++
		}
		if s.New(p.ID) != p.New {
			return fmt.Sprintf("%s is new: %v", p.ID, p.New)
		}
	}
	for _, u := range s.cat.Units() {
		below := append(s.cat.Descendants(u.ID), u.ID)
		if any := slices.ContainsFunc(below, func(d features.ID) bool { return there[d] }); any != (s.Box(u.ID) != Clear) {
			return fmt.Sprintf("%s has box %d, and the plan has it or something below it: %v", u.ID, s.Box(u.ID), any)
		}
		if len(below) == 1 && there[u.ID] && s.Box(u.ID) != Ticked {
			return fmt.Sprintf("%s will be there and has box %d", u.ID, s.Box(u.ID))
		}
		if s.Box(u.ID) == Ticked && slices.ContainsFunc(below, func(d features.ID) bool {
			v, _ := s.cat.Unit(d)
			return !v.Group && !there[d] && s.available(d)
		}) {
			return fmt.Sprintf("%s is ticked, and not all below it will be there", u.ID)
		}
		if s.words(u.ID) == "" {
			return fmt.Sprintf("there are no words for %s", u.ID)
		}
	}
	if want := map[Mode]int{Add: fresh, Remove: len(got.Drops)}[s.mode]; s.Count() != want {
		return fmt.Sprintf("%d are counted; want %d", s.Count(), want)
	}
	return ""
}

func TestExtrasAreAskedFor(t *testing.T) {
	c := houseTree(t)
	s := NewSelection(c, Add, state.State{Level: "8.0"})
	if got, want := press(t, s, "socket"), []features.ID{"console", "role", "common", "page", "error", "apps"}; !slices.Contains(got, "page") ||
		!slices.Contains(got, "console") || slices.Contains(got, "socket") || len(got) < len(want) {
		t.Errorf("extras %v; want at least %v", got, want)
	}
	press(t, s, "script")
	if got := press(t, s, "socket"); !slices.Equal(got, []features.ID{"script"}) {
		t.Errorf("clearing what script needs takes %v along; want script", got)
	}
	// A default service that needs what is cleared is asked for too, although nobody ticked it.
	s = NewSelection(testCatalog(t, "role r", "base.role d", "top.role:base d", "more.role"), Add, state.State{Level: "8.0"})
	press(t, s, "more")
	if got := press(t, s, "base"); !slices.Equal(got, []features.ID{"top"}) || boxes(s) != "role~ more+" {
		t.Errorf("extras %v, boxes %s", got, boxes(s))
	}
	// What a default service needs elsewhere can be cleared: the default service goes then.
	s = NewSelection(testCatalog(t, "role r", "top.role:lib d", "more.role", "lib f"), Add, state.State{Level: "8.0"})
	press(t, s, "more")
	if got := press(t, s, "lib"); !slices.Equal(got, []features.ID{"top"}) || boxes(s) != "role~ more+" {
		t.Errorf("extras %v, boxes %s", got, boxes(s))
	}
}

func TestManagementTools(t *testing.T) {
	s := NewSelection(houseTree(t), Add, state.State{Level: "8.0"})
	p, err := s.Toggle("role")
	if err != nil || !p.Tools || len(p.Extras) == 0 {
		t.Fatalf("%+v, %v: the tools are not offered", p, err)
	}
	if err := s.Accept(p, false); err != nil {
		t.Fatal(err)
	}
	if wishText(s) != "role" || s.New("console") {
		t.Errorf("declined, and the wish is %q", wishText(s))
	}
	if got := press(t, s, "filter"); !slices.Contains(got, "console") || wishText(s) != "role filter T" {
		t.Errorf("offered again: %v, wish %q", got, wishText(s))
	}
	press(t, s, "role")
	if !s.Empty() || wishText(s) != "" {
		t.Errorf("nothing is ticked, and the wish is %q", wishText(s))
	}
}

func TestTicksThatAreRefused(t *testing.T) {
	c := houseTree(t)
	st := recorded(t, c, parseWish("socket"))
	for _, tt := range []struct {
		mode     Mode
		before   string
		id       features.ID
		says     string
		nextStep string
	}{
		{Add, "", "asp", "cannot be installed here: chance", ""},
		{Add, "", "late", "8.5", "raise the level"},
		{Add, "", "page", "is installed already", "Remove Roles and Features"},
		{Add, "left", "right", "cannot be installed together", "leave out"},
		{Remove, "", "filter", "is not installed", "Add Roles and Features"},
	} {
		s := NewSelection(c, tt.mode, st)
		if tt.before != "" {
			press(t, s, features.ID(tt.before))
		}
		before := boxes(s)
		_, err := s.Toggle(tt.id)
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, tt.says) || !strings.Contains(refused.Hint, tt.nextStep) {
			t.Errorf("%s: %#v; want %q and %q", tt.id, err, tt.says, tt.nextStep)
		}
		if boxes(s) != before {
			t.Errorf("%s was refused and changed the boxes to %s", tt.id, boxes(s))
		}
	}
	// What is there only because something needed it, and that goes.
	c = testCatalog(t, "role r", "one.role", "two.role:lib", "lib f")
	s := NewSelection(c, Remove, recorded(t, c, parseWish("one two")))
	press(t, s, "two")
	_, err := s.Toggle("lib")
	var refused *RefusedError
	if !errors.As(err, &refused) || !strings.Contains(refused.Hint, "rolemgr install lib") {
		t.Errorf("keeping what nothing requires any more: %v", err)
	}
}

func TestRestore(t *testing.T) {
	c := houseTree(t)
	for _, tt := range []struct {
		name, on, wish, want string
		mode                 Mode
	}{
		{name: "as it was", wish: "redirect filter -page", want: "redirect filter -page"},
		{name: "what is installed meanwhile", on: "filter", wish: "filter socket", want: "socket"},
		{name: "what is unknown or cannot be", wish: "ghost asp late left right -ghost", want: "left"},
		{name: "what keeps nothing out", wish: "left -page -script", want: "left"},
		{name: "a removal with dependents", mode: Remove, on: "script", wish: "-socket -script", want: "-script -socket"},
		{name: "half of it is gone", mode: Remove, on: "socket", wish: "-socket -script", want: "-socket"},
		{name: "a dependent came meanwhile", mode: Remove, on: "script", wish: "-socket -error", want: "-error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := state.State{Level: "8.0"}
			if tt.on != "" {
				st = recorded(t, c, parseWish(tt.on))
			}
			s := NewSelection(c, tt.mode, st)
			s.restore(parseWish(tt.wish))
			if got := wishText(s); got != tt.want {
				t.Errorf("wish %q; want %q", got, tt.want)
			}
			holds(t, s, st)
		})
	}
}

// randomHouse makes a tree by chance. Requirements point to earlier units, so there is never a cycle.
func randomHouse(t *testing.T, r *rand.Rand) *features.Catalog {
	t.Helper()
	var words []string
	for i := range 4 + r.IntN(16) {
		word, kind := fmt.Sprintf("u%d", i), ""
		if i == 0 || r.IntN(6) == 0 {
			kind = []string{"r", "f"}[min(1, r.IntN(3)*i)]
		} else {
			word += fmt.Sprintf(".u%d", r.IntN(i))
		}
		if i > 0 && r.IntN(4) == 0 {
			word += fmt.Sprintf(":u%d", r.IntN(i))
		}
		if i > 0 && r.IntN(12) == 0 {
			word += fmt.Sprintf("!u%d", r.IntN(i))
		}
		for flag, odds := range map[string]int{"g": 4, "d": 2, "t": 8, "x": 40, "n": 40} {
			if r.IntN(odds) == 0 {
				kind += flag
			}
		}
		words = append(words, word+" "+kind)
	}
	return testCatalog(t, words...)
}

// The boxes always equal what the plan does, and a toggle that is accepted does something.
func TestRandomToggles(t *testing.T) {
	done, refusals := 0, 0
	for seed := range uint64(250) {
		r := rand.New(rand.NewPCG(seed, 4))
		c := randomHouse(t, r)
		st := state.State{Level: "8.0"}
		for range 3 {
			s := NewSelection(c, Mode(r.IntN(2)), st)
			units := c.Units()
			for range 12 {
				id := units[r.IntN(len(units))].ID
				was, wish := boxes(s), wishText(s)
				fail := func(format string, args ...any) {
					t.Fatalf("seed %d, mode %d, on %v, wish %q, toggle %s: %s", seed, s.mode, st.Features, wish, id, fmt.Sprintf(format, args...))
				}
				p, err := s.Toggle(id)
				if boxes(s) != was {
					fail("it changed the boxes before it was accepted")
				}
				var refused *RefusedError
				if err != nil {
					if !errors.As(err, &refused) || refused.Reason == "" {
						fail("%v", err)
					}
					refusals++
					continue
				}
				if err := s.Accept(p, r.IntN(2) == 0); err != nil {
					fail("accept: %v", err)
				}
				done++
				if fault := boxFault(s, st); fault != "" {
					fail("then wish %q: %s", wishText(s), fault)
				}
				if boxes(s) == was {
					fail("it was accepted and changed no box; then wish %q", wishText(s))
				}
			}
			got := s.now
			st = recordOf(st, got)
		}
	}
	if done < 2500 || refusals < 400 {
		t.Errorf("%d toggles were made and %d refused: too few to prove anything", done, refusals)
	}
}

// Ticking a node and clearing it again returns to the start.
func TestTickAndClearReturns(t *testing.T) {
	returned := 0
	for seed := range uint64(250) {
		r := rand.New(rand.NewPCG(seed, 5))
		c := randomHouse(t, r)
		st := state.State{Level: "8.0"}
		units := c.Units()
		for range 2 {
			for _, u := range units {
				s := NewSelection(c, Add, st)
				was, wish := boxes(s), s.Wish()
				p, err := s.Toggle(u.ID)
				if err != nil {
					continue
				}
				if err := s.Accept(p, true); err != nil {
					t.Fatal(err)
				}
				back, err := s.Toggle(u.ID)
				if err != nil {
					t.Fatalf("seed %d: %s was ticked and cannot be cleared: %v", seed, u.ID, err)
				}
				if err := s.Accept(back, true); err != nil {
					t.Fatal(err)
				}
				if boxes(s) != was || !reflect.DeepEqual(s.Wish(), wish) {
					t.Fatalf("seed %d, on %v: %s was ticked and cleared:\n%s %q\n%s", seed, st.Features, u.ID, boxes(s), wishText(s), was)
				}
				returned++
			}
			s := NewSelection(c, Add, st)
			if p, err := s.Toggle(units[r.IntN(len(units))].ID); err == nil && s.Accept(p, true) == nil {
				st = recordOf(st, s.now)
			}
		}
	}
	if returned < 1500 {
		t.Errorf("only %d nodes were ticked and cleared", returned)
	}
}
