package ws

import (
	"context"
	"sync"
)

// watch calls a function when a context ends. It stays in place from one operation to the next as long as they come
// with the same context, so that a loop with one context pays for it once.
type watch struct {
	wake  func() // set once, before the first use
	mu    sync.Mutex
	done  <-chan struct{} // of the context that is watched
	halt  func() bool
	fired chan struct{} // closed when wake has returned
	over  bool
}

// set watches ctx from now on; wake does not run for an earlier context any more. Whoever calls set must look at
// ctx.Err after undoing what wake may have done.
func (w *watch) set(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	done := ctx.Done()
	if done == w.done || w.over {
		return
	}
	w.release()
	if done == nil {
		return
	}
	fired := make(chan struct{})
	w.done, w.fired = done, fired
	w.halt = context.AfterFunc(ctx, func() {
		defer close(fired)
		w.wake()
	})
}

func (w *watch) release() {
	if w.halt != nil && !w.halt() {
		<-w.fired
	}
	w.done, w.halt, w.fired = nil, nil, nil
}

// stop ends the watching for good.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.release()
}
