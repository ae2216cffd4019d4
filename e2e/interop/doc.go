// Package interop holds the engine of runtime/wshost/ws against the WebSocket programs of others: browsers, the
// libraries of other languages, and command line tools, as clients of ours and as servers to ours.
//
// It is a test and nothing that a program could use. What it tries stands in docs/interop.md, which must say the same as
// the test. Its tests stand behind the build tag e2e, for they need programs that "make deps" installs. Nothing is
// skipped: a program that is missing is a failure.
package interop
