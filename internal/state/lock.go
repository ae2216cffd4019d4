package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// holder is the content of the lock file: who holds the lock.
type holder struct {
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
}

// Lock takes the writer's lock, an OS lock that dies with the process. It waits for at most wait (0: not at all) and
// then fails with a *LockedError. The returned function releases it.
//
// The lock is flock(2) on journal/lock, a file of its own: state.toml is replaced and would take a lock with it. The
// file is never removed, since another process may already wait for the one that would be removed. It is not part of
// any transaction and is therefore not written through the store's disk.
func (s *Store) Lock(command string, wait time.Duration) (unlock func(), err error) {
	if err := atomicfile.MkdirAll(s.disk, s.path(), 0o755); err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	f, err := os.OpenFile(s.path(lockFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := s.acquire(f, wait); err != nil {
		_ = f.Close()
		return nil, err
	}
	if err := announce(f, command); err != nil {
		_ = f.Close() // releases the lock too
		return nil, fmt.Errorf("lock: %w", err)
	}
	return func() {
		// Best effort: a stale name of the holder is recognised by its process being gone. Unlocked before it is
		// closed, because a process that is just being started still shares the descriptor until its exec.
		_ = f.Truncate(0)
		_ = unix.Flock(int(f.Fd()), unix.LOCK_UN)
		_ = f.Close()
	}, nil
}

// acquire polls with a growing pause: a blocking flock cannot be given up without a thread and a signal.
func (s *Store) acquire(f *os.File, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	pause := 2 * time.Millisecond
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("lock: %w", err)
		}
		left := time.Until(deadline)
		if left <= 0 {
			return s.lockedBy()
		}
		time.Sleep(min(pause, left))
		pause = min(2*pause, 100*time.Millisecond)
	}
}

// lockedBy names the holder. Between taking the lock and saying so the file is empty or names the one before: that
// takes microseconds, so it is worth looking again a few times.
func (s *Store) lockedBy() *LockedError {
	for range 10 {
		if h, ok := s.Holder(); ok {
			return h
		}
		time.Sleep(2 * time.Millisecond)
	}
	return &LockedError{}
}

// Holder returns who holds the writer's lock, as far as can be told by reading: it takes no lock, so it cannot
// disturb a writer. A holder whose process is gone is none.
func (s *Store) Holder() (*LockedError, bool) {
	data, err := s.disk.ReadFile(s.path(lockFile))
	if err != nil {
		return nil, false
	}
	var h holder
	if json.Unmarshal(data, &h) != nil || h.PID <= 0 {
		return nil, false
	}
	if errors.Is(unix.Kill(h.PID, 0), unix.ESRCH) {
		return nil, false
	}
	return &LockedError{PID: h.PID, Since: h.Since, Command: h.Command}, true
}

// announce writes who holds the lock into its file.
func announce(f *os.File, command string) error {
	data, err := json.Marshal(holder{PID: os.Getpid(), Since: time.Now().UTC().Truncate(time.Second), Command: command})
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(data, '\n'), 0)
	return err
}
