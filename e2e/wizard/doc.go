// Package wizard tests the wizard from outside: the real program in a real terminal, driven by keys alone, on a real home
// folder.
//
// It is a test and nothing that a program could use; what a screen looks like is tested beside the wizard itself. Its
// tests stand behind the build tag e2e, for they need tmux and Node.js, which "make deps" installs. Nothing is skipped: a
// program that is missing is a failure.
package wizard
