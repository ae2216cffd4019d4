package deflate

// history is the end of what was said so far: the last size bytes are the window, and there is some room before them
// so that not every message moves the whole window.
type history struct {
	buf  []byte
	size int // of the window
}

// slack returns the room that a window of size bytes is given.
func slack(size int) int { return max(size/4, 1024) }

// window returns the bytes that a distance can reach. The slice is only lent.
func (h *history) window() []byte { return h.buf[max(len(h.buf)-h.size, 0):] }

// room makes room for at least one byte and tells for how many of n there is, and by how many bytes the rest moved.
func (h *history) room(n int) (fits, moved int) {
	full := h.size + slack(h.size)
	if len(h.buf) == full {
		moved = len(h.buf) - h.size
		h.buf = h.buf[:copy(h.buf, h.buf[moved:])]
	}
	fits = min(n, full-len(h.buf))
	if need := len(h.buf) + fits; need > cap(h.buf) {
		// Growing by doubling up to the full size: a connection that says little holds little.
		grown := make([]byte, len(h.buf), min(max(need, 2*cap(h.buf), 1024), full))
		copy(grown, h.buf)
		h.buf = grown
	}
	return fits, moved
}

// add appends p, of which only the last size bytes matter.
func (h *history) add(p []byte) {
	if len(p) >= h.size {
		h.buf, p = h.buf[:0], p[len(p)-h.size:]
	}
	for len(p) > 0 {
		n, _ := h.room(len(p))
		h.buf = append(h.buf, p[:n]...)
		p = p[n:]
	}
}
