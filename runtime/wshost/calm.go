package wshost

import (
	"runtime/debug"
	"sync"
	"time"
)

const (
	// calmFrom is how many connections must have been upgraded until it is worth while to give memory back after them.
	calmFrom = 512
	// calmTime is how long no connection may have been upgraded then.
	calmTime = time.Second
)

// calm gives memory back to the system when many connections were upgraded and no more come. A handshake leaves ten times
// as much garbage as the idle connection then holds, and a host with nothing else to do would not collect it for minutes.
// The zero value is ready.
type calm struct {
	mu      sync.Mutex
	opened  int  // since memory was given back
	waiting bool // somebody looks whether more come
	free    func()
}

// note counts a connection.
func (c *calm) note() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened++; c.opened >= calmFrom && !c.waiting {
		c.waiting = true
		c.wait(c.opened)
	}
}

// wait looks a moment later whether more connections than seen have come by then.
func (c *calm) wait(seen int) { time.AfterFunc(calmTime, func() { c.look(seen) }) }

func (c *calm) look(seen int) {
	c.mu.Lock()
	if c.opened != seen {
		c.wait(c.opened)
		c.mu.Unlock()
		return
	}
	c.opened, c.waiting = 0, false
	c.mu.Unlock()
	if c.free != nil {
		c.free()
		return
	}
	debug.FreeOSMemory()
}
