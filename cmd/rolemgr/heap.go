package main

import "os"

// heapFloor is how much garbage may gather before it is collected, however little is in use.
const heapFloor = 32 << 20

// raiseHeap makes the garbage collector run less often in a host that holds little: it collects when the heap has
// doubled, and a host of static files that holds 3 MiB would do so every thousand requests, for an eighth of its time.
// What is returned is to be kept; it counts as part of the heap, and as nobody writes to it, it takes no memory. A host
// that holds much is not changed by it, as it would be by a higher GOGC. Who sets GOGC or GOMEMLIMIT is obeyed.
func raiseHeap() []byte {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, heapFloor)
}
