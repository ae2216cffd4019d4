package proxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/bench/proc"
	"github.com/rolemgr/rolemgr/bench/server"
)

// appCommand makes this program the application; main passes the rest of its command line to App.
const appCommand = "app"

// App is the application behind each proxy: this engine's echo, at the port that the environment variable PORT names. It
// binds itself to a processor and leaves the session of whoever started it: rolemgr starts it on its own, and Linux shares a
// processor out among sessions, so an application in the session of a busy proxy gets less of it than one beside that.
func App(args []string) error {
	if len(args) != 1 {
		return errors.New("app needs the number of a processor")
	}
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("app needs the number of a processor: %w", err)
	}
	if err := proc.PinSelf(cpu); err != nil {
		return err
	}
	if err := ownSession(); err != nil {
		return fmt.Errorf("leaving the session: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	return server.Echo(l)
}

// ownSession makes this process the first of a session, which it is already when run started it.
func ownSession() error {
	sid, err := unix.Getsid(0)
	if err != nil || sid == os.Getpid() {
		return err
	}
	// The first of a group of processes cannot; the group of the parent is of the same session.
	group, err := unix.Getpgid(os.Getppid())
	if err == nil {
		err = unix.Setpgid(0, group)
	}
	if err == nil {
		_, err = unix.Setsid()
	}
	return err
}
