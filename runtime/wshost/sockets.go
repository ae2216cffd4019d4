package wshost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Unix socket's path holds at most 107 bytes; a home folder's path may be longer. Both sides therefore go through a
// descriptor of the run folder: /proc/self/fd/N/admin.sock is short wherever the home is.

// runFolder is an open run folder.
type runFolder struct{ f *os.File }

func openRunFolder(home string) (*runFolder, error) {
	f, err := os.OpenFile(filepath.Join(home, runDir), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &runFolder{f}, nil
}

func (r *runFolder) close() { _ = r.f.Close() }

// socket returns a short path of the admin socket, valid in this process while r is open.
func (r *runFolder) socket() string {
	return "/proc/self/fd/" + strconv.Itoa(int(r.f.Fd())) + "/" + socketName
}

// listen replaces the admin socket, which must be nobody's: the caller has the home's lock. The socket is 0600 from
// the moment it has a name: the kernel takes the mode of the unnamed socket, less the umask, when it makes the file.
func (r *runFolder) listen() (*net.UnixListener, error) {
	fd := int(r.f.Fd())
	if err := unix.Unlinkat(fd, socketName, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return nil, fmt.Errorf("remove the old admin socket: %w", err)
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), 0o600) }); cerr != nil {
			return cerr
		}
		return err
	}}
	l, err := lc.Listen(context.Background(), "unix", r.socket())
	if err != nil {
		return nil, fmt.Errorf("open the admin socket: %w", err)
	}
	ln := l.(*net.UnixListener)
	ln.SetUnlinkOnClose(false) // its path is not valid for ever; remove does it
	var st unix.Stat_t
	if err := unix.Fstatat(fd, socketName, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil || st.Mode&0o777&^0o600 != 0 {
		_ = ln.Close()
		r.remove()
		return nil, fmt.Errorf("the admin socket could not be made private (mode %o): %w", st.Mode&0o777, errors.Join(err, os.ErrPermission))
	}
	return ln, nil
}

// remove removes the admin socket.
func (r *runFolder) remove() { _ = unix.Unlinkat(int(r.f.Fd()), socketName, 0) }

// dialAdmin connects to the admin socket of a home; ErrNotRunning when nobody listens there.
func dialAdmin(ctx context.Context, home string) (net.Conn, error) {
	r, err := openRunFolder(home)
	if err != nil {
		return nil, notRunning(home, err)
	}
	defer r.close()
	c, err := new(net.Dialer).DialContext(ctx, "unix", r.socket())
	if err != nil {
		return nil, notRunning(home, err)
	}
	return c, nil
}

// notRunning says that no host runs when that is what err means: no socket, or one that nobody listens on.
func notRunning(home string, err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED) {
		return fmt.Errorf("%w: %q", ErrNotRunning, home)
	}
	return fmt.Errorf("connect to the host of %q: %w", home, plainErrno(err))
}

// plainErrno leaves the descriptor's path, which tells nobody anything, out of a message.
func plainErrno(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// peerListener accepts only from the host's own user and from root, whatever became of the socket's mode.
type peerListener struct {
	*net.UnixListener
	allowed func(uid uint32) bool
}

// Accept returns the next connection of somebody who may administer the host.
func (l *peerListener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if uid, err := peerUID(c); err == nil && l.allowed(uid) {
			return c, nil
		}
		_ = c.Close()
	}
}

// administrators allows the user own and root.
func administrators(own uint32) func(uint32) bool {
	return func(uid uint32) bool { return uid == own || uid == 0 }
}

// peerUID returns the effective user id that the peer had when it connected.
func peerUID(c *net.UnixConn) (uint32, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	var cerr error
	if err := raw.Control(func(fd uintptr) { cred, cerr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return 0, err
	}
	if cerr != nil {
		return 0, cerr
	}
	return cred.Uid, nil
}
