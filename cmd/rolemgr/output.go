package main

import (
	"errors"
	"io"
	"syscall"
)

// output is standard output with a memory: commands print without looking at errors, and the end of the run tells once
// that the result did not arrive. After the first error nothing more is written.
type output struct {
	w   io.Writer
	err error
}

// Write never fails: a change that is under way must not end because nobody reads its progress.
func (o *output) Write(p []byte) (int, error) {
	if o.err == nil {
		_, o.err = o.w.Write(p)
	}
	return len(p), nil
}

// lost returns why the result did not arrive, nil when it did. A reader that has seen enough, as "head" does, closes
// the pipe: that is no fault.
func (o *output) lost() error {
	if errors.Is(o.err, syscall.EPIPE) {
		return nil
	}
	return o.err
}
