package ws

import "sync"

// Group is a set of sockets that messages are published to. The zero value is an empty group; it may be used
// concurrently, in callbacks too, and must not be copied. A socket leaves at its end by itself.
//
// Publish does not wait for anybody: a receiver whose queue is full is dealt with by its own Limits.SlowConsumer, where
// Block means CloseSlow. All that is published to a socket of the poller driver within one turn of its loop leaves with
// one write.
type Group struct {
	mu    sync.Mutex
	size  int
	loops map[*loop]*members
	lines members // under the goroutine driver
}

// members are the sockets of one loop. They have a lock of their own, so that loops do not wait for each other.
type members struct {
	mu    sync.Mutex
	list  []*Socket
	index map[*Socket]int
}

func (m *members) add(s *Socket) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.index[s]; ok {
		return false
	}
	if m.index == nil {
		m.index = map[*Socket]int{}
	}
	m.index[s] = len(m.list)
	m.list = append(m.list, s)
	return true
}

func (m *members) remove(s *Socket) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.index[s]
	if !ok {
		return false
	}
	last := len(m.list) - 1
	m.list[i] = m.list[last]
	m.index[m.list[i]] = i
	m.list[last] = nil
	m.list = m.list[:last]
	delete(m.index, s)
	return true
}

// of returns the members that s belongs to.
func (g *Group) of(s *Socket) *members {
	if s.loop == nil {
		return &g.lines
	}
	m := g.loops[s.loop]
	if m == nil {
		if g.loops == nil {
			g.loops = map[*loop]*members{}
		}
		m = new(members)
		g.loops[s.loop] = m
	}
	return m
}

// Join adds s, and reports whether it was not there before. A socket that has ended is not added.
func (g *Group) Join(s *Socket) bool {
	g.mu.Lock()
	joined := g.of(s).add(s)
	if joined {
		g.size++
	}
	g.mu.Unlock()
	if joined && !s.entered(g) {
		g.Leave(s)
		return false
	}
	return joined
}

// entered notes that s is in g, which it leaves at its end; false when it has ended.
func (s *Socket) entered(g *Group) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished {
		return false
	}
	r := s.uncommon()
	if r.groups == nil {
		r.groups = map[*Group]struct{}{}
	}
	r.groups[g] = struct{}{}
	return true
}

// left forgets what entered has noted.
func (s *Socket) left(g *Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rare != nil {
		delete(s.rare.groups, g)
	}
}

// Leave removes s, and reports whether it was there. What was published before may still reach it.
func (g *Group) Leave(s *Socket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.of(s)
	left := m.remove(s)
	if left {
		g.size--
		s.left(g)
	}
	if len(m.list) == 0 && s.loop != nil {
		delete(g.loops, s.loop)
	}
	return left
}

// Len returns how many sockets there are.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.size
}

// publishAhead is how many bytes of published messages may wait for one loop to deliver them.
const publishAhead = 32 << 20

// Publish sends m to every socket of the group. Messages of one publisher arrive in the order in which they were
// published. When 32 MiB of messages wait for a loop to deliver them it returns ErrQueueFull, and m goes to nobody.
func (g *Group) Publish(m *Prepared) error { return g.PublishExcept(m, nil) }

// PublishExcept is Publish for all but one socket, such as the one that the message came from. nil excepts nobody.
func (g *Group) PublishExcept(m *Prepared, but *Socket) error {
	g.mu.Lock()
	defer g.mu.Unlock() // so that two publishers reach all loops in one order
	for l := range g.loops {
		if l.published.Load() >= publishAhead {
			return ErrQueueFull
		}
	}
	size := int64(len(m.plain)) + taskCost
	for l, to := range g.loops {
		l.published.Add(size)
		l.inbox.Post(task{do: func() {
			l.published.Add(-size)
			l.deliver(to, m, but)
		}})
	}
	g.lines.mu.Lock()
	defer g.lines.mu.Unlock()
	for _, s := range g.lines.list {
		if s == but {
			continue
		}
		s.mu.Lock()
		if s.deliverLocked(m) {
			s.pushLocked()
		}
		s.mu.Unlock()
	}
	return nil
}

// taskCost is what a published message that waits for a loop is charged beside its bytes.
const taskCost = 256

// deliverLocked queues a published message and reports whether it did.
func (s *Socket) deliverLocked(m *Prepared) bool {
	if s.fullLocked() && s.rx.set.limits.SlowConsumer == Block {
		s.slowLocked()
		return false
	}
	return s.sharedLocked(m) == nil
}

// deliver queues a published message for all members on the loop. It leaves when the turn ends.
func (l *loop) deliver(to *members, m *Prepared, but *Socket) {
	to.mu.Lock()
	defer to.mu.Unlock()
	for _, s := range to.list {
		if s == but {
			continue
		}
		s.mu.Lock()
		if s.deliverLocked(m) && !s.corked && !s.watched && !s.dirty {
			s.dirty = true
			l.dirty = append(l.dirty, s)
		}
		s.mu.Unlock()
	}
}

// flush writes what was published in this turn.
func (l *loop) flush() {
	for i, s := range l.dirty {
		s.mu.Lock()
		s.dirty = false
		if s.phase == live && !s.watched {
			s.flushLocked()
		}
		s.mu.Unlock()
		l.dirty[i] = nil
	}
	l.dirty = l.dirty[:0]
}
