// Package e2e tests rolemgr from outside: the real program on a real home folder, driven by a browser and by the
// WebSocket clients of other languages, and by bytes that no client would send.
//
// It holds no code that a program could use, and its tests stand behind the build tag e2e, for they need programs that
// "make deps" installs. Nothing is skipped: a program that is missing is a failure.
package e2e
