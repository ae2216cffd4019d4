package websocketendpoints

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/hub"
)

// maxRoomName bounds the names of rooms, which clients choose, in bytes.
const maxRoomName = 200

// hubQueue is how many bytes may wait for one member, beside the history.
const hubQueue = 1 << 20

// slowDrop is the policy for members who take less than is said that drops the oldest messages; the other closes them.
const slowDrop = "dropOldest"

// house is the rooms of one endpoint. The zero value is ready; methods may be called concurrently.
type house struct {
	hub hub.Hub // delivers in rooms without history

	mu    sync.Mutex // taken before that of a room
	rooms map[string]*room
}

// room is a room with somebody in it or with a history.
type room struct {
	name  string
	taken uint32    // members, and those whose handshake is not over; guarded by the house
	empty time.Time // since when nobody is there; guarded by the house

	mu      sync.Mutex
	members map[*ws.Socket]struct{}
	kept    int // members whose endpoint has a history
	history history
}

// enter takes a place in a room.
func (h *house) enter(e *endpoint, name string) (*module.SocketSession, *module.HTTPError) {
	if len(name) > maxRoomName {
		return nil, refuse(http.StatusBadRequest, fmt.Sprintf("the name of the room has more than %d bytes", maxRoomName), "")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[name]
	if r == nil {
		if len(h.rooms) >= int(e.MaxRooms) && !h.forgetLocked() {
			return nil, busy(fmt.Sprintf("the endpoint %q has its %d rooms", e.Path, e.MaxRooms), "maxRooms of the endpoint raises the limit")
		}
		if h.rooms == nil {
			h.rooms = map[string]*room{}
		}
		r = &room{name: name, members: map[*ws.Socket]struct{}{}}
		h.rooms[name] = r
	}
	if r.taken >= e.MaxMembers {
		return nil, busy(fmt.Sprintf("a room of the endpoint %q has its %d members", e.Path, e.MaxMembers), "maxMembers of the endpoint raises the limit")
	}
	r.taken++
	m := &member{house: h, room: r, sender: e.Sender, keep: e.History, keepBytes: int(e.HistorySize)}
	s := &module.SocketSession{
		Handler: m, Abandon: m.leave, Subprotocols: e.subprotocols(),
		QueueSize: hubQueue, SlowConsumer: ws.CloseSlow,
	}
	if e.History > 0 {
		s.QueueSize += int64(e.HistorySize)
	}
	if e.Slow == slowDrop {
		s.SlowConsumer = ws.DropOldest
	}
	return s, nil
}

// forgetLocked forgets the room that has been empty for the longest time, and reports whether there was one.
func (h *house) forgetLocked() bool {
	var oldest *room
	for _, r := range h.rooms {
		if r.taken == 0 && (oldest == nil || r.empty.Before(oldest.empty)) {
			oldest = r
		}
	}
	if oldest == nil {
		return false
	}
	delete(h.rooms, oldest.name)
	return true
}

// member is a connection to an endpoint of type hub, as the handler of its socket. What its endpoint says of history holds
// for what this member says and for what it is told when it comes.
type member struct {
	house     *house
	room      *room
	sender    bool
	keep      uint32 // messages of history; 0 for none
	keepBytes int
}

var _ ws.Handler = (*member)(nil)

// Opened tells the newcomer what was said, and puts it into the room. With a history nothing is published meanwhile: it gets
// every message once.
func (m *member) Opened(s *ws.Socket) {
	m.house.hub.Join(m.room.name, s)
	r := m.room
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[s] = struct{}{}
	if m.keep == 0 {
		return
	}
	r.kept++
	for _, p := range r.history.list {
		_ = s.WritePrepared(p.message) // what it fails for ends the socket
	}
}

// Message tells the others: through the hub, which gathers what leaves together but delivers a little later, or, where
// somebody is to get a history and then what follows it, one by one.
func (m *member) Message(s *ws.Socket, op frame.Opcode, payload []byte) {
	but := s
	if m.sender {
		but = nil
	}
	r := m.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == 0 && m.keep == 0 {
		_ = m.house.hub.PublishExcept(r.name, op, payload, but) // receivers that fail end by themselves
		return
	}
	p, err := ws.Prepare(op, payload)
	if err != nil {
		return // text of a client is UTF-8
	}
	for other := range r.members {
		if other != but {
			_ = other.WritePrepared(p)
		}
	}
	r.history.add(p, len(payload), m.keep, m.keepBytes)
}

// Closed leaves the room.
func (m *member) Closed(s *ws.Socket, _ error) {
	m.room.mu.Lock()
	if _, in := m.room.members[s]; in && m.keep > 0 {
		m.room.kept--
	}
	delete(m.room.members, s)
	m.room.mu.Unlock()
	m.leave()
}

// leave gives the place back. A room without history is forgotten with its last member.
func (m *member) leave() {
	m.house.mu.Lock()
	defer m.house.mu.Unlock()
	r := m.room
	if r.taken--; r.taken > 0 {
		return
	}
	r.empty = time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.history.list) == 0 {
		delete(m.house.rooms, r.name)
	}
}

// history is the last messages of a room.
type history struct {
	list  []said
	bytes int
}

type said struct {
	message *ws.Prepared
	size    int
}

// add adds a message, and forgets the oldest until no more than most messages of no more than bytes bytes are left.
func (h *history) add(p *ws.Prepared, size int, most uint32, bytes int) {
	h.list = append(h.list, said{p, size})
	h.bytes += size
	drop := 0
	for len(h.list)-drop > int(most) || h.bytes > bytes {
		h.bytes -= h.list[drop].size
		drop++
	}
	clear(h.list[:drop])
	h.list = h.list[drop:]
}
