package plan

import (
	"path"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/state"
)

// Permission bits. What the host serves and reads may be read by everybody who may enter the home; the folder of the
// admin socket is for the owner alone.
const (
	dirMode     = 0o755
	privateMode = 0o700
	fileMode    = 0o644
)

// settle compares one unit that stays or comes with what is there, and adds the change and the steps.
func (b *builder) settle(it item, p *Plan) {
	b.kept = append(b.kept, it.feature)
	was, _ := b.recorded(it.feature.ID)
	ch := Change{Unit: it.unit.ID, Title: it.unit.Title, Why: it.why}
	switch {
	case it.fresh:
		ch.Action = Add
		b.seed(it.unit)
		for _, f := range it.feature.Files {
			b.put(it.unit.ID, f)
			b.warnForeign(f)
		}
	case b.repair(it, was):
		ch.Action, ch.Why = Repair, b.repairReason(it, was)
		if it.refresh && ch.Why == it.stale {
			ch.Action = Refresh
		}
		// Whoever repairs the host also gets back the folders that it writes to.
		b.layout = b.layout || len(b.c.Seeds(it.unit.ID)) > 0
	case it.feature.Reason != was.Reason:
		ch.Action, ch.Why = Mark, "was "+was.Reason+", now "+it.feature.Reason
	case it.asked:
		ch.Action, ch.Why = Keep, "installed already"
	default:
		return
	}
	p.Changes = append(p.Changes, ch)
	if probe := it.unit.Probe; (ch.Action == Add || ch.Action == Repair || ch.Action == Refresh) && probe.Kind != features.ProbeNone {
		b.probes = append(b.probes, Step{Op: Probe, Unit: it.unit.ID, Probe: &probe})
	}
}

// repair adds the steps that make an installed unit's files what they should be, and warns of what was changed by
// hand. It reports whether there was anything to do.
func (b *builder) repair(it item, was state.Feature) bool {
	before := len(b.puts) + len(b.removals) + len(b.seeds)
	for _, f := range was.Files {
		if disk, known := b.disk(f.Path); known && disk != f.SHA256 {
			b.warnDrift(it, f, disk)
		}
	}
	if !it.settle {
		return false
	}
	b.reseed(it.unit)
	for _, f := range it.feature.Files {
		disk, known := b.disk(f.Path)
		if !known {
			disk = hashOf(was.Files, f.Path)
		}
		if disk != f.SHA256 {
			b.put(it.unit.ID, f)
		}
	}
	for _, f := range was.Files {
		if hashOf(it.feature.Files, f.Path) == "" {
			b.removeFile(it.unit.ID, f)
		}
	}
	// A record that differs while the disk is right already is mended by writing the state.
	return len(b.puts)+len(b.removals)+len(b.seeds) > before || !slices.Equal(was.Files, it.feature.Files)
}

// repairReason says why a unit's files are put again.
func (b *builder) repairReason(it item, was state.Feature) string {
	missing, changed := false, false
	for _, f := range was.Files {
		if disk, known := b.disk(f.Path); known {
			missing = missing || disk == ""
			changed = changed || disk != "" && disk != f.SHA256
		}
	}
	switch {
	case changed:
		return "its files were changed by hand"
	case missing, slices.ContainsFunc(b.seeds, func(s Step) bool { return s.Unit == it.unit.ID }):
		return "its files are missing"
	}
	return it.stale
}

// remove adds the change and the steps of a unit that goes.
func (b *builder) remove(d features.Drop, p *Plan) {
	sockets := b.facts.Sockets[d.ID]
	p.Changes = append(p.Changes, Change{
		Unit: d.ID, Title: b.title(d.ID), Action: Remove, Why: d.Why, Sockets: sockets,
	})
	if sockets > 0 {
		p.Cuts += sockets
		b.cut = append(b.cut, d.ID)
	}
	was, _ := b.recorded(string(d.ID))
	for _, f := range was.Files {
		if disk, known := b.disk(f.Path); known && disk != "" && disk != f.SHA256 {
			b.diags = append(b.diags, diag.Diagnostic{
				Severity: diag.Warning, Code: "changed-by-hand", Pos: f.Path,
				Summary: "it was changed by hand and is removed with " + b.title(d.ID),
				Hint:    "keep what you need of it in config/applicationHost.config, which is yours",
			})
		}
		b.removeFile(d.ID, f)
	}
}

// disk returns the hash of a file on the disk, and whether anything is known of the disk.
func (b *builder) disk(p string) (hash string, known bool) {
	if b.facts.Hash == nil {
		return "", false
	}
	return b.facts.Hash(p), true
}

// put adds a step that writes a file.
func (b *builder) put(id features.ID, f state.File) {
	b.puts = append(b.puts, Step{Op: PutFile, Unit: id, Path: f.Path, SHA256: f.SHA256, Mode: fileMode})
}

// removeFile adds a step that removes a file, unless it is known to be gone already.
func (b *builder) removeFile(id features.ID, f state.File) {
	if disk, known := b.disk(f.Path); !known || disk != "" {
		b.removals = append(b.removals, Step{Op: RemoveFile, Unit: id, Path: f.Path})
	}
}

// seed adds the steps for what a person will own, where nothing is yet.
func (b *builder) seed(u features.Unit) {
	for _, f := range b.c.Seeds(u.ID) {
		b.layout = true
		if disk, _ := b.disk(f.Path); disk == "" {
			b.seeds = append(b.seeds, Step{Op: PutFile, Unit: u.ID, Path: f.Path, SHA256: f.SHA256, Mode: fileMode, Seed: true})
		}
	}
}

// reseed adds the steps for configuration that a person lost: without config/applicationHost.config nothing can be
// served at all. Content that a person deleted stays deleted.
func (b *builder) reseed(u features.Unit) {
	for _, f := range b.c.Seeds(u.ID) {
		if disk, known := b.disk(f.Path); known && disk == "" && strings.HasPrefix(f.Path, "config/") {
			b.seeds = append(b.seeds, Step{Op: PutFile, Unit: u.ID, Path: f.Path, SHA256: f.SHA256, Mode: fileMode, Seed: true})
		}
	}
}

// hashOf returns the hash that a list of files has for a path, "" when it has none.
func hashOf(files []state.File, p string) string {
	i := slices.IndexFunc(files, func(f state.File) bool { return f.Path == p })
	if i < 0 {
		return ""
	}
	return files[i].SHA256
}

// warnDrift tells of a recorded file that is not what was recorded.
func (b *builder) warnDrift(it item, f state.File, disk string) {
	d := diag.Diagnostic{Severity: diag.Warning, Code: "changed-by-hand", Pos: f.Path, Summary: "it was changed by hand"}
	if disk == "" {
		d.Code, d.Summary = "missing-file", "it is missing"
	}
	switch {
	case !it.settle:
		d.Hint = "rolemgr install " + string(it.unit.ID) + " puts it back"
	case disk != "":
		d.Summary += " and is put back"
		d.Hint = "keep what you need of it in config/applicationHost.config, which is yours"
	default:
		d.Summary += " and is put back"
	}
	b.diags = append(b.diags, d)
}

// warnForeign tells of a file that is in the way of a new unit and was not put there by rolemgr.
func (b *builder) warnForeign(f state.File) {
	if disk, _ := b.disk(f.Path); disk == "" || disk == f.SHA256 {
		return
	}
	b.diags = append(b.diags, diag.Diagnostic{
		Severity: diag.Warning, Code: "foreign-file", Pos: f.Path,
		Summary: "it was not put there by rolemgr and is replaced",
		Hint:    "keep what you need of it in config/applicationHost.config, which is yours",
	})
}

// steps puts everything in order: folders, files, one reload, the proof, and after the commit the sockets.
func (b *builder) steps() []Step {
	steps := b.folders()
	steps = append(steps, b.seeds...)
	steps = append(steps, b.puts...)
	for _, s := range b.removals {
		// A file that another unit brings now stays.
		if !slices.ContainsFunc(b.kept, func(f state.Feature) bool { return hashOf(f.Files, s.Path) != "" }) {
			steps = append(steps, s)
		}
	}
	if slices.ContainsFunc(steps, func(s Step) bool { return s.Op == PutFile || s.Op == RemoveFile }) {
		steps = append(steps, Step{Op: Reload})
	}
	steps = append(steps, b.probes...)
	if len(b.cut) > 0 {
		steps = append(steps, Step{Op: CloseSockets, Units: b.cut})
	}
	return steps
}

// folders returns the steps that make the folders of the files, and with the host those that it writes to.
func (b *builder) folders() []Step {
	need := map[string]uint32{}
	add := func(dir string, mode uint32) {
		for ; dir != "."; dir = path.Dir(dir) {
			need[dir] = max(need[dir], mode)
		}
	}
	for _, s := range slices.Concat(b.seeds, b.puts) {
		add(path.Dir(s.Path), dirMode)
	}
	if b.layout {
		for _, dir := range []string{"config/features.d", "sites/default", "logs"} {
			add(dir, dirMode)
		}
		add("run", privateMode)
	}
	steps := []Step{}
	for _, dir := range sortedKeys(need) {
		if b.facts.Dir == nil || !b.facts.Dir(dir) {
			steps = append(steps, Step{Op: MakeDir, Path: dir, Mode: need[dir]})
		}
	}
	return steps
}

// sortedKeys returns the folders in order, a folder before those in it.
func sortedKeys(m map[string]uint32) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
