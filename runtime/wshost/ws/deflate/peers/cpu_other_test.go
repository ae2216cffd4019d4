//go:build !unix

package peers

import "time"

var begin = time.Now()

// spent returns the time that has passed, where the CPU time is not to be had.
func spent() time.Duration { return time.Since(begin) }
