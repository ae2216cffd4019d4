// Package hub keeps rooms by name: sockets join, and what is published to a room reaches all that are in it, encoded
// once. It works within one process; it neither stores messages nor carries them to other servers.
package hub

import (
	"fmt"
	"slices"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Hub is a set of rooms. The zero value has none and is ready. Its methods may be called at any time from anywhere,
// callbacks of sockets included; none of them waits for a peer. It must not be copied.
//
// A room comes into being when a socket joins and is gone when the last one leaves. A socket leaves all rooms at its
// end by itself, a little after its Closed callback. A hub bounds neither how many rooms there are nor how long their
// names: who lets peers choose them must.
type Hub struct {
	mu      sync.RWMutex // taken before the locks of groups and sockets; never held in callbacks
	rooms   map[string]*room
	sockets map[*ws.Socket]map[string]struct{} // the rooms of each socket that has been in one and has not ended
}

// room is who is in a room, twice: the group delivers and tells nobody of its members.
type room struct {
	group   ws.Group
	members map[*ws.Socket]struct{}
}

// Join puts s into a room, and reports whether it is new there. A socket that has ended does not get in. It receives
// what is published from now on, and may receive what is being published meanwhile.
func (h *Hub) Join(name string, s *ws.Socket) bool {
	h.mu.Lock()
	of, known := h.sockets[s]
	if _, in := of[name]; in {
		h.mu.Unlock()
		return false
	}
	if !known {
		of = map[string]struct{}{}
		if h.sockets == nil {
			h.sockets, h.rooms = map[*ws.Socket]map[string]struct{}{}, map[string]*room{}
		}
		h.sockets[s] = of
	}
	r := h.rooms[name]
	if r == nil {
		r = &room{members: map[*ws.Socket]struct{}{}}
		h.rooms[name] = r
	}
	of[name] = struct{}{}
	r.members[s] = struct{}{}
	r.group.Join(s)
	h.mu.Unlock()
	if known {
		return true
	}
	s.OnEnd(func() { h.forget(s) }) // once for each socket; at once when it has ended
	h.mu.RLock()
	defer h.mu.RUnlock()
	_, alive := h.sockets[s]
	return alive
}

// Leave takes s out of a room, and reports whether it was there. What was published before may still reach it.
func (h *Hub) Leave(name string, s *ws.Socket) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := h.sockets[s]
	if _, in := of[name]; !in {
		return false
	}
	delete(of, name)
	h.leaveLocked(name, s)
	return true
}

// leaveLocked takes s off the members of a room, and frees it when there are none left.
func (h *Hub) leaveLocked(name string, s *ws.Socket) {
	r := h.rooms[name]
	delete(r.members, s)
	r.group.Leave(s)
	if len(r.members) == 0 {
		delete(h.rooms, name)
	}
}

// LeaveAll takes s out of all rooms.
func (h *Hub) LeaveAll(s *ws.Socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaveAllLocked(s)
}

func (h *Hub) leaveAllLocked(s *ws.Socket) {
	of := h.sockets[s]
	for name := range of {
		h.leaveLocked(name, s)
	}
	clear(of)
}

// forget is the end of a socket.
func (h *Hub) forget(s *ws.Socket) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaveAllLocked(s)
	delete(h.sockets, s)
}

// Publish sends one message to all sockets in a room, the publisher's too if it is there. It is encoded once, and
// compressed once for all who agreed on the same. p is not kept. Text must be valid UTF-8, or ws.ErrText is returned; a
// room that does not exist is no error.
//
// Messages of one publisher arrive in the order in which they were published. Those published to sockets of the poller
// driver in one turn of their loop leave with one write for each receiver. A receiver whose queue is full is dealt with
// by its Limits.SlowConsumer, where ws.Block means ws.CloseSlow, and the others do not notice.
func (h *Hub) Publish(name string, op frame.Opcode, p []byte) error {
	m, err := ws.Prepare(op, p)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return h.Send(name, m)
}

// Send is Publish for a message that is encoded already, as for several rooms. A socket that is in several receives it
// several times.
func (h *Hub) Send(name string, m *ws.Prepared) error {
	g := h.group(name)
	if g == nil {
		return nil
	}
	if err := g.Publish(m); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

func (h *Hub) group(name string) *ws.Group {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if r := h.rooms[name]; r != nil {
		return &r.group
	}
	return nil
}

// Rooms returns the names of all rooms, sorted.
func (h *Hub) Rooms() []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return sorted(h.rooms)
}

// RoomsOf returns the names of the rooms that s is in, sorted. It is what an owner writes into Socket.SetExtra before
// Socket.Detach, to join them again with the socket that Upgrader.Restore makes: what is published in between does not
// reach it.
func (h *Hub) RoomsOf(s *ws.Socket) []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return sorted(h.sockets[s])
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Len returns how many sockets are in a room.
func (h *Hub) Len(name string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if r := h.rooms[name]; r != nil {
		return len(r.members)
	}
	return 0
}

// Members returns the sockets in a room, in no order.
func (h *Hub) Members(name string) []*ws.Socket {
	h.mu.RLock()
	defer h.mu.RUnlock()
	r := h.rooms[name]
	if r == nil {
		return nil
	}
	all := make([]*ws.Socket, 0, len(r.members))
	for s := range r.members {
		all = append(all, s)
	}
	return all
}
