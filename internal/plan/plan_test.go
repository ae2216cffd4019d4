package plan_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// two is a small catalogue: a, and b which requires it. Their drop-ins hold the given text.
func two(t *testing.T, a, b string) *features.Catalog {
	t.Helper()
	unit := func(id features.ID, text string) features.Unit {
		return features.Unit{
			ID: id, Kind: features.Feature, Title: strings.ToUpper(string(id)), Since: "7.0",
			Assets: fstest.MapFS{"config/features.d/" + string(id) + ".config": {Data: []byte(text)}},
			Probe:  features.Probe{Kind: features.ProbeModule},
		}
	}
	ua, ub := unit("a", a), unit("b", b)
	ua.Seeds = fstest.MapFS{"sites/default/start.htm": {Data: []byte("start")}}
	ub.Requires = []features.Require{{ID: "a", Why: "it is built on it"}}
	c, err := features.NewCatalog([]features.Unit{ua, ub})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ops writes the steps in short.
func ops(p plan.Plan) []string {
	var out []string
	for _, s := range p.Steps {
		out = append(out, plan.Describe(s))
	}
	return out
}

// changes writes the changes in short.
func changes(p plan.Plan) []string {
	var out []string
	for _, c := range p.Changes {
		out = append(out, string(c.Action)+" "+string(c.Unit)+": "+c.Why)
	}
	return out
}

func codes(l diag.List) []string {
	var out []string
	for _, d := range l {
		out = append(out, string(d.Severity)+" "+d.Code+" "+d.Pos)
	}
	return out
}

func wantEqual(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// installed brings a fresh server to the point where the units are installed.
func installed(t *testing.T, c *features.Catalog, ids ...features.ID) (state.State, disk) {
	t.Helper()
	d := disk{}
	p := build(t, c, state.State{Level: "8.0"}, install(ids...), d.facts())
	d.carry(p)
	s := commit(p)
	for i := range s.Features {
		s.Features[i].Version, s.Features[i].Installed = "1.0", time.Unix(1, 0).UTC()
	}
	return s, d
}

func TestStepsInOrder(t *testing.T) {
	c := two(t, "one", "two")
	p := build(t, c, state.State{}, install("b"), disk{}.facts())
	wantEqual(t, "steps", ops(p), []string{
		"make folder config", "make folder config/features.d", "make folder logs", "make folder run",
		"make folder sites", "make folder sites/default",
		"put sites/default/start.htm unless there is one",
		"put config/features.d/a.config", "put config/features.d/b.config",
		"reload the host",
		"probe a: its modules are loaded", "probe b: its modules are loaded",
	})
	wantEqual(t, "changes", changes(p), []string{"+ a: required by B: it is built on it", "+ b: requested"})
	if got := p.After.Features; len(got) != 2 || got[0].Reason != "required" || !slices.Equal(got[0].RequiredBy, []string{"b"}) ||
		!got[0].Installed.IsZero() || len(got[0].Files) != 1 || got[0].Files[0].Path != "config/features.d/a.config" {
		t.Errorf("after: %+v", got)
	}
	if p.Empty() {
		t.Error("a plan with steps is empty")
	}
	content, err := plan.Content(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		if s.Op == plan.PutFile && len(content[s.SHA256]) == 0 {
			t.Errorf("no content for %s", s.Path)
		}
	}
}

func TestNothingKnownOfTheDisk(t *testing.T) {
	c := two(t, "one", "two")
	p := build(t, c, state.State{}, install("b"), plan.Facts{})
	full := build(t, c, state.State{}, install("b"), disk{}.facts())
	wantEqual(t, "steps", ops(p), ops(full))
	// Without a look at the disk nothing has drifted.
	s, _ := installed(t, c, "b")
	if p := build(t, c, s, install("b"), plan.Facts{}); !p.Empty() {
		t.Errorf("not empty: %v %v", changes(p), ops(p))
	}
	p = build(t, c, s, remove("b"), plan.Facts{})
	wantEqual(t, "removal", ops(p), []string{"remove config/features.d/b.config", "remove config/features.d/a.config", "reload the host"})
}

func TestSeedsBelongToPeople(t *testing.T) {
	c := two(t, "one", "two")
	d := disk{"sites/default/start.htm": "a person's", "config/": "", "config/features.d/": ""}
	p := build(t, c, state.State{}, install("a"), d.facts())
	for _, s := range p.Steps {
		if s.Path == "sites/default/start.htm" {
			t.Errorf("step %q touches a person's file", plan.Describe(s))
		}
		if s.Path == "config" {
			t.Errorf("step %q makes a folder that exists", plan.Describe(s))
		}
	}
	s, d := installed(t, c, "a")
	delete(d, "sites/default/start.htm")
	if p := build(t, c, s, install("a"), d.facts()); !p.Empty() {
		t.Errorf("a seed that a person deleted comes back: %v", ops(p))
	}
	for _, s := range ops(build(t, c, s, remove("a"), d.facts())) {
		if strings.Contains(s, "start.htm") {
			t.Errorf("a seed is removed: %s", s)
		}
	}
}

func TestLostConfigurationIsSeededAgain(t *testing.T) {
	c, err := features.NewCatalog([]features.Unit{{
		ID: "a", Kind: features.Feature, Title: "A", Since: "7.0",
		Seeds: fstest.MapFS{"config/host.config": {Data: []byte("host")}, "sites/default/start.htm": {Data: []byte("start")}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s, d := installed(t, c, "a")
	delete(d, "config/host.config")
	delete(d, "sites/default/start.htm")
	p := build(t, c, s, install("a"), d.facts())
	wantEqual(t, "changes", changes(p), []string{"~ a: its files are missing"})
	wantEqual(t, "steps", ops(p)[len(ops(p))-2:], []string{"put config/host.config unless there is one", "reload the host"})
	if p := build(t, c, s, install("a"), plan.Facts{}); !p.Empty() {
		t.Errorf("seeded without a look at the disk: %v", ops(p))
	}
	d["config/host.config"] = "a person's"
	if p := build(t, c, s, install("a"), d.facts()); !p.Empty() {
		t.Errorf("a person's file is touched: %v", ops(p))
	}
}

func TestDrift(t *testing.T) {
	c := two(t, "one", "two")
	s, d := installed(t, c, "b")
	d["config/features.d/b.config"] = "edited"
	delete(d, "config/features.d/a.config")

	p, diags, err := plan.Build(c, s, install("b"), d.facts())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "changes", changes(p), []string{"~ a: its files are missing", "~ b: its files were changed by hand"})
	wantEqual(t, "steps", ops(p), []string{"put config/features.d/a.config", "put config/features.d/b.config", "reload the host",
		"probe a: its modules are loaded", "probe b: its modules are loaded"})
	wantEqual(t, "diagnostics", codes(diags), []string{
		"warning missing-file config/features.d/a.config", "warning changed-by-hand config/features.d/b.config"})
	if diags.HasErrors() {
		t.Error("drift is an error")
	}

	// a is not concerned by b: it is only looked at.
	p, diags, err = plan.Build(c, s, install("a"), d.facts())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "changes", changes(p), []string{"~ a: its files are missing"})
	if hint := diags[1].Hint; hint != "rolemgr install b puts it back" {
		t.Errorf("hint %q", hint)
	}

	// A changed file is announced before it is removed; one that is gone needs no step.
	p, diags, err = plan.Build(c, s, remove("b"), d.facts())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "removal", ops(p), []string{"remove config/features.d/b.config", "reload the host"})
	wantEqual(t, "diagnostics", codes(diags), []string{"warning changed-by-hand config/features.d/b.config"})
}

func TestForeignFileIsAnnounced(t *testing.T) {
	c := two(t, "one", "two")
	d := disk{"config/features.d/a.config": "made by hand"}
	_, diags, err := plan.Build(c, state.State{}, install("a"), d.facts())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "diagnostics", codes(diags), []string{"warning foreign-file config/features.d/a.config"})
}

func TestNewerVersionRenewsWhatIsAskedFor(t *testing.T) {
	s, d := installed(t, two(t, "one", "two"), "b")
	newer := two(t, "one", "two, better")
	p := build(t, newer, s, install("b"), d.facts())
	wantEqual(t, "changes", changes(p), []string{"^ b: configuration of this version, was of 1.0"})
	if f := p.After.Features[1]; !f.Installed.IsZero() || f.Version != "" || f.Files[0] == s.Features[1].Files[0] {
		t.Errorf("recorded: %+v", f)
	}
	if f := p.After.Features[0]; f.Version != "1.0" {
		t.Errorf("a was not renewed and is recorded as %+v", f)
	}
	// Another installation brings it up to date too, unless somebody has changed it by hand; a removal does not.
	p = build(t, newer, s, install("a"), d.facts())
	wantEqual(t, "changes", changes(p), []string{"* a: was required, now requested", "^ b: configuration of this version, was of 1.0"})
	wantEqual(t, "steps", ops(p), []string{"put config/features.d/b.config", "reload the host", "probe b: its modules are loaded"})
	d.carry(p)
	after := commit(p)
	if p := build(t, newer, after, install("a"), d.facts()); !p.Empty() || plan.Outdated(newer, after.Features[1]) {
		t.Errorf("once more: %v", changes(p))
	}
	if !plan.Outdated(newer, s.Features[1]) || plan.Outdated(newer, s.Features[0]) {
		t.Error("what is outdated is not told")
	}
	d["config/features.d/b.config"] = "by hand"
	p = build(t, newer, s, install("a"), d.facts())
	wantEqual(t, "changed by hand", changes(p), []string{"* a: was required, now requested"})
	if p.After.Features[1].Files[0] != s.Features[1].Files[0] {
		t.Error("what was changed by hand was renewed")
	}
	p = build(t, two(t, "one, better", "two"), s, remove("b"), d.facts())
	wantEqual(t, "removal", ops(p), []string{"remove config/features.d/b.config", "remove config/features.d/a.config", "reload the host"})
}

// An earlier version had no file at all for a unit.
func TestNewerVersionBringsFirstFiles(t *testing.T) {
	units := two(t, "one", "two").Units()
	units[0].Assets = nil
	older, err := features.NewCatalog(units)
	if err != nil {
		t.Fatal(err)
	}
	s, d := installed(t, older, "b")
	p := build(t, two(t, "one", "two"), s, install("b"), d.facts())
	wantEqual(t, "changes", changes(p), []string{"^ a: configuration of this version, was of 1.0", "= b: installed already"})
	wantEqual(t, "steps", ops(p), []string{"put config/features.d/a.config", "reload the host", "probe a: its modules are loaded"})
}

func TestNewerVersionMovesFiles(t *testing.T) {
	s, d := installed(t, two(t, "one", "two"), "b")
	units := two(t, "one", "two").Units()
	// b's file is a's now; b has two others, one of which holds what is on the disk already.
	units[0].Assets = fstest.MapFS{"config/features.d/a.config": {Data: []byte("one")}, "config/features.d/b.config": {Data: []byte("two")}}
	units[1].Assets = fstest.MapFS{"config/features.d/b2.config": {Data: []byte("two")}}
	c, err := features.NewCatalog(units)
	if err != nil {
		t.Fatal(err)
	}
	p := build(t, c, s, install("b"), d.facts())
	wantEqual(t, "steps", ops(p), []string{"put config/features.d/b2.config", "reload the host",
		"probe a: its modules are loaded", "probe b: its modules are loaded"})
	// What only the record has wrong is mended in the record, and the units are proven again.
	d.carry(p)
	p = build(t, c, s, install("b"), d.facts())
	wantEqual(t, "steps", ops(p), []string{"probe a: its modules are loaded", "probe b: its modules are loaded"})
	if p.Empty() || len(p.After.Features[0].Files) != 2 {
		t.Errorf("after: %+v", p.After.Features)
	}
	// A file that no unit has any more goes.
	s = commit(p)
	p = build(t, two(t, "one", "two"), s, install("b"), d.facts())
	wantEqual(t, "steps", ops(p), []string{"remove config/features.d/b2.config", "reload the host",
		"probe a: its modules are loaded", "probe b: its modules are loaded"})
}

func TestRepairBringsFoldersBack(t *testing.T) {
	c := two(t, "one", "two")
	s, d := installed(t, c, "b")
	delete(d, "run/")
	delete(d, "logs/")
	delete(d, "config/features.d/a.config")
	p := build(t, c, s, install("a"), d.facts())
	wantEqual(t, "steps", ops(p)[:2], []string{"make folder logs", "make folder run"})
	if p.Steps[1].Mode != 0o700 {
		t.Errorf("run has mode %o", p.Steps[1].Mode)
	}
}

func TestReturnToAPastState(t *testing.T) {
	old := two(t, "one", "two")
	past, d := installed(t, old, "b")
	past.Serial, past.Level = 1, "7.5"
	newer := two(t, "one", "two, better")
	p := build(t, newer, past, install("b"), d.facts())
	d.carry(p)
	now := commit(p)
	now.Level = "8.0"
	now.Features[1].Version, now.Features[1].Installed = "2.0", time.Unix(2, 0).UTC()

	kept := func(sha string) bool { return sha == past.Features[1].Files[0].SHA256 }
	f := d.facts()
	f.Blob = kept
	p = build(t, newer, now, plan.Request{To: &past}, f)
	wantEqual(t, "changes", changes(p), []string{"* : from IIS 8.0 to IIS 7.5", "~ b: as in serial 1"})
	wantEqual(t, "steps", ops(p), []string{"put config/features.d/b.config", "reload the host", "probe b: its modules are loaded"})
	if !reflect.DeepEqual(p.After.Features, past.Features) || p.After.Level != "7.5" {
		t.Errorf("after: %+v\nwant: %+v", p.After.Features, past.Features)
	}
	d.carry(p)
	back := commit(p)
	if p := build(t, newer, back, plan.Request{To: &past}, f); !p.Empty() {
		t.Errorf("returning twice changes %v %v", changes(p), ops(p))
	}

	// Content that nobody kept is a refusal, not a surprise in the middle.
	_, diags, err := plan.Build(newer, now, plan.Request{To: &past}, d2(d, now).facts())
	var refused *features.RefusedError
	if !errors.As(err, &refused) || refused.Problems[0].Code != "content-missing" || !diags.HasErrors() {
		t.Errorf("got %v, %v", diags, err)
	}
}

// d2 is a disk with the files of a state.
func d2(d disk, s state.State) disk {
	out := disk{}
	for k, v := range d {
		out[k] = v
	}
	for _, f := range s.Features {
		for _, file := range f.Files {
			out[file.Path] = file.SHA256
		}
	}
	return out
}

func TestReturnAddsAndRemoves(t *testing.T) {
	c := two(t, "one", "two")
	withA, _ := installed(t, c, "a")
	withB, d := installed(t, c, "b")
	withB.Serial = 2
	f := d.facts()
	f.Sockets = map[features.ID]int{"b": 3}
	p := build(t, c, withB, plan.Request{To: &withA}, f)
	wantEqual(t, "changes", changes(p), []string{"* a: was required, now requested", "- b: not in serial 1"})
	if p.Cuts != 3 || p.Changes[1].Sockets != 3 || ops(p)[len(p.Steps)-1] != "close the sockets of b" {
		t.Errorf("cuts %d, %v", p.Cuts, ops(p))
	}
	d.carry(p)
	p = build(t, c, commit(p), plan.Request{To: &withB}, d.facts())
	wantEqual(t, "changes", changes(p), []string{"* a: was requested, now required", "+ b: as in serial 2"})

	for name, r := range map[string]plan.Request{
		"install": {To: &withA, Wish: features.Wish{Install: []features.ID{"b"}}},
		"level":   {To: &withA, Level: "8.5"},
	} {
		_, diags, err := plan.Build(c, withB, r, f)
		if err == nil || diags[0].Code != "usage" {
			t.Errorf("%s together with a return: %v, %v", name, diags, err)
		}
	}
	broken := withB
	broken.Features = withB.Features[1:] // b without a
	if _, diags, err := plan.Build(c, withA, plan.Request{To: &broken}, f); err == nil || diags[0].Code != "required" {
		t.Errorf("a past state that does not hold today: %v, %v", diags, err)
	}
	ghost := withA
	ghost.Features = append(slices.Clone(withA.Features), state.Feature{ID: "ghost", Reason: "requested", Version: "0.9"})
	if _, diags, err := plan.Build(c, withA, plan.Request{To: &ghost}, f); err == nil || diags[0].Code != "unknown" {
		t.Errorf("a past state with an unknown unit: %v, %v", diags, err)
	}
}

func TestUnknownFeaturesAreKept(t *testing.T) {
	c := two(t, "one", "two")
	s, d := installed(t, c, "a")
	ghost := state.Feature{ID: "aa-ghost", Reason: "requested", Version: "9.0", Files: []state.File{{Path: "config/features.d/aa-ghost.config", SHA256: "x"}}}
	s.Features = append(s.Features, ghost)
	p, diags, err := plan.Build(c, s, install("b"), d.facts())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(p.After.Features, func(f state.Feature) bool { return reflect.DeepEqual(f, ghost) }) {
		t.Errorf("after: %+v", p.After.Features)
	}
	wantEqual(t, "diagnostics", codes(diags), []string{"warning unknown-feature "})
	if !slices.IsSortedFunc(p.After.Features, func(a, b state.Feature) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("features are not in order")
	}
}

func TestBuildIsPure(t *testing.T) {
	c := bundled(t)
	d := disk{}
	s := commit(build(t, c, state.State{Level: "8.0"}, install("websocket"), d.facts()))
	before, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	first := build(t, c, s, remove("websocket"), d.facts())
	second := build(t, c, s, remove("websocket"), d.facts())
	if !reflect.DeepEqual(first, second) {
		t.Error("the same request gives two plans")
	}
	if after, err := json.Marshal(s); err != nil || string(after) != string(before) {
		t.Errorf("the state was changed: %v\n%s\n%s", err, before, after)
	}
}

func TestPlanSurvivesJSON(t *testing.T) {
	p := build(t, bundled(t), state.State{Level: "8.0"}, install("websocket"), disk{}.facts())
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	p.After = state.State{}
	if !reflect.DeepEqual(p, back) {
		t.Errorf("got  %+v\nwant %+v", back, p)
	}
}

func TestDescribe(t *testing.T) {
	for _, tt := range []struct {
		step plan.Step
		want string
	}{
		{plan.Step{Op: plan.Probe, Unit: "websocket", Probe: &features.Probe{Kind: features.ProbeWebSocket, Path: "/echo"}},
			"probe websocket: handshake and echo on /echo"},
		{plan.Step{Op: plan.Probe, Unit: "x", Probe: &features.Probe{Kind: features.ProbeHTTP, Path: "/probe.txt"}}, "probe x: GET /probe.txt"},
		{plan.Step{Op: plan.Probe, Unit: "x"}, "probe x"},
		{plan.Step{Op: plan.CloseSockets, Units: []features.ID{"a", "b"}}, "close the sockets of a, b"},
		{plan.Step{Op: "dance"}, `unknown step "dance"`},
	} {
		if got := plan.Describe(tt.step); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestBundledTree holds the units with folders to the same table as the tree, which package features cannot.
func TestBundledTree(t *testing.T) {
	c := bundled(t)
	f, err := os.Open("../../features/testdata/tree.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var names []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		col := strings.Split(s.Text(), "\t")
		names = append(names, col[0])
		u, err := c.Find(col[0])
		if err != nil {
			t.Error(err)
			continue
		}
		parent, _ := c.Unit(u.Parent)
		if u.Title != col[1] || parent.WindowsName != col[2] || u.Default != (col[3] == "default") || u.DISMName != col[5] {
			t.Errorf("%s: got %q, %q, %v, %q; want %q", col[0], u.Title, parent.WindowsName, u.Default, u.DISMName, col[1:])
		}
		if u.Unavailable == nil && !u.Group && u.Probe.Kind == features.ProbeNone {
			t.Errorf("%s can be installed and not be proven", u.ID)
		}
	}
	var order []string
	for _, u := range c.Units() {
		if u.WindowsName != "" {
			order = append(order, u.WindowsName)
		}
	}
	wantEqual(t, "display order", order, names)
}
