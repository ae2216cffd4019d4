package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// Recover finishes or undoes an interrupted transaction under the lock. With nothing to recover it writes nothing.
// Which of the two is not a guess: the transaction was committed exactly when the state names it. Errors:
// *state.LockedError, *state.FormatError, *IncompleteError, and others when the disk fails; all leave the transaction
// pending.
func Recover(ctx context.Context, o Options) (Recovery, error) {
	o = o.withDefaults()
	if !anythingLeft(o) {
		return Recovery{}, nil
	}
	unlock, err := o.Store.Lock(o.Command, o.Wait)
	if err != nil {
		return Recovery{}, err
	}
	defer unlock()
	return recoverLocked(ctx, o)
}

// anythingLeft reports whether a transaction left anything behind.
func anythingLeft(o Options) bool {
	for _, name := range [...]string{txnDir, txnNewDir, txnOldDir} {
		if _, err := o.FS.Lstat(filepath.Join(o.Home, journalDir, name)); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// Pending reports whether an interrupted transaction waits for Recover, and what Recover would do. A transaction that
// is under way in another process is not pending. It takes no lock and writes nothing.
func Pending(home string, disk atomicfile.FS) (Recovery, bool, error) {
	store := state.NewStore(home, disk, nil)
	if _, held := store.Holder(); held {
		return Recovery{}, false, nil
	}
	p, err := readPending(home, disk)
	if err != nil {
		return Recovery{}, true, err
	}
	if p == nil || p.ended {
		return Recovery{}, false, nil
	}
	r := Recovery{Transaction: p.begin.Transaction, Command: p.begin.Command}
	if p.begin.BaseSerial == 0 {
		if _, err := disk.Lstat(filepath.Join(home, "state.toml")); errors.Is(err, fs.ErrNotExist) {
			r.Undone = true
			return r, true, nil
		}
	}
	current, err := store.Read()
	if err != nil {
		return r, true, err
	}
	r.Finished = current.LastTransaction == p.begin.Transaction
	r.Undone = !r.Finished
	return r, true, nil
}

// recoverLocked is Recover for whoever holds the lock.
func recoverLocked(ctx context.Context, o Options) (Recovery, error) {
	if err := errors.Join(removeAll(o.FS, filepath.Join(o.Home, journalDir, txnNewDir)), discardOld(o)); err != nil {
		return Recovery{}, fmt.Errorf("remove what a transaction left: %w", err)
	}
	p, err := readPending(o.Home, o.FS)
	if err != nil || p == nil {
		return Recovery{}, err
	}
	if p.ended {
		return Recovery{}, dropJournal(o)
	}
	current, err := o.Store.Read()
	if err != nil {
		return Recovery{}, err
	}
	r := Recovery{Transaction: p.begin.Transaction, Command: p.begin.Command}
	switch {
	case current.LastTransaction == p.begin.Transaction:
		r.Finished = true
		r.Warnings = finishPending(ctx, o, p)
	case current.Serial == p.begin.BaseSerial && current.LastTransaction == p.begin.BaseTransaction:
		r.Warnings, err = undoPending(ctx, o, p)
		if err != nil {
			return Recovery{}, err
		}
		r.Undone = true
	default:
		return Recovery{}, foreign(o, p, current)
	}
	emit(o, Event{Kind: EventEnd})
	return r, nil
}

// finishPending finishes a committed transaction.
func finishPending(ctx context.Context, o Options, p *pending) []string {
	w, err := reopen(o.Home, o.FS, p)
	if err != nil {
		return []string{fmt.Sprintf("the journal of the finished transaction is still there: %v", err)}
	}
	defer func() { _ = w.file.Close() }()
	_, warnings := finish(ctx, o, &p.begin, w, true)
	return warnings
}

// undoPending undoes a transaction that was not committed.
func undoPending(ctx context.Context, o Options, p *pending) (warnings []string, err error) {
	cause := fmt.Errorf("it was interrupted: %q", p.begin.Command)
	if left := undo(o, &p.begin); len(left) > 0 {
		return nil, &IncompleteError{Err: cause, Files: left}
	}
	for _, s := range p.begin.Plan.Steps {
		if s.Op != plan.Reload || o.Host == nil {
			continue
		}
		ctx, cancel := detached(ctx)
		defer cancel()
		if err := o.Host.Reload(ctx); err != nil {
			warnings = append(warnings, fmt.Sprintf("the host did not take the restored files: %v", err))
		}
		break
	}
	w, err := reopen(o.Home, o.FS, p)
	if err != nil {
		return nil, fmt.Errorf("end the journal: %w", err)
	}
	if err := closeJournal(o, w, "rolled-back"); err != nil {
		return nil, fmt.Errorf("end the journal: %w", err)
	}
	return warnings, nil
}

// foreign is a state that is neither the one before the transaction nor the one after it: someone has put another
// state.toml there. Both ways could destroy something, so a person has to say.
func foreign(o Options, p *pending, current state.State) error {
	err := fmt.Errorf("state.toml has serial %d and transaction %q, which is neither the state before the interrupted transaction %q nor the one after it; put the right state.toml back",
		current.Serial, current.LastTransaction, p.begin.Transaction)
	return &IncompleteError{Err: err}
}

// finish does what may only be done after the commit: it closes sockets, keeps what a person had changed, and removes
// the journal. Whatever fails becomes a warning and, where it matters, leaves the journal for the next command. again
// tells that this is that next command: then sockets that still do not close do not stand in the way any longer.
func finish(ctx context.Context, o Options, b *begin, w *writer, again bool) (closed int, warnings []string) {
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	if err := o.FS.Remove(atomicfile.TempName(filepath.Join(o.Home, "state.toml"))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		warn("a temporary file is still there: %v", err)
	}
	// The process that renamed state.toml may have died, or failed, before syncing the folder. As long as the rename
	// can be lost the journal must stay, since it is what undoes the steps then.
	if err := o.FS.SyncDir(o.Home); err != nil {
		warn("the new state may not survive a power cut: %v", err)
		return 0, warnings
	}
	for i, s := range b.Plan.Steps {
		if s.Op != plan.CloseSockets || o.Host == nil {
			continue
		}
		emit(o, Event{Kind: EventStep, N: i + 1, Total: len(b.Plan.Steps), Step: &s})
		ctx, cancel := detached(ctx)
		n, err := o.Host.CloseSockets(ctx, s)
		cancel()
		closed += n
		if err != nil {
			warn("sockets could not be closed: %v", err)
			if !again {
				return closed, warnings
			}
			continue
		}
		emit(o, Event{Kind: EventStepDone, N: i + 1, Total: len(b.Plan.Steps), Step: &s, Detail: fmt.Sprintf("%d closed", n)})
	}
	for _, e := range b.Manifest {
		if !e.Changed {
			continue
		}
		kept, err := saveChanged(o, b, e)
		if err != nil {
			warn("%q was changed by hand and its content is still in the journal: %v", e.Path, err)
			return closed, warnings
		}
		warn("%q was changed by hand; its content before is kept in %q", e.Path, kept)
	}
	if err := closeJournal(o, w, "committed"); err != nil {
		warn("the journal of the finished transaction is still there: %v", err)
		return closed, warnings
	}
	if err := o.Store.Prune(); err != nil {
		warn("old records could not be removed: %v", err)
	}
	return closed, warnings
}

// saveChanged keeps the pre-image of a file that a person had changed, under a name that tells which it was.
func saveChanged(o Options, b *begin, e entry) (string, error) {
	dir := filepath.Join(o.Home, journalDir, savedDir)
	if err := atomicfile.MkdirAll(o.FS, dir, 0o755); err != nil {
		return "", err
	}
	to := filepath.Join(dir, fmt.Sprintf("%s-%s-%s", b.Transaction, e.PreImage, path.Base(e.Path)))
	err := o.FS.Rename(filepath.Join(o.Home, journalDir, txnDir, e.PreImage), to)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = o.FS.Lstat(to) // done before a crash
	}
	if err != nil {
		return "", err
	}
	return to, o.FS.SyncDir(dir)
}

// closeJournal writes the end record and removes the journal. The record is not synced and may fail: it only spares
// the next command to repeat what is harmless to repeat.
func closeJournal(o Options, w *writer, outcome string) error {
	_ = w.add(record{Type: recordEnd, Outcome: outcome})
	_ = w.file.Close()
	return dropJournal(o)
}

// dropJournal takes the journal its name and then removes it.
func dropJournal(o Options) error {
	if err := discardOld(o); err != nil {
		return err
	}
	dir := filepath.Join(o.Home, journalDir)
	if err := o.FS.Rename(filepath.Join(dir, txnDir), filepath.Join(dir, txnOldDir)); err != nil {
		return err
	}
	return discardOld(o)
}

// discardOld removes what is left of a journal that has lost its name. That it lost it is made durable first, also
// when someone else renamed it and died: a journal that came back after a power cut would undo what was done since,
// or come back without its content.
func discardOld(o Options) error {
	dir := filepath.Join(o.Home, journalDir)
	old := filepath.Join(dir, txnOldDir)
	if _, err := o.FS.Lstat(old); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := o.FS.SyncDir(dir); err != nil {
		return err
	}
	return removeAll(o.FS, old)
}

// removeAll removes a folder of files; it is fine when there is none.
func removeAll(disk atomicfile.FS, dir string) error {
	entries, err := disk.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := disk.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return disk.Remove(dir)
}
