package requestfiltering

import (
	"io"
	"sync/atomic"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// limitedBody fails, with the refusal as its error, when more than left bytes arrive.
type limitedBody struct {
	io.ReadCloser
	left     int64
	exceeded atomic.Bool // a proxy's transport may still read while the request is being answered
	refusal  *module.HTTPError
}

// Read reads one byte more than is allowed, to tell a body that just fits from one that does not.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.exceeded.Load() {
		return 0, b.refusal
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left = 0
		b.exceeded.Store(true)
		return n, b.refusal
	}
	b.left -= int64(n)
	return n, err
}
