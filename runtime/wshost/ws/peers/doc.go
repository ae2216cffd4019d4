// Package peers fuzzes the engine against another one: both must read the same messages out of the same bytes. It is no
// judgement of the other engine, which package conformance makes, and no comparison of speed.
//
// It is a module of its own so that nobody who uses rolemgr inherits the requirements.
package peers
