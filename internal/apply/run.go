package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/plan"
)

// hostTime bounds a reload and the closing of sockets, which a cancelled context must not cut in two.
const hostTime = time.Minute

// Run carries p out. Errors: *state.LockedError, *StaleError, *RolledBackError (everything was undone),
// *IncompleteError (something could not be undone), the error of Options.Check as it is, and others for what was
// refused before anything was written. Cancelling ctx finishes the current step and rolls back; only a probe, which
// changes nothing, is cut short. After the commit ctx means nothing. Run recovers an interrupted transaction first. A
// plan that changes nothing writes nothing: Result.Transaction is "".
func Run(ctx context.Context, p plan.Plan, o Options) (Result, error) {
	o = o.withDefaults()
	if err := checkPlan(p); err != nil {
		return Result{}, err
	}
	unlock, err := o.Store.Lock(o.Command, o.Wait)
	if err != nil {
		return Result{}, err
	}
	defer unlock()
	quiet := o
	quiet.Emit = func(Event) {} // the events are those of this transaction
	recovered, err := recoverLocked(ctx, quiet)
	if err != nil {
		return Result{}, fmt.Errorf("recover an interrupted transaction: %w", err)
	}
	if anythingLeft(o) {
		return Result{}, fmt.Errorf("the transaction %s is committed but cannot be finished: %s",
			recovered.Transaction, strings.Join(recovered.Warnings, "; "))
	}
	current, err := o.Store.Read()
	if err != nil {
		return Result{}, err
	}
	if current.Serial != p.BaseSerial {
		return Result{}, &StaleError{Planned: p.BaseSerial, Current: current.Serial}
	}
	if p.Empty() {
		return Result{State: current, Recovered: recovered}, nil
	}
	if o.Check != nil {
		if err := o.Check(ctx); err != nil {
			return Result{}, err
		}
	}
	t, err := prepare(o, p, current)
	if err != nil {
		return Result{}, &RolledBackError{Err: err}
	}
	t.emit(Event{Kind: EventBegin, Total: len(p.Steps)})
	r, err := t.run(ctx)
	end := Event{Kind: EventEnd}
	if err != nil {
		end.Err = err.Error()
	}
	t.emit(end)
	r.Recovered = recovered
	return r, err
}

// withDefaults fills in what may be nil.
func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = atomicfile.OS{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Emit == nil {
		o.Emit = func(Event) {}
	}
	return o
}

func (t *transaction) emit(e Event) { emit(t.o, e) }

func emit(o Options, e Event) {
	e.Time = o.Now()
	o.Emit(e)
}

// run is the transaction from its journal to its end.
func (t *transaction) run(ctx context.Context) (Result, error) {
	if err := t.start(); err != nil {
		return Result{}, t.rollBack(ctx, nil, fmt.Errorf("begin the transaction: %w", err))
	}
	defer func() { _ = t.journal.file.Close() }() // every record that matters was synced or is of no matter
	for i, s := range t.plan.Steps {
		if s.Op == plan.CloseSockets {
			continue
		}
		if err := ctx.Err(); err != nil {
			return Result{}, t.rollBack(ctx, nil, err)
		}
		t.emit(Event{Kind: EventStep, N: i + 1, Total: len(t.plan.Steps), Step: &s})
		detail, err := t.do(ctx, i, s)
		if err == nil {
			err = t.journal.add(record{Type: recordDone, Step: i + 1})
		}
		if err != nil {
			return Result{}, t.rollBack(ctx, &s, err)
		}
		t.emit(Event{Kind: EventStepDone, N: i + 1, Total: len(t.plan.Steps), Step: &s, Detail: detail})
	}
	// All that the steps did is made durable here at once: the next thing is the commit, which must not be seen
	// without them.
	if err := syncDirs(t.o, t.dirty); err != nil {
		return Result{}, t.rollBack(ctx, nil, err)
	}
	if err := ctx.Err(); err != nil {
		return Result{}, t.rollBack(ctx, nil, err)
	}
	return t.commit(ctx)
}

// do carries out one step and returns what was seen.
func (t *transaction) do(ctx context.Context, i int, s plan.Step) (detail string, err error) {
	full := filepath.Join(t.o.Home, filepath.FromSlash(s.Path))
	switch s.Op {
	case plan.MakeDir:
		if t.skip[i] {
			return "left as it is", nil
		}
		return "", t.mkdir(s.Path, perm(s.Mode, 0o755))
	case plan.PutFile:
		return t.put(i, s, full)
	case plan.RemoveFile:
		if _, ok := t.index[s.Path]; !ok {
			return "was not there", nil
		}
		if _, err := inspect(t.o.Home, t.o.FS, s.Path); err != nil {
			return "", err
		}
		if err := t.o.FS.Remove(full); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		t.dirty[filepath.Dir(full)] = true
		return "", nil
	case plan.Reload:
		t.reloaded = true
		ctx, cancel := detached(ctx)
		defer cancel()
		return "", t.o.Host.Reload(ctx)
	case plan.Probe:
		return t.o.Host.Probe(ctx, s)
	}
	return "", fmt.Errorf("the op %q is not known", s.Op)
}

// put writes a file of rolemgr's, or seeds one that is not there.
func (t *transaction) put(i int, s plan.Step, full string) (detail string, err error) {
	if t.skip[i] {
		return "left as it is", nil
	}
	// Looked at again: since the pre-images were taken a person may have put a link or a file there.
	at, err := inspect(t.o.Home, t.o.FS, s.Path)
	if err != nil {
		return "", err
	}
	if s.Seed && at.kind != absent {
		return "left as it is", nil
	}
	if at.kind == folder {
		return "", fmt.Errorf("%q is a folder", full)
	}
	if dir := path.Dir(s.Path); dir != "." {
		if err := t.mkdir(dir, 0o755); err != nil {
			return "", err
		}
	}
	if err := atomicfile.Replace(t.o.FS, full, t.contents[i], perm(s.Mode, 0o644)); err != nil {
		return "", err
	}
	t.dirty[filepath.Dir(full)] = true
	return "", nil
}

// mkdir makes the folders that the manifest lists.
func (t *transaction) mkdir(dir string, mode fs.FileMode) error {
	if parent := path.Dir(dir); parent != "." {
		if err := t.mkdir(parent, 0o755); err != nil {
			return err
		}
	}
	if _, ok := t.index[dir]; !ok {
		return nil // it was there
	}
	full := filepath.Join(t.o.Home, filepath.FromSlash(dir))
	if err := t.o.FS.Mkdir(full, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	t.dirty[filepath.Dir(full)] = true
	return nil
}

func perm(mode uint32, otherwise fs.FileMode) fs.FileMode {
	if p := fs.FileMode(mode).Perm(); p != 0 {
		return p
	}
	return otherwise
}

// detached is a context that outlives the caller's, with a bound of its own.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), hostTime)
}

// syncDirs makes the entries of folders durable, in order, and forgets the ones that are.
func syncDirs(o Options, dirs map[string]bool) error {
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := o.FS.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(dirs, dir)
	}
	return nil
}

// commit writes the state and then finishes what may only happen when it is certain.
func (t *transaction) commit(ctx context.Context) (Result, error) {
	werr := t.o.Store.Write(t.next)
	if werr != nil {
		// The rename may have happened; what counts is what a reader sees.
		seen, err := t.o.Store.Read()
		if err != nil {
			return Result{}, &IncompleteError{Err: errors.Join(werr, err)}
		}
		if seen.LastTransaction != t.begin.Transaction {
			return Result{}, t.rollBack(ctx, nil, werr)
		}
	}
	t.emit(Event{Kind: EventCommit, Serial: t.next.Serial})
	closed, warnings := finish(ctx, t.o, &t.begin, t.journal, false)
	return Result{Transaction: t.begin.Transaction, State: t.next, Closed: closed, Warnings: warnings}, nil
}

// rollBack undoes everything and returns the error to give back.
func (t *transaction) rollBack(ctx context.Context, failed *plan.Step, cause error) error {
	if !t.named {
		// No step was begun. What is left of the journal is removed by the next transaction when it cannot be now.
		if t.journal != nil {
			_ = t.journal.file.Close()
		}
		_ = removeAll(t.o.FS, filepath.Join(t.o.Home, journalDir, txnNewDir))
		_ = t.o.Store.Prune() // gives a full disk back what was kept for a state that never came
		return &RolledBackError{Err: cause}
	}
	left := undo(t.o, &t.begin)
	if t.reloaded {
		ctx, cancel := detached(ctx)
		defer cancel()
		switch err := t.o.Host.Reload(ctx); {
		case err == nil:
		case err.Error() == cause.Error():
			cause = fmt.Errorf("%w; it was so before the change, too", cause)
		default:
			cause = fmt.Errorf("%w; and the host did not take the restored files: %w", cause, err)
		}
	}
	if len(left) > 0 {
		return &IncompleteError{Err: cause, Files: left}
	}
	if err := closeJournal(t.o, t.journal, "rolled-back"); err != nil {
		cause = fmt.Errorf("%w; and the journal could not be removed: %w", cause, err)
	}
	_ = t.o.Store.Prune()
	return &RolledBackError{Step: failed, Err: cause}
}
