// Package peers judges other people's WebSocket engines with package conformance, and tells which faults it finds. It
// is no comparison: what it proves is that the judge sees faults that are known from reading and probing those engines.
//
// It is a module of its own so that nobody who uses rolemgr inherits the requirements.
package peers
