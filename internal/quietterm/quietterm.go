// Package quietterm keeps Bubble Tea from asking the terminal for its background colour while the program initialises.
// Bubble Tea 1 asks whenever it is linked in, also for "rolemgr list", and waits for an answer: up to seconds on a
// terminal that gives none.
//
// The question is not put to a terminal that calls itself dumb. This package says so for as long as packages are
// initialised, and Restore takes it back. It imports only os, and Go initialises packages in the order of their import
// paths once their imports are ready (language specification, "Program initialization"): Bubble Tea waits for packages
// of golang.org/x, whose paths sort behind this one.
//
// It draws nothing and looks at no terminal.
package quietterm

import "os"

const (
	variable = "TERM"
	kept     = "ROLEMGR_TERM" // where its value waits; taken away by Restore
)

var _ = hush()

// hush does nothing where TERM is not set: no terminal is asked then. Setenv fails only for names and values that cannot
// be in an environment.
func hush() error {
	was, set := os.LookupEnv(variable)
	if !set {
		return nil
	}
	if err := os.Setenv(kept, was); err != nil {
		return err
	}
	return os.Setenv(variable, "dumb")
}

// Restore gives TERM its value back. It must run before anything reads the variable, which is at the latest when main
// begins; calling it again does nothing. It is not safe for concurrent use.
func Restore() {
	if was, set := os.LookupEnv(kept); set {
		_ = os.Setenv(variable, was) // it was there before
		_ = os.Unsetenv(kept)
	}
}
