//go:build linux

package ws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// script makes a stream of a peer out of bytes: most of it is right, so that what comes behind is reached. Bytes that
// are no script any more end it as they are.
type script struct {
	b      []byte
	masked bool
	zip    *deflate.Compressor // nil without permessage-deflate
	out    []byte
}

func (s *script) next() int {
	if len(s.b) == 0 {
		return 0
	}
	v := s.b[0]
	s.b = s.b[1:]
	return int(v)
}

// text returns a payload of about n bytes, valid UTF-8 unless torn.
func (s *script) text(n int) []byte {
	p := []byte(strings.Repeat("größer als €, 😀 and so on. ", n/30+1))
	p[0] = byte('a' + s.next()%26)
	return p[:n]
}

func (s *script) frame(first byte, p []byte) {
	h := frame.Header{
		FIN: first&0x80 != 0, RSV: first >> 4 & 7, Opcode: frame.Opcode(first & 15), Length: uint64(len(p)), Masked: s.masked,
	}
	if s.masked {
		h.Key = [4]byte{0x11, 0x9A, first, byte(len(p))}
	}
	s.out = append(frame.AppendHeader(s.out, h), p...)
	if s.masked {
		frame.Mask(h.Key, 0, s.out[len(s.out)-len(p):])
	}
}

// message makes a message of some frames, perhaps with a ping between them.
func (s *script) message(op frame.Opcode, kind int) {
	p := s.text(s.next() * (1 + kind&3*7))
	first := byte(op)
	if s.zip != nil && kind&4 == 0 {
		if b, ok := s.zip.Append(nil, p); ok {
			p, first = b, first|0x40
		}
	}
	n := 1 + kind>>3&3
	for i := range n {
		if i == n-1 {
			first |= 0x80
		}
		s.frame(first, p[i*len(p)/n:(i+1)*len(p)/n])
		first = 0
		if kind&32 != 0 {
			s.frame(0x89, []byte{byte(i), byte(kind)})
		}
	}
}

func (s *script) run() []byte {
	for len(s.b) > 0 && len(s.out) < 1<<15 {
		switch what := s.next(); what % 16 {
		case 0, 1, 2, 3:
			s.message(frame.Text, s.next())
		case 4, 5, 6:
			s.message(frame.Binary, s.next())
		case 7:
			s.frame(0x89, s.text(what>>1))
		case 8:
			s.frame(0x8A, s.text(what>>1))
		case 9:
			s.frame(0x88, append([]byte{0x03, 0xE8 + byte(what>>4)}, s.text(what>>2)...))
		case 10:
			s.frame(byte(what)<<4|byte(s.next()), s.text(s.next()))
		case 11:
			n := min(what, len(s.b))
			s.frame(0xC1+byte(what>>4&1), s.b[:n]) // said to be compressed
			s.b = s.b[n:]
		case 12:
			s.out = append(s.out, s.b...)
			s.b = nil
		default:
			s.frame(0x80|byte(1+what&1), nil)
		}
	}
	return s.out
}

// scripts are the seeds: everything in it, and most of what can go wrong.
func scripts() [][]byte {
	return [][]byte{
		[]byte("\x00\x00\x10\x00\x10\x50a\x01\x2a\x7fb\x04\x1c\xf0cc\x07\x18\x09\x00\x00"),
		[]byte("\x00\x00\xff\x01\x00\xff\x02\x10\xff\x03\x18\xff\x04\x20\xff\x05\x38\xffzz"),
		[]byte("\x00\x38\x81\x0a\x01\x05hello"), []byte("\x1b\x1b\x0bnot compressed at all, says the peer"),
		[]byte("\x27ping\x28pong\x00\x02\x40\x59"), []byte("\x0c\x81\x85abcdhello\x81\x05hello"),
		[]byte("\x0c\xc1\x0c\x5a\x58\x30\x31\x30\x30\x30\x30\x30\x30\x30\x30"), // not UTF-8, and corrupt behind that
		[]byte("\x0a\x83\x7a\x00\x10\x10"), []byte("\x00\x10\x01\x4b\x4b\x4a"), {},
	}
}

// terms is what the two sides agreed on, taken from fuzz input.
func terms(flags byte) (frame.Role, *deflate.Agreement) {
	role := frame.Server
	if flags&1 != 0 {
		role = frame.Client
	}
	if flags&2 == 0 {
		return role, nil
	}
	bits := deflate.MinBits + int(flags>>5)
	return role, &deflate.Agreement{Params: deflate.Params{
		ServerNoContextTakeover: flags&4 != 0, ClientNoContextTakeover: flags&8 != 0,
		ServerMaxWindowBits: bits, ClientMaxWindowBits: bits,
	}}
}

// peerScript makes the script of the other side of role.
func peerScript(b []byte, role frame.Role, a *deflate.Agreement) *script {
	s := &script{b: b, masked: role == frame.Server}
	if a != nil {
		from := a.Params.Client()
		if role == frame.Client {
			from = a.Params.Server()
		}
		s.zip = deflate.NewCompressor(deflate.CompressorConfig{Bits: from.Bits, Takeover: from.Takeover, MinSize: -1, Pool: new(deflate.Pool)})
	}
	return s
}

// account is what came of a stream under one driver, in the words of a story.
type account struct {
	events []string
	end    string
	frames []string // what the peer got, pongs left out
	pongs  []string
}

func (a *account) message(op frame.Opcode, p []byte) {
	a.events = append(a.events, fmt.Sprintf("event 1 %v %q 0 \"\"", op, p))
}

// ended writes down why it ended.
func (a *account) ended(err error) {
	var p *ProtocolError
	var c *CloseError
	switch {
	case errors.As(err, &p):
		a.end = fmt.Sprintf("error %d %v", p.Code, p.Err)
	case errors.As(err, &c):
		a.end = fmt.Sprintf("event 4 continuation \"\" %d %q", c.Code, c.Reason)
	case errors.Is(err, io.ErrUnexpectedEOF):
		a.end = "left"
	default:
		a.end = err.Error()
	}
}

// accountant is a handler that keeps an account.
type accountant struct {
	account
	over chan struct{}
}

func (e *accountant) Opened(*Socket) {}

func (e *accountant) Message(s *Socket, op frame.Opcode, p []byte) {
	e.message(op, p)
	_ = s.Write(op, p)
}

func (e *accountant) Closed(_ *Socket, err error) {
	e.ended(err)
	close(e.over)
}

// linePair returns both ends of a line of the kernel's, ours as a descriptor.
func linePair(t testing.TB) (ours int, peer *net.UnixConn) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fds[0], fileConn(t, fds[1])
}

func fileConn(t testing.TB, fd int) *net.UnixConn {
	f := os.NewFile(uintptr(fd), "pair")
	c, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn)
}

// counted is what Socket and Conn have in common here.
type counted interface {
	Counts() Counts
	State() State
}

// drivers starts an echo on a line, one for each way of driving it.
type rig struct {
	engine Engine
	set    *settings
}

func newRig() *rig {
	l := Limits{MessageSize: 3000, Fragments: 6, ControlRate: -1, AssemblyTimeout: -1, PingInterval: -1, QueueSize: 16 << 20}
	r := &rig{set: newSettings(l.resolved(), newMemory())}
	r.set.squeeze.MinSize = -1
	return r
}

// ways are the names of the drivers.
func ways() [4]string { return [4]string{"poller", "goroutine on a descriptor", "goroutine", "pull"} }

func (r *rig) start(t testing.TB, way int, fd int, role frame.Role, a *deflate.Agreement) (counted, *accountant) {
	e := &accountant{over: make(chan struct{})}
	c := newCodec(r.set, role, a)
	if way == 3 {
		conn := newConn(fileConn(t, fd), role, r.set, "", c, nil)
		go e.pull(conn)
		return conn, e
	}
	s := newSocket(r.set, role, e, c, "")
	if way == 0 {
		s.fd = int32(fd)
		if err := r.engine.join(s, nil, nil); err != nil {
			t.Fatal(err)
		}
		return s, e
	}
	line := fileConn(t, fd)
	s.line = newLine(line, s.rx.set.memory)
	if way != 1 {
		s.line.raw = nil // as for a line that is no plain one
	}
	r.engine.attend(s)
	go s.serve(&r.engine, nil)
	return s, e
}

func (e *accountant) pull(c *Conn) {
	defer close(e.over)
	for {
		op, p, err := c.Read(context.Background())
		if err != nil {
			e.ended(err)
			return
		}
		e.message(op, p)
		_ = c.Write(context.Background(), op, p)
	}
}

// play sends the stream in pieces, each of which is read before the next is sent, and returns what came of it.
func (r *rig) play(t testing.TB, way int, role frame.Role, a *deflate.Agreement, stream []byte, seed uint64) *account {
	fd, peer := linePair(t)
	defer func() { _ = peer.Close() }()
	_ = peer.SetDeadline(time.Now().Add(20 * time.Second))
	c, e := r.start(t, way, fd, role, a)
	got := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(peer) // a line that is reset has an end too
		got <- b
	}()
	rng := rand.New(rand.NewPCG(seed, 1))
	sent := int64(0)
	for pieces := 0; len(stream) > 0; pieces++ {
		n := len(stream)
		if pieces < 8 {
			n = 1 + rng.IntN(min(n, 1+rng.IntN(n)))
		}
		if _, err := peer.Write(stream[:n]); err != nil {
			break // it has ended
		}
		stream, sent = stream[n:], sent+int64(n)
		for c.Counts().BytesIn < sent && c.State() == Open {
			time.Sleep(10 * time.Microsecond) // Gosched would keep the processor from those that are waited for
		}
	}
	_ = peer.CloseWrite()
	select {
	case <-e.over:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: no end; %v", ways()[way], e.events)
	}
	e.hear(t, <-got, role)
	return &e.account
}

// hear takes apart what the peer got. It must be whole frames.
func (a *account) hear(t testing.TB, b []byte, role frame.Role) {
	for len(b) > 0 {
		h, n := frame.Parse(b)
		if n == 0 || h.Length > uint64(len(b)-n) || h.Masked != (role == frame.Client) {
			t.Fatalf("the peer got half a frame, %x; events %q", b, a.events)
		}
		p := b[n : n+int(h.Length)]
		if h.Masked {
			frame.Mask(h.Key, 0, p)
		}
		if h.Opcode == frame.Pong {
			a.pongs = append(a.pongs, fmt.Sprintf("event 2 continuation %q 0 \"\"", p)) // of the ping that it answers
		} else {
			a.frames = append(a.frames, fmt.Sprintf("%v %v %x %q", h.FIN, h.Opcode, h.RSV, p))
		}
		b = b[n+len(p):]
	}
}

// within reports whether the elements of part occur in whole, in this order.
func within(part, whole []string) bool {
	for _, w := range whole {
		if len(part) > 0 && part[0] == w {
			part = part[1:]
		}
	}
	return len(part) == 0
}

// FuzzDrivers: the same bytes, cut the same way, give the same messages, the same replies and the same end under every
// driver, for a server and a client, with permessage-deflate and without. Only which pings are answered is left to
// them, for the newest of those that are read at once is enough (RFC 6455, section 5.5.3).
func FuzzDrivers(f *testing.F) {
	for i, s := range scripts() {
		for _, flags := range []byte{0, 1, 2, 3, 0xE2, 0xEE, 0xE7} {
			f.Add(s, uint64(i), flags)
		}
	}
	r := newRig()
	f.Fuzz(func(t *testing.T, b []byte, seed uint64, flags byte) {
		role, a := terms(flags)
		stream := peerScript(b, role, a).run()
		model := r.model(stream, role, a)
		for way, name := range ways() {
			got := r.play(t, way, role, a, stream, seed)
			if !reflect.DeepEqual(got.events, model.events) || got.end != model.end {
				t.Fatalf("%x\n%s: %q, %s\nreceiver: %q, %s", stream, name, got.events, got.end, model.events, model.end)
			}
			if !within(got.pongs, model.pongs) || len(model.pongs) > 0 && len(got.pongs) == 0 && model.end == "left" {
				t.Fatalf("%x\n%s: pongs %q for pings %q", stream, name, got.pongs, model.pongs)
			}
			if way == 0 {
				model.frames = got.frames
			} else if !reflect.DeepEqual(got.frames, model.frames) {
				t.Fatalf("%x\n%s: the peer got %q\npoller: %q", stream, name, got.frames, model.frames)
			}
		}
	})
}

// model is what a receiver alone makes of a stream.
func (r *rig) model(stream []byte, role frame.Role, a *deflate.Agreement) *account {
	var told story
	told.listen(newZipped(r.set, role, a).receiver, stream, len(stream)+1)
	m := &account{end: "left"}
	for _, line := range told {
		switch {
		case strings.HasPrefix(line, "event 1 "):
			m.events = append(m.events, line)
		case strings.HasPrefix(line, "event 2 "):
			m.pongs = append(m.pongs, line)
		case !strings.HasPrefix(line, "event 3 "):
			m.end = line
		}
	}
	return m
}

// zipped is a receiver with permessage-deflate, between two lives of which everything is written down.
type zipped struct {
	*receiver
	codec *codec
}

func newZipped(set *settings, role frame.Role, a *deflate.Agreement) *zipped {
	z := &zipped{newReceiver(role, set), newCodec(set, role, a)}
	if z.codec != nil {
		z.inflate, z.charged = z.codec.receive, z.codec.memory
	}
	return z
}

func (z *zipped) through(t testing.TB) *zipped {
	b, err := json.Marshal(&Snapshot{Receiver: z.state(), Compression: z.codec.state()})
	if err != nil {
		t.Fatal(err)
	}
	var s Snapshot
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	c, err := restoreCodec(z.set, z.role, s.Compression, s.Receiver.Inflate)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	r, err := restoreReceiver(z.role, z.set, c, s.Receiver)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if !reflect.DeepEqual(r.state(), z.state()) || !reflect.DeepEqual(c.state(), z.codec.state()) {
		t.Fatalf("%s became %+v", b, r.state())
	}
	return &zipped{r, c}
}

// FuzzDeflateReceiver: compressed bytes mean the same however they are cut, and also when windows and decompressor are
// written down and read back in between.
func FuzzDeflateReceiver(f *testing.F) {
	for i, s := range scripts() {
		for _, flags := range []byte{2, 3, 0xE2, 0xEE, 0xE7} {
			f.Add(s, uint64(i), flags)
		}
	}
	set := serverReceiver(Limits{MessageSize: 3000, Fragments: 6}).set
	set.squeeze.MinSize = -1
	f.Fuzz(func(t *testing.T, b []byte, seed uint64, flags byte) {
		role, a := terms(flags | 2)
		stream := peerScript(b, role, a).run()
		var whole, cut, restored story
		whole.listen(newZipped(set, role, a).receiver, stream, len(stream)+1)
		z1, z2 := newZipped(set, role, a), newZipped(set, role, a)
		rng := rand.New(rand.NewPCG(seed, 0))
		for rest := stream; len(rest) > 0; {
			n := 1 + rng.IntN(min(len(rest), 200))
			ok1, ok2 := cut.listen(z1.receiver, rest[:n], n), restored.listen(z2.receiver, rest[:n], 1+rng.IntN(n))
			if ok1 != ok2 {
				t.Fatalf("%q and %q", cut, restored)
			}
			if !ok1 {
				break
			}
			if rest = rest[n:]; rng.IntN(3) == 0 {
				z2 = z2.through(t)
			}
		}
		if !reflect.DeepEqual(cut, whole) || !reflect.DeepEqual(restored, whole) {
			t.Fatalf("%x\nwhole    %q\ncut      %q\nrestored %q", stream, whole, cut, restored)
		}
	})
}

// snapshots are true ones: in the middle of scripts, of both roles, with and without permessage-deflate.
func snapshots(t testing.TB) (all []*Snapshot) {
	set := serverReceiver(Limits{MessageSize: 3000, Fragments: 6}).set
	for i, b := range scripts() {
		for _, flags := range []byte{0, 1, 2, 3, 0xE2} {
			role, a := terms(flags)
			stream := peerScript(b, role, a).run()
			z, told := newZipped(set, role, a), story{}
			if !told.listen(z.receiver, stream[:len(stream)*(i+1)/(len(scripts())+1)], 5) || z.closed {
				continue
			}
			s := &Snapshot{
				Version: snapshotVersion, Role: role.String(), State: Open, Limits: set.limits, Receiver: z.state(), Compression: z.codec.state(),
				Unread: []byte("\x89"), Queued: []byte("\x81\x00"), Extra: []byte("somebody"), Counts: Counts{BytesIn: 5},
			}
			if flags == 1 {
				s.State, s.ClosedFirst, s.Pong = CloseSent, true, []byte("owed")
			}
			all = append(all, s)
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d", len(all))
	}
	return all
}

func TestRestoreSocketRefuses(t *testing.T) {
	good := func() *Snapshot {
		role, a := terms(0xE2)
		z, told := newZipped(newRig().set, role, a), story{}
		stream := &script{b: []byte{200}, masked: true, zip: deflate.NewCompressor(deflate.CompressorConfig{Takeover: true, MinSize: -1, Pool: new(deflate.Pool)})}
		stream.message(frame.Text, 8) // two fragments
		told.listen(z.receiver, stream.out[:len(stream.out)-1], 100)
		return &Snapshot{
			Version: snapshotVersion, Role: "server", State: Open, Limits: z.set.limits, Receiver: z.state(), Compression: z.codec.state(),
		}
	}
	budget := deflate.NewBudget(1 << 20)
	u := &Upgrader{Driver: Goroutine, Compression: &Compression{Budget: budget}}
	fd, peer := linePair(t)
	line := fileConn(t, fd)
	defer func() { _, _ = line.Close(), peer.Close() }()
	for name, spoil := range map[string]func(*Snapshot){
		"nothing":               func(s *Snapshot) { *s = Snapshot{} },
		"version":               func(s *Snapshot) { s.Version++ },
		"role":                  func(s *Snapshot) { s.Role = "" },
		"the other role":        func(s *Snapshot) { s.Role = "client" },
		"ended":                 func(s *Snapshot) { s.State = Closed },
		"close received":        func(s *Snapshot) { s.State = CloseReceived },
		"limits":                func(s *Snapshot) { s.Limits.QueueSize = 0 },
		"policy":                func(s *Snapshot) { s.Limits.SlowConsumer = "wait" },
		"pong":                  func(s *Snapshot) { s.Pong = make([]byte, 126) },
		"no compression":        func(s *Snapshot) { s.Compression = nil },
		"window bits":           func(s *Snapshot) { s.Compression.Params.ClientMaxWindowBits = 16 },
		"long window":           func(s *Snapshot) { s.Compression.Receive = make([]byte, 32<<10+1) },
		"long window to send":   func(s *Snapshot) { s.Compression.Send = make([]byte, 32<<10+1) },
		"inflater":              func(s *Snapshot) { s.Receiver.Inflate = []byte{0xFF, 0xFF} },
		"inflater of another":   func(s *Snapshot) { s.Receiver.Inflate = s.Receiver.Inflate[:len(s.Receiver.Inflate)-1] },
		"held is not inflated":  func(s *Snapshot) { s.Receiver.Held = s.Receiver.Held[:1] },
		"inflated for nothing":  func(s *Snapshot) { s.Receiver = receiverState{RSV: s.Receiver.RSV, Inflate: s.Receiver.Inflate} },
		"compressed without":    func(s *Snapshot) { s.Receiver.InMessage = false },
		"reserved bits":         func(s *Snapshot) { s.Receiver.RSV = 0 },
		"opcode":                func(s *Snapshot) { s.Receiver.Opcode = frame.Ping },
		"no fragments":          func(s *Snapshot) { s.Receiver.Fragments = 0 },
		"header that is whole":  func(s *Snapshot) { s.Receiver.Head = []byte{0x81, 0} },
		"header that is long":   func(s *Snapshot) { s.Receiver.Head = make([]byte, frame.MaxHeader+1) },
		"frame that is overful": func(s *Snapshot) { s.Receiver.Got = 1 << 40 },
		"held beyond limits":    func(s *Snapshot) { s.Receiver.Held = make([]byte, 3001) },
	} {
		s := good()
		spoil(s)
		if _, err := u.Restore(line, s, new(accountant)); !errors.Is(err, ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
		if n := budget.Used(); n != 0 {
			t.Fatalf("%s: %d bytes of the budget are spent", name, n)
		}
	}
	e := &accountant{over: make(chan struct{})}
	if _, err := u.Restore(line, good(), e); err != nil {
		t.Fatal("the line is not as it was: ", err)
	}
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	if <-e.over; e.end != "left" {
		t.Error(e.end)
	}
}

// FuzzRestoreSocket: a snapshot that comes from anywhere is refused with ErrSnapshot, or makes a socket that takes what
// comes and comes to an end. What is restored can be written down and is restored again.
func FuzzRestoreSocket(f *testing.F) {
	for _, s := range snapshots(f) {
		b, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, true)
		f.Add(b, false)
	}
	u := &Upgrader{Driver: Goroutine, Compression: &Compression{}}
	f.Fuzz(func(t *testing.T, b []byte, twice bool) {
		s := new(Snapshot)
		if json.Unmarshal(b, s) != nil {
			return
		}
		fd, peer := linePair(t)
		defer func() { _ = peer.Close() }()
		line := net.Conn(fileConn(t, fd))
		e := &accountant{over: make(chan struct{})}
		k, err := u.Restore(line, s, e)
		if err != nil {
			_ = line.Close()
			if !errors.Is(err, ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		if twice {
			if line, s, err = k.Detach(t.Context()); err == nil {
				e = &accountant{over: make(chan struct{})}
				if _, err = u.Restore(line, s, e); err != nil {
					t.Fatalf("%+v is not taken back: %v", s, err)
				}
			}
		}
		_, _ = peer.Write(mixed()) // it may have ended
		_ = peer.CloseWrite()
		select {
		case <-e.over:
		case <-time.After(20 * time.Second):
			t.Fatal("no end")
		}
		if strings.Contains(e.end, "panicked") {
			t.Fatal(e.end)
		}
	})
}

// Dropping leaves what is being written whole, and the stream of messages that stand alone readable.
func TestDroppingTearsNothing(t *testing.T) {
	for way := range 3 {
		r := newRig()
		l := r.set.limits
		l.SlowConsumer, l.QueueSize = DropOldest, 8<<10
		r.set = newSettings(l, newMemory())
		fd, peer := linePair(t)
		defer func() { _ = peer.Close() }()
		role, a := terms(0xE6)
		c, e := r.start(t, way, fd, role, a)
		s := c.(*Socket)
		rng := rand.New(rand.NewPCG(1, 1))
		var words [400]byte // that are common to one message and the next
		for i := range 1500 {
			p := append(words[:0:0], words[:]...)
			for j := range words {
				words[j] = byte(rng.Uint32())
			}
			p = append(p, words[:]...)
			if err := s.Write(frame.Binary, fmt.Appendf(p, "%d", i)); err != nil && !errors.Is(err, ErrQueueFull) {
				t.Fatal(err)
			}
		}
		if s.Dropped() == 0 {
			t.Fatal("nothing was dropped")
		}
		if err := s.Close(frame.NormalClosure, ""); err != nil {
			t.Fatal(err)
		}
		z := newZipped(newRig().set, frame.Client, a)
		var told story
		b := make([]byte, 64<<10)
		for !z.closed {
			n, err := peer.Read(b)
			if err != nil || !told.listen(z.receiver, b[:n], n) {
				t.Fatalf("%s: the peer got %d messages and then %v %.100q", ways()[way], len(told), err, told[max(len(told)-1, 0):])
			}
		}
		_ = peer.Close()
		<-e.over
	}
}
