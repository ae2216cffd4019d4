package features_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/rolemgr/rolemgr/features"
)

// randomTree makes a catalogue with roles, groups, requirements, conflicts, levels and units that are not available.
// Requirements only point to earlier units, so that there is never a cycle.
func randomTree(t *testing.T, r *rand.Rand) *features.Catalog {
	t.Helper()
	var units []features.Unit
	for i := range 4 + r.IntN(22) {
		u := features.Unit{ID: features.ID(fmt.Sprintf("u%d", i)), Title: fmt.Sprintf("Unit %d", i)}
		if i == 0 || r.IntN(6) == 0 {
			u.Kind = []features.Kind{features.Role, features.Feature}[min(1, r.IntN(3)*i)]
		} else {
			u.Kind, u.Parent = features.RoleService, units[r.IntN(i)].ID
		}
		u.Group, u.Default, u.Tool = r.IntN(4) == 0, r.IntN(2) == 0, r.IntN(8) == 0
		if i > 0 && r.IntN(4) == 0 {
			u.Requires = []features.Require{{ID: units[r.IntN(i)].ID, Why: "chance"}}
		}
		if i > 0 && r.IntN(12) == 0 {
			u.Conflicts = []features.Conflict{{ID: units[r.IntN(i)].ID, Why: "chance"}}
		}
		switch r.IntN(14) {
		case 0:
			u.Unavailable = &features.Unavailable{Reason: "chance"}
		case 1:
			u.Since = "8.5"
		}
		units = append(units, u)
	}
	return catalog(t, units)
}

func randomWish(c *features.Catalog, r *rand.Rand) features.Wish {
	var w features.Wish
	all := c.Units()
	for range 1 + r.IntN(3) {
		id := all[r.IntN(len(all))].ID
		if r.IntN(3) == 0 {
			w.Remove = append(w.Remove, id)
		} else {
			w.Install = append(w.Install, id)
		}
	}
	w.IncludeAllSubfeatures, w.IncludeManagementTools = r.IntN(4) == 0, r.IntN(4) == 0
	return w
}

func TestResolveHoldsForRandomWishes(t *testing.T) {
	granted, refusedOnes := 0, 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 8))
		c := randomTree(t, r)
		var installed []features.Installed
		for range 4 {
			w := randomWish(c, r)
			s, err := c.Resolve(w, installed, "8.0")
			again, errAgain := c.Resolve(shuffled(w, r), shuffledInstalled(installed, r), "8.0")
			if !reflect.DeepEqual(s, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
				t.Fatalf("seed %d: %+v: two outcomes:\n%s%v\n%s%v", seed, w, show(s), err, show(again), errAgain)
			}
			if err != nil {
				var refusal *features.RefusedError
				if !errors.As(err, &refusal) || len(refusal.Problems) == 0 {
					t.Fatalf("seed %d: %v", seed, err)
				}
				refusedOnes++
				continue
			}
			granted++
			if fault := unsound(c, w, installed, s); fault != "" {
				t.Fatalf("seed %d: %+v on %v: %s\n%s", seed, w, installed, fault, show(s))
			}
			installed = after(s)
			if idem, err := c.Resolve(features.Wish{Install: w.Install}, installed, "8.0"); err != nil {
				t.Fatalf("seed %d: asking again is refused: %v", seed, err)
			} else if len(idem.Drops) > 0 || !slices.EqualFunc(after(idem), installed, equal) {
				t.Fatalf("seed %d: asking for %v again changes\n%s", seed, w.Install, show(idem))
			}
		}
	}
	if granted < 1000 || refusedOnes < 1000 {
		t.Errorf("%d wishes were granted and %d refused: too few of one kind to prove anything", granted, refusedOnes)
	}
}

// unsound says what is wrong with a selection, "" when nothing is.
func unsound(c *features.Catalog, w features.Wish, was []features.Installed, s features.Selection) string {
	at := map[features.ID]int{}
	for i, p := range s.Picks {
		if _, twice := at[p.ID]; twice {
			return "twice: " + string(p.ID)
		}
		at[p.ID] = i
		before := slices.ContainsFunc(was, func(in features.Installed) bool { return in.ID == p.ID })
		if p.New == before {
			return "new is wrong for " + string(p.ID)
		}
		if p.New && c.Blocked(p.ID, "8.0") != nil {
			return "cannot be installed: " + string(p.ID)
		}
		if p.Why == "" || p.Cause == "" {
			return "no reason for " + string(p.ID)
		}
	}
	for _, p := range s.Picks {
		u, _ := c.Unit(p.ID)
		needs := c.Ancestors(p.ID)
		for _, q := range u.Requires {
			needs = append(needs, q.ID)
		}
		for _, n := range needs {
			if i, in := at[n]; !in || i > at[p.ID] {
				return fmt.Sprintf("%s comes without or before %s, which it needs", p.ID, n)
			}
		}
		for _, x := range u.Conflicts {
			if _, in := at[x.ID]; in {
				return fmt.Sprintf("%s together with %s", p.ID, x.ID)
			}
		}
		if p.Cause == features.Required && len(p.By) == 0 && p.New {
			return "required by nobody: " + string(p.ID)
		}
	}
	for _, id := range w.Install {
		if i, in := at[id]; !in || s.Picks[i].Cause != features.Requested {
			return "asked for and not there: " + string(id)
		}
	}
	gone := map[features.ID]bool{}
	for _, d := range s.Drops {
		if _, in := at[d.ID]; in || gone[d.ID] {
			return "goes and stays, or goes twice: " + string(d.ID)
		}
		if u, _ := c.Unit(d.ID); gone[u.Parent] {
			return "goes after its parent: " + string(d.ID)
		}
		gone[d.ID] = true
	}
	for _, id := range w.Remove {
		if _, in := at[id]; in {
			return "to be removed and still there: " + string(id)
		}
	}
	for _, in := range was {
		if _, stays := at[in.ID]; !stays && !gone[in.ID] {
			return "neither stays nor goes: " + string(in.ID)
		}
	}
	return ""
}

func TestInstallThenRemoveReturnsToTheStart(t *testing.T) {
	tried := 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 45))
		c := randomTree(t, r)
		start, err := c.Resolve(randomWish(c, r), nil, "8.0")
		if err != nil {
			continue
		}
		before := after(start)
		there, err := c.Resolve(features.Wish{Install: randomWish(c, r).Install}, before, "8.0")
		if err != nil {
			continue
		}
		var back features.Wish
		for _, p := range there.Picks {
			if p.New {
				back.Remove = append(back.Remove, p.ID)
			}
		}
		end, err := c.Resolve(back, after(there), "8.0")
		if err != nil {
			t.Fatalf("seed %d: removing what was added is refused: %v", seed, err)
		}
		var got, want []features.ID
		for _, p := range end.Picks {
			got = append(got, p.ID)
		}
		for _, p := range start.Picks {
			want = append(want, p.ID)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: from %v to\n%sback to %v", seed, want, show(there), got)
		}
		tried++
	}
	if tried < 500 {
		t.Errorf("only %d of the wishes were granted", tried)
	}
}

func shuffled(w features.Wish, r *rand.Rand) features.Wish {
	w.Install, w.Remove = slices.Clone(w.Install), slices.Clone(w.Remove)
	r.Shuffle(len(w.Install), func(i, j int) { w.Install[i], w.Install[j] = w.Install[j], w.Install[i] })
	r.Shuffle(len(w.Remove), func(i, j int) { w.Remove[i], w.Remove[j] = w.Remove[j], w.Remove[i] })
	return w
}

func shuffledInstalled(in []features.Installed, r *rand.Rand) []features.Installed {
	in = slices.Clone(in)
	r.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
	return in
}
