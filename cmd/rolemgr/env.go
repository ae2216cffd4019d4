package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rolemgr/rolemgr"
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/internal/target"
	"golang.org/x/sys/unix"
)

// programVersion is the version of this program. It is recorded with every feature that it installs.
const programVersion = "0.1.0"

// env is the world as the commands see it: built once in main, faked in tests.
type env struct {
	In       io.Reader
	Out, Err io.Writer
	// InTTY, OutTTY and ErrTTY tell whether the streams are terminals.
	InTTY, OutTTY, ErrTTY bool
	// Keys and Screen are the terminal itself, for what needs more of it than to read and to write.
	Keys, Screen *os.File
	// Width returns the width of the terminal in columns, 0 when unknown.
	Width  func() int
	Now    func() time.Time
	Getenv func(string) string
	EUID   int
	// UserHome returns the home folder of the user.
	UserHome func() (string, error)
	// Catalog builds the catalogue. It is called once at most, by the first command that needs it.
	Catalog func() (*features.Catalog, error)
	Factory []byte
	Version string
	// NewTarget returns the server of a home folder.
	NewTarget func(target.LocalOptions) target.Target
	// Hangups delivers SIGHUP until stop is called.
	Hangups func() (c <-chan os.Signal, stop func())
}

// newEnv returns the real world.
func newEnv() *env {
	return &env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTTY: isTerminal(os.Stdin), OutTTY: isTerminal(os.Stdout), ErrTTY: isTerminal(os.Stderr),
		Keys: os.Stdin, Screen: os.Stdout,
		Width:     func() int { return terminalWidth(os.Stderr) },
		Now:       time.Now,
		Getenv:    os.Getenv,
		EUID:      os.Geteuid(),
		UserHome:  os.UserHomeDir,
		Catalog:   func() (*features.Catalog, error) { return features.NewCatalog(all.Units()) },
		Factory:   rolemgr.FactoryState(),
		Version:   programVersion,
		NewTarget: func(o target.LocalOptions) target.Target { return target.NewLocal(o) },
		Hangups: func() (<-chan os.Signal, func()) {
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGHUP)
			return c, func() { signal.Stop(c) }
		},
	}
}

// isTerminal asks for a window size, which only a terminal has: /dev/null is a character device too.
func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}

func terminalWidth(f *os.File) int {
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(ws.Col)
}
