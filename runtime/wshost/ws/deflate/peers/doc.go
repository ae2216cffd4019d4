// Package peers measures package deflate against the compressors of other WebSocket engines in Go, and holds the two to
// each other's output. It is a module of its own so that nothing it compares with becomes a requirement of this one,
// and holds nothing but tests:
//
//	go test .
//	go test -run '^$' -bench . -benchtime 2s
//
// It does not measure connections: no frame leaves the process.
package peers
