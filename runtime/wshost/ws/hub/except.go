package hub

import (
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// PublishExcept is Publish to all sockets in a room but one, such as the one that the message came from. It need not be
// in the room; nil excepts nobody.
func (h *Hub) PublishExcept(name string, op frame.Opcode, p []byte, but *ws.Socket) error {
	m, err := ws.Prepare(op, p)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if g := h.group(name); g != nil {
		if err := g.PublishExcept(m, but); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	return nil
}
