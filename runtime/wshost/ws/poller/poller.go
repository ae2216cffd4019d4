// Package poller tells which of many descriptors can be read or written (epoll on Linux), and reads and writes them
// without waiting. It knows nothing of WebSocket, and it is no event loop: whoever calls Wait decides what to do.
//
// Readiness is level-triggered: a descriptor that was not read to its end is reported again by the next Wait. So one
// read for each report is enough, no read is made in vain, and a busy descriptor cannot keep others waiting. The price is
// that the system looks at each reported descriptor once more in the next Wait; who keeps account of what was left unread,
// and of ends, can ask for Edge.
package poller

import "errors"

// ErrUnsupported means that this system has no poller here; connections are then read by a goroutine each.
var ErrUnsupported = errors.New("this system has no poller")

// Interest is what a descriptor is watched for. A broken line is always reported.
type Interest uint32

// Event is a descriptor that can be read or written. A line that is closed or broken is reported as both.
type Event struct {
	FD    int32
	Read  bool
	Write bool
	// End means that the peer sends no more, or that the line is broken, or, under Edge, that a read may stop before all is
	// read (at urgent data): what has arrived is to be read until nothing is there, io.EOF or an error, for Edge reports
	// nothing further.
	End bool
}
