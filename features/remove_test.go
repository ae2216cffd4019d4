package features_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
)

// small is a role with requirements and conflicts that the real tree does not have.
//
//	role
//	├── a (default)
//	├── group (default)
//	│   ├── b (default)
//	│   └── c          requires b
//	├── d              requires c, conflicts with a
//	└── e              requires lib
//	lib (feature)      requires base
//	base (feature)
func small(t testing.TB) *features.Catalog {
	t.Helper()
	service := func(id, parent features.ID, byDefault bool, requires ...features.ID) features.Unit {
		u := features.Unit{ID: id, Parent: parent, Kind: features.RoleService, Title: strings.ToUpper(string(id)), Default: byDefault}
		for _, r := range requires {
			u.Requires = append(u.Requires, features.Require{ID: r, Why: "it says so"})
		}
		return u
	}
	d := service("d", "role", false, "c")
	d.Conflicts = []features.Conflict{{ID: "a", Why: "both want the same port"}}
	group := service("group", "role", true)
	group.Group = true
	return catalog(t, []features.Unit{
		{ID: "role", Kind: features.Role, Title: "ROLE", Group: true},
		service("a", "role", true), group, service("b", "group", true), service("c", "group", false, "b"),
		d, service("e", "role", false, "lib"),
		{ID: "lib", Kind: features.Feature, Title: "LIB", Requires: []features.Require{{ID: "base", Why: "it is built on it"}}},
		{ID: "base", Kind: features.Feature, Title: "BASE"},
	})
}

func TestRemovalNamesWhoStillRequires(t *testing.T) {
	c := small(t)
	was := after(resolve(t, c, removalOf(wish("role", "c", "d"), "a"), nil))
	got := refused(t, c, removal("b"), was, "")
	want := features.Problem{ID: "b", Code: "required", Summary: `"B" is still required by "C"`,
		Hint: "remove them together: rolemgr remove b c d"}
	if len(got) != 1 || got[0] != want {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	// The command of the hint works, and it takes the role along because nothing is left of it.
	got2 := show(resolve(t, c, removal("b", "c", "d"), was))
	want2 := `- group (required) no role service of ROLE is left
- d (requested) requested
- c (requested) requested
- b (requested) requested
- role (required) no role service of ROLE is left
`
	for line := range strings.SplitSeq(want2, "\n") {
		if !strings.Contains(got2, line) {
			t.Errorf("missing %q in\n%s", line, got2)
		}
	}
	if strings.Contains(got2, "= ") {
		t.Errorf("something stayed:\n%s", got2)
	}
}

func TestRemovalOrder(t *testing.T) {
	c := small(t)
	was := after(resolve(t, c, removalOf(wish("role", "c", "d", "e"), "a"), nil))
	s := resolve(t, c, removal("role"), was)
	at := map[features.ID]int{}
	for i, d := range s.Drops {
		at[d.ID] = i
	}
	if len(s.Picks) != 0 || len(s.Drops) != len(was) {
		t.Fatalf("got\n%s", show(s))
	}
	for _, pair := range [][2]features.ID{{"d", "c"}, {"c", "b"}, {"b", "group"}, {"group", "role"}, {"e", "lib"}, {"lib", "base"}} {
		if at[pair[0]] > at[pair[1]] {
			t.Errorf("%s goes after %s, which it needs:\n%s", pair[0], pair[1], show(s))
		}
	}
}

func TestRemovalSweepsWhatNothingNeeds(t *testing.T) {
	c := small(t)
	start := after(resolve(t, c, wish("role"), nil))
	with := after(resolve(t, c, wish("e"), start))
	s := resolve(t, c, removal("e"), with)
	if got := show(s); !strings.Contains(got, "- lib (required) no longer required\n") || !strings.Contains(got, "- base (required) no longer required\n") {
		t.Errorf("got\n%s", got)
	}
	if !slices.EqualFunc(after(s), start, equal) {
		t.Errorf("install and remove do not return to the start:\n%s", show(s))
	}
	// Asked for by itself, it stays.
	kept := after(resolve(t, c, wish("lib"), with))
	if got := show(resolve(t, c, removal("e"), kept)); strings.Contains(got, "- lib") || strings.Contains(got, "- base") {
		t.Errorf("got\n%s", got)
	}
	// An orphan that this removal has nothing to do with is left alone.
	stray := append(slices.Clone(start), features.Installed{ID: "base", Cause: features.Required, By: []features.ID{"gone"}})
	if got := show(resolve(t, c, removal("a"), stray)); strings.Contains(got, "- base") {
		t.Errorf("got\n%s", got)
	}
}

func equal(a, b features.Installed) bool {
	return a.ID == b.ID && a.Cause == b.Cause && slices.Equal(a.By, b.By)
}

func TestRemovalTakesWhatIsBelow(t *testing.T) {
	c := small(t)
	was := after(resolve(t, c, wish("role", "c"), nil))
	s := resolve(t, c, removal("group"), was)
	want := "- c (required) belongs to GROUP\n- b (required) belongs to GROUP\n- group (requested) requested\n"
	if got := show(s); !strings.HasSuffix(got, want) || !strings.Contains(got, "= a ") {
		t.Errorf("got\n%s", got)
	}
	// A group that came by default stays when it is emptied, as on Windows.
	if got := show(resolve(t, c, removal("b", "c"), was)); !strings.Contains(got, "= group (default)") {
		t.Errorf("got\n%s", got)
	}
}

func TestRemovalOfWhatIsNotInstalledDoesNothing(t *testing.T) {
	c := small(t)
	was := after(resolve(t, c, wish("role"), nil))
	if s := resolve(t, c, removal("e", "c"), was); len(s.Drops) != 0 || len(s.Picks) != len(was) {
		t.Errorf("got\n%s", show(s))
	}
}

func TestLastServiceOfARole(t *testing.T) {
	c := small(t)
	got := refused(t, c, removalOf(wish("role"), "a", "b"), nil, "")
	if len(got) != 1 || got[0].Code != "last-service" || got[0].ID != "role" {
		t.Errorf("got %+v", got)
	}
	was := after(resolve(t, c, removalOf(wish("role"), "b"), nil))
	if s := resolve(t, c, removal("a"), was); len(s.Picks) != 0 {
		t.Errorf("got\n%s", show(s))
	}
	got = refused(t, c, removalOf(wish("role"), "a"), was, "")
	if len(got) != 1 || got[0].Code != "last-service" {
		t.Errorf("got %+v", got)
	}
}

func TestConflictsAllAtOnce(t *testing.T) {
	c := small(t)
	was := after(resolve(t, c, wish("role"), nil))
	got := refused(t, c, removalOf(wish("d", "e"), "lib"), was, "")
	var codes []string
	for _, p := range got {
		codes = append(codes, string(p.ID)+" "+p.Code)
	}
	if want := []string{"lib required", "a conflict"}; !slices.Equal(codes, want) {
		t.Fatalf("got %v, want %v", codes, want)
	}
	if got[1].Summary != `"A" cannot be installed together with "D": both want the same port` ||
		got[1].Hint != "remove the one that is installed first: rolemgr remove a" {
		t.Errorf("got %+v", got[1])
	}
	got = refused(t, c, removalOf(wish("a"), "a"), was, "")
	if len(got) != 1 || got[0].Code != "conflict" {
		t.Errorf("got %+v", got)
	}
	// So does one that merely needs what is in conflict.
	needy := features.Unit{ID: "needy", Parent: "role", Kind: features.RoleService, Title: "NEEDY", Default: true,
		Requires: []features.Require{{ID: "a", Why: "it says so"}}}
	if got := show(resolve(t, catalog(t, append(c.Units(), needy)), wish("d"), nil)); !strings.Contains(got, "! needy it cannot") {
		t.Errorf("got\n%s", got)
	}
	// A default service gives way to what was asked for.
	s := resolve(t, c, wish("d"), nil)
	if got := show(s); !strings.Contains(got, "! a it cannot be installed together with D: both want the same port\n") {
		t.Errorf("got\n%s", got)
	}
}
