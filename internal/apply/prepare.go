package apply

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// entry is one name that the transaction changes: what was there before, and what it puts there.
type entry struct {
	Path     string   `json:"path"`
	Step     int      `json:"step"` // first step that touches it, from 1
	Dir      bool     `json:"dir,omitempty"`
	Seed     bool     `json:"seed,omitempty"`
	SHA256   string   `json:"sha256,omitempty"`    // of the content before; "" when there was nothing
	Mode     uint32   `json:"mode,omitempty"`      // permission bits before
	PreImage string   `json:"pre_image,omitempty"` // name of the file in journal/txn with the content before
	Puts     []string `json:"puts,omitempty"`      // SHA-256 of everything that the transaction puts there
	Changed  bool     `json:"changed,omitempty"`   // the content before is not what was recorded: a person's work
}

// transaction is a plan that is being carried out, under the lock.
type transaction struct {
	o        Options
	plan     plan.Plan
	begin    begin
	next     state.State
	contents map[int][]byte  // by index of a put-file step
	skip     map[int]bool    // seeds that are left alone, by index
	pre      []found         // by index in the manifest
	index    map[string]int  // of the manifest, by path
	dirty    map[string]bool // folders whose entries are not synced yet
	journal  *writer
	named    bool // the journal has its name: from here on there is something to undo
	reloaded bool // the host may serve what is not committed
}

// checkPlan refuses a plan that no Build makes, before anything is locked or written.
func checkPlan(p plan.Plan) error {
	if p.Version != 1 {
		return fmt.Errorf("the plan has format version %d; this rolemgr carries out version 1", p.Version)
	}
	recorded := make(map[string]bool)
	for _, f := range p.After.Features {
		recorded[f.ID] = true
	}
	for _, c := range p.Changes {
		// A plan that was saved and loaded has lost its outcome.
		if c.Action == plan.Add && !recorded[string(c.Unit)] || c.Action == plan.Remove && recorded[string(c.Unit)] {
			return fmt.Errorf("the plan and its outcome disagree on %q; plan again", c.Unit)
		}
	}
	for i, s := range p.Steps {
		if err := checkStep(s); err != nil {
			return fmt.Errorf("step %d of the plan: %w", i+1, err)
		}
	}
	return nil
}

func checkStep(s plan.Step) error {
	switch s.Op {
	case plan.MakeDir, plan.RemoveFile:
		return state.CheckPath(s.Path)
	case plan.PutFile:
		if !state.ValidHash(s.SHA256) {
			return fmt.Errorf("%q is not a SHA-256 in lower-case hexadecimal", s.SHA256)
		}
		return state.CheckPath(s.Path)
	case plan.Probe:
		if s.Probe == nil {
			return errors.New("the step says nothing to probe")
		}
		return nil
	case plan.Reload, plan.CloseSockets:
		return nil
	}
	return fmt.Errorf("the op %q is not known", s.Op)
}

// prepare gathers everything that the transaction needs and that is needed to undo it, and changes nothing.
func prepare(o Options, p plan.Plan, current state.State) (*transaction, error) {
	now := o.Now().UTC().Truncate(time.Second)
	id, err := newID(now)
	if err != nil {
		return nil, err
	}
	t := &transaction{
		o: o, plan: p, contents: make(map[int][]byte), skip: make(map[int]bool),
		index: make(map[string]int), dirty: make(map[string]bool), next: nextState(p, current, id, now, o.Version),
	}
	after, err := state.Encode(t.next)
	if err != nil {
		return nil, err
	}
	t.begin = begin{
		Version: journalVersion, Transaction: id, Time: now, Command: o.Command, WrittenBy: o.Version,
		BaseSerial: current.Serial, BaseTransaction: current.LastTransaction, Plan: p, After: string(after),
	}
	recorded := make(map[string]string)
	for _, f := range current.Features {
		for _, file := range f.Files {
			recorded[file.Path] = file.SHA256
		}
	}
	for i, s := range p.Steps {
		if err := t.prepareStep(i, s); err != nil {
			return nil, fmt.Errorf("%s is not possible: %w", describe(s), err)
		}
	}
	for i := range t.begin.Manifest {
		e := &t.begin.Manifest[i]
		was, known := recorded[e.Path]
		e.Changed = e.SHA256 != "" && (!known || was != e.SHA256) && !slices.Contains(e.Puts, e.SHA256)
		if e.SHA256 != "" {
			e.PreImage = fmt.Sprintf("pre-%04d", i+1)
		}
	}
	return t, nil
}

func (t *transaction) prepareStep(i int, s plan.Step) error {
	if s.Op != plan.MakeDir && s.Op != plan.PutFile && s.Op != plan.RemoveFile {
		return nil
	}
	at, err := inspect(t.o.Home, t.o.FS, s.Path)
	if link := (*linkError)(nil); errors.As(err, &link) && (s.Seed || t.isLinkedDir(s)) {
		t.skip[i] = true // what a person linked is a person's
		return nil
	}
	if err != nil {
		return err
	}
	_, touched := t.index[s.Path]
	full := filepath.Join(t.o.Home, s.Path)
	switch s.Op {
	case plan.MakeDir:
		if at.kind == file {
			return fmt.Errorf("%q is a file", full)
		}
		t.makeDirs(i, s.Path)
		return nil
	case plan.RemoveFile:
		if at.kind == folder {
			return fmt.Errorf("%q is a folder", full)
		}
		if at.kind == file {
			t.touch(i, s, at)
		}
		return nil
	}
	if s.Seed && at.kind != absent {
		t.skip[i] = true
		return nil
	}
	if at.kind == folder {
		return fmt.Errorf("%q is a folder", full)
	}
	data, err := t.o.Content(s.SHA256)
	if err != nil {
		return err
	}
	if hashOf(data) != s.SHA256 {
		return fmt.Errorf("its content is not what the plan says (SHA-256 %s)", s.SHA256)
	}
	t.contents[i] = data
	if !touched {
		t.makeDirs(i, path.Dir(s.Path))
	}
	t.touch(i, s, at)
	return nil
}

// isLinkedDir reports whether a make-dir step names a link to a folder, which serves as the folder.
func (t *transaction) isLinkedDir(s plan.Step) bool {
	if s.Op != plan.MakeDir {
		return false
	}
	if dir := path.Dir(s.Path); dir != "." {
		if _, err := inspect(t.o.Home, t.o.FS, dir); err != nil {
			return false
		}
	}
	_, err := t.o.FS.ReadDir(filepath.Join(t.o.Home, s.Path))
	return err == nil
}

// touch enters a file into the manifest, once.
func (t *transaction) touch(i int, s plan.Step, at found) {
	n, ok := t.index[s.Path]
	if !ok {
		n = len(t.begin.Manifest)
		t.index[s.Path] = n
		t.begin.Manifest = append(t.begin.Manifest, entry{
			Path: s.Path, Step: i + 1, Seed: s.Seed, SHA256: at.hash, Mode: uint32(at.perm),
		})
		t.pre = append(t.pre, at)
	}
	if s.Op == plan.PutFile {
		t.begin.Manifest[n].Puts = append(t.begin.Manifest[n].Puts, s.SHA256)
	}
}

// makeDirs enters a folder and the missing ones above it into the manifest, outermost first.
func (t *transaction) makeDirs(i int, dir string) {
	if dir == "." {
		return
	}
	t.makeDirs(i, path.Dir(dir))
	if _, ok := t.index[dir]; ok {
		return
	}
	if _, err := t.o.FS.Lstat(filepath.Join(t.o.Home, dir)); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	t.index[dir] = len(t.begin.Manifest)
	t.begin.Manifest = append(t.begin.Manifest, entry{Path: dir, Step: i + 1, Dir: true})
	t.pre = append(t.pre, found{})
}

// blobs returns the content that the next state names, to be kept for as long as it can be returned to.
func (t *transaction) blobs() [][]byte {
	var all [][]byte
	for i, s := range t.plan.Steps {
		if data, ok := t.contents[i]; ok && !s.Seed {
			all = append(all, data)
		}
	}
	return all
}

// start makes everything durable that undoing needs, before the first step.
//
// The textbook way is one synced intent and one synced pre-image before each step. Here the intents of all steps (the
// plan and the manifest in the begin record) and all pre-images become durable together: after a crash at any later
// moment everything that a step could have overwritten is in the journal, which is all that an intent is for. Which
// of the steps were done is not recorded but seen: undoing compares what is there with the manifest. The rename from
// txn.new makes it all or nothing, and costs fewer syncs the more steps there are.
func (t *transaction) start() error {
	dir := filepath.Join(t.o.Home, journalDir)
	if err := t.o.Store.KeepBlobs(t.blobs()); err != nil {
		return err
	}
	fresh := filepath.Join(dir, txnNewDir)
	if err := t.o.FS.Mkdir(fresh, 0o755); err != nil {
		return err
	}
	for i, e := range t.begin.Manifest {
		if e.PreImage == "" {
			continue
		}
		if err := create(t.o.FS, filepath.Join(fresh, e.PreImage), t.pre[i].data); err != nil {
			return fmt.Errorf("keep the content of %q: %w", e.Path, err)
		}
	}
	f, err := t.o.FS.Append(filepath.Join(fresh, journalFile), 0o644)
	if err != nil {
		return err
	}
	t.journal = &writer{disk: t.o.FS, name: filepath.Join(dir, txnDir, journalFile), file: f}
	if err := t.journal.add(record{Type: recordBegin, Begin: &t.begin}); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := t.o.FS.SyncDir(fresh); err != nil {
		return err
	}
	if err := t.o.FS.Rename(fresh, filepath.Join(dir, txnDir)); err != nil {
		return err
	}
	t.named = true
	if err := t.o.FS.SyncDir(dir); err != nil {
		return err
	}
	// The folder journal itself may be new, and whoever made it may have died before syncing its entry.
	return t.o.FS.SyncDir(t.o.Home)
}

// create writes a new file durably; its name is made durable by a later sync of the folder.
func create(disk atomicfile.FS, name string, data []byte) error {
	f, err := disk.Create(name, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// nextState fills in what a plan leaves open.
func nextState(p plan.Plan, current state.State, id string, now time.Time, version string) state.State {
	next := p.After
	next.Serial = current.Serial + 1
	next.LastTransaction = id
	next.Written = now
	next.WrittenBy = version
	if next.Level == "" {
		next.Level = string(p.Level)
	}
	if next.Level == "" {
		next.Level = current.Level
	}
	next.Features = slices.Clone(next.Features)
	for i := range next.Features {
		f := &next.Features[i]
		was := slices.IndexFunc(current.Features, func(c state.Feature) bool { return c.ID == f.ID })
		if was >= 0 && slices.Equal(current.Features[was].Files, f.Files) {
			// What this version did not renew keeps the record of the version that did.
			f.Version = cmp.Or(f.Version, current.Features[was].Version)
			if f.Installed.IsZero() {
				f.Installed = current.Features[was].Installed
			}
		}
		if f.Installed.IsZero() {
			f.Installed = now
		}
		if f.Version == "" {
			f.Version = version
		}
	}
	return next
}

// newID returns the id of a transaction: the time, to be read by people, and enough chance that no two are alike.
func newID(now time.Time) (string, error) {
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return now.Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:]), nil
}
