// Package handover tests from outside that connections survive a change of their engine: clients of Node.js talk to a
// server that moves them from one engine to another time after time, as a restart of the server does.
//
// It holds no code that a program could use, and it is no test of what is moved: that is tested next to the engine. Its
// tests stand behind the build tag e2e, for they need Node.js and the npm package ws, which "make deps" installs. They
// are left out under the race detector, which makes compressing so slow that nothing else gets a turn; package ws moves
// sockets under it.
package handover
