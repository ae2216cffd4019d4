package ws

import (
	"math"
	"time"
)

// Limits bounds one connection. Zero fields mean the default given; negative ones switch the limit off.
// In JSON the timeouts are nanoseconds.
type Limits struct {
	MessageSize      int64         `json:"message_size"`      // bytes of payload of one message; default 4 MiB; beyond: close 1009
	HeldMemory       int64         `json:"held_memory"`       // bytes held for one connection: the payload of a message in the making, 64 for each fragment, the windows of permessage-deflate, the queue; default 2*MessageSize+QueueSize+256 KiB; beyond: close 1009, or 1008 when it is the fragments' fault
	Fragments        int           `json:"fragments"`         // fragments of one message; default 65536; beyond: close 1008
	ControlRate      int           `json:"control_rate"`      // control frames per second, averaged over 10 s; default 100; beyond: close 1008
	AssemblyTimeout  time.Duration `json:"assembly_timeout"`  // from the first to the last byte of a message; default 60 s; beyond: close 1008
	WriteTimeout     time.Duration `json:"write_timeout"`     // for the peer to take a frame, or each 256 KiB of a greater one; default 10 s; beyond: the connection is cut
	QueueSize        int64         `json:"queue_size"`        // bytes that wait for the peer of a Socket to take them; default 1 MiB; then SlowConsumer
	SlowConsumer     SlowConsumer  `json:"slow_consumer"`     // what happens then; default Block
	PingInterval     time.Duration `json:"ping_interval"`     // after so much silence a ping is sent; default 30 s
	PongTimeout      time.Duration `json:"pong_timeout"`      // after that ping, until anything arrives; default 20 s; beyond: the connection is cut
	CloseTimeout     time.Duration `json:"close_timeout"`     // the peer's answer to our close frame; default 5 s; beyond: the connection is cut
	HandshakeTimeout time.Duration `json:"handshake_timeout"` // the opening handshake of Dial; default 10 s
}

const (
	// fragmentCost is what a fragment is charged beside its payload: empty fragments are not free.
	fragmentCost = 64
	// controlWindow is the time over which ControlRate is averaged, and so the burst that it allows.
	controlWindow = 10 * time.Second
	// lingerTimeout bounds how long a failed connection is drained so that the peer can read why.
	lingerTimeout = time.Second
)

// resolved returns l with every default filled in. A limit that is off is the greatest number, a timeout that is off
// is 0. Resolving twice changes nothing but would turn "off" into the default, so it is done once, at the door.
func (l Limits) resolved() Limits {
	l.MessageSize = number(l.MessageSize, 4<<20)
	l.QueueSize = number(l.QueueSize, 1<<20)
	if l.SlowConsumer == "" {
		l.SlowConsumer = Block
	}
	held := int64(math.MaxInt64)
	if l.MessageSize < math.MaxInt64/4 && l.QueueSize < math.MaxInt64/4 {
		held = 2*l.MessageSize + l.QueueSize + 256<<10
	}
	l.HeldMemory = number(l.HeldMemory, held)
	l.Fragments = int(min(number(int64(l.Fragments), 65536), math.MaxInt))
	l.ControlRate = max(l.ControlRate, -1)
	if l.ControlRate == 0 {
		l.ControlRate = 100
	}
	l.AssemblyTimeout = timeout(l.AssemblyTimeout, 60*time.Second)
	l.WriteTimeout = timeout(l.WriteTimeout, 10*time.Second)
	l.PingInterval = timeout(l.PingInterval, 30*time.Second)
	l.PongTimeout = timeout(l.PongTimeout, 20*time.Second)
	l.CloseTimeout = timeout(l.CloseTimeout, 5*time.Second)
	l.HandshakeTimeout = timeout(l.HandshakeTimeout, 10*time.Second)
	return l
}

func number(n, byDefault int64) int64 {
	switch {
	case n < 0:
		return math.MaxInt64
	case n == 0:
		return byDefault
	}
	return n
}

func timeout(d, byDefault time.Duration) time.Duration {
	switch {
	case d < 0:
		return 0
	case d == 0:
		return byDefault
	}
	return d
}

// sound reports whether l can be the result of resolved.
func (l Limits) sound() bool {
	return l.QueueSize > 0 && (l.SlowConsumer == Block || l.SlowConsumer == DropOldest || l.SlowConsumer == CloseSlow) && l.MessageSize > 0 && l.HeldMemory > 0 && l.Fragments > 0 && l.ControlRate != 0 && l.ControlRate >= -1 &&
		l.AssemblyTimeout >= 0 && l.WriteTimeout >= 0 && l.PingInterval >= 0 && l.PongTimeout >= 0 && l.CloseTimeout >= 0
}

// grain is how often sockets with these limits are looked at for what is overdue: a quarter of the shortest time limit,
// within 5 ms and 250 ms.
func (l *Limits) grain() time.Duration {
	g := time.Second
	for _, d := range []time.Duration{l.AssemblyTimeout, l.WriteTimeout, l.PingInterval, l.PongTimeout, l.CloseTimeout} {
		if d > 0 {
			g = min(g, d)
		}
	}
	return min(max(g/4, 5*time.Millisecond), 250*time.Millisecond)
}
