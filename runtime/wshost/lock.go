package wshost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// runDir and the names in it, below the home folder.
const (
	runDir     = "run"
	lockName   = "host.lock"
	socketName = "admin.sock"
)

// homeLock is the lock of a home folder. It is a lock of the kernel, so it dies with its holder; the file stays, since
// removing it would let two hosts lock two files of one name.
type homeLock struct{ f *os.File }

// lockHome takes the lock of home without waiting; ErrRunning when somebody has it.
func lockHome(home string) (*homeLock, error) {
	dir := filepath.Join(home, runDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the run folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the host's lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %q%s", ErrRunning, home, holder(f))
		}
		return nil, fmt.Errorf("lock %q: %w", f.Name(), err)
	}
	// The process id is for people who look into the file; nothing depends on it.
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return &homeLock{f}, nil
}

// holder returns " (process N)" when the lock file tells a number.
func holder(f *os.File) string {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0)
	var pid int
	if _, err := fmt.Sscanf(string(b[:n]), "%d", &pid); err != nil || pid <= 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// release lets go of the home.
func (l *homeLock) release() {
	if l != nil {
		_ = l.f.Close() // closing the only descriptor releases the lock
	}
}
