//go:build unix

package ws_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// queueSize is Limits.QueueSize by default.
const queueSize = 1 << 20

// knock opens a connection of a raw client, also over TLS.
func knock(t *testing.T, ft *fortress) *raw {
	t.Helper()
	_, addr, _ := strings.Cut(ft.url, "://")
	conn, br, err := attackDial(order{Addr: addr, TLS: ft.secure})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line(conn).Close() })
	return &raw{t, conn, br}
}

// socketOf returns the server's side of a connection.
func (ft *fortress) socketOf(t *testing.T, peer *raw) *ws.Socket {
	t.Helper()
	for {
		s := await(t, ft.sockets)
		if a := s.RemoteAddr(); a != nil && a.String() == peer.LocalAddr().String() {
			return s
		}
	}
}

// line returns what a connection lies on.
func line(conn net.Conn) *net.TCPConn {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	return conn.(*net.TCPConn)
}

// published is how many messages of a size are written to a peer that never reads: 1 GiB, and of the smallest ones so
// many that the line and then the queue are full of them, for there it is the number that counts.
func published(size int) int { return scaled(min(1<<30/size, 1<<20)) }

// A peer that never reads costs the queue and one message, whatever the policy, and no message to it makes others wait.
// It is cut at the write deadline, or told 1013 if that is the policy and it reads in the end. Only WriteTimeout and
// CloseTimeout, which would be waited for, are shortened.
func TestAttackNeverReads(t *testing.T) {
	everyFront(t, func(t *testing.T, f front) {
		for _, policy := range []ws.SlowConsumer{ws.Block, ws.DropOldest, ws.CloseSlow} {
			for _, size := range []int{4, 1 << 10, 64 << 10, 1 << 20} {
				if f.pull && (policy != ws.Block || size < 64<<10) {
					continue // a Conn has no queue: Write waits for the peer
				}
				if size == 4 && policy != ws.DropOldest || underRace && (size == 1<<10 || size == 64<<10 && !f.pull || size == 4 && f.tls) {
					continue // too many system calls for what they show
				}
				t.Run(fmt.Sprintf("%s, messages of %d", policy, size), func(t *testing.T) { neverReads(t, f, policy, size) })
			}
		}
	})
}

func neverReads(t *testing.T, f front, policy ws.SlowConsumer, size int) {
	limit := 500 * time.Millisecond
	if size == 4 {
		limit = time.Second // it takes time to write so many
	}
	limits := ws.Limits{SlowConsumer: policy, WriteTimeout: limit, CloseTimeout: limit}
	if policy == ws.CloseSlow {
		limits.WriteTimeout, limits.CloseTimeout = 0, 0 // the close frame is to be read below
	}
	done := make(chan error, 1)
	ft := fortify(t, f, &ws.Upgrader{Limits: limits}, func(c *ws.Conn) error { return publishOrEcho(c, make([]byte, size), done) })
	var peer *raw
	var refused, dropped int64
	ft.once(t, 1, 2*queueSize+2*int64(size), func() {
		peer = knock(t, ft)
		if f.pull {
			peer.send(masked(0x81, "publish")...)
			if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Write ended with %v", err)
			}
			return
		}
		s := ft.socketOf(t, peer)
		refused = pour(t, s, policy, make([]byte, size))
		if policy != ws.CloseSlow {
			await(t, s.Done())
		}
		dropped = s.Dropped()
	})
	switch {
	case f.pull:
		return
	case policy == ws.CloseSlow:
		readToClose(t, peer, size)
		waitUntil(t, "the socket has ended", func() bool { return ft.ended("1013") == 1 })
	case ft.ended("has not taken") != 1:
		t.Errorf("the socket has ended otherwise: %v", ft.how())
	}
	if policy == ws.DropOldest && dropped == 0 || policy != ws.DropOldest && refused == 0 {
		t.Errorf("%d messages were dropped, %d refused", dropped, refused)
	}
}

// publishOrEcho serves a pull-style connection: who says "publish" is sent a GiB, others are well-behaved.
func publishOrEcho(c *ws.Conn, message []byte, done chan<- error) error {
	op, p, err := c.Read(context.Background())
	if err != nil {
		return err
	}
	if string(p) != "publish" {
		_ = c.Write(context.Background(), op, p)
		return echo(c)
	}
	for i := 0; i < published(len(message)) && err == nil; i++ {
		err = c.Write(context.Background(), frame.Binary, message)
	}
	done <- err
	return err
}

// pour writes to a peer that never reads until the socket ends, and returns how often the queue was full.
func pour(t *testing.T, s *ws.Socket, policy ws.SlowConsumer, message []byte) (refused int64) {
	// The goroutine driver may be late with what is queued: at the end the line must be full and not only the queue.
	for i, start := 0, time.Now(); i < published(len(message)) || time.Since(start) < 10*time.Second; i++ {
		err := s.Write(frame.Binary, message)
		switch {
		case errors.Is(err, ws.ErrQueueFull):
			refused++
		case errors.Is(err, ws.ErrClosing):
			return refused
		case err != nil:
			t.Errorf("Write: %v", err)
			return refused
		}
		if q := s.Queued(); q > queueSize+int64(len(message))+1<<10 {
			t.Errorf("%d bytes are queued after %d messages", q, i)
			return refused
		}
		if policy == ws.Block && i >= published(len(message)) {
			if err := s.WriteWait(context.Background(), frame.Binary, message); err != nil {
				if !errors.Is(err, ws.ErrClosing) {
					t.Errorf("WriteWait at a peer that never reads: %v", err)
				}
				return refused
			}
		}
	}
	return refused
}

// readToClose reads whole messages of a size, and then the close frame of a slow consumer.
func readToClose(t *testing.T, peer *raw, size int) {
	t.Helper()
	for begin := time.Now(); ; {
		first, p, err := peer.recv()
		if err != nil || first != 0x82 && first != 0x88 || first == 0x82 && len(p) != size {
			t.Errorf("after %v: got frame %#x of %d bytes, %v", time.Since(begin), first, len(p), err)
			return
		}
		if first == 0x88 {
			if !strings.HasPrefix(string(p), "\x03\xf5") {
				t.Errorf("close payload %q, want code 1013", p)
			}
			return
		}
	}
}

// A peer that takes what it is sent, but more slowly than it comes, is not one that takes nothing: it stays. Only
// WriteTimeout, which would be waited for, is shortened.
func TestAttackNotASlowReader(t *testing.T) {
	everyFront(t, func(t *testing.T, f front) {
		if f.pull {
			t.Skip("a Conn has no queue")
		}
		const limit = 300 * time.Millisecond
		ft := fortify(t, f, &ws.Upgrader{Limits: ws.Limits{SlowConsumer: ws.DropOldest, WriteTimeout: limit}}, nil)
		peer := knock(t, ft)
		s := ft.socketOf(t, peer)
		stop := make(chan struct{})
		var publisher sync.WaitGroup
		defer publisher.Wait()
		defer close(stop)
		publisher.Go(func() {
			for message := make([]byte, 16<<10); ; {
				select {
				case <-stop:
					return
				case <-s.Done():
					return
				default:
				}
				_ = s.Write(frame.Binary, message)
				runtime.Gosched()
			}
		})
		// Much more than 256 KiB are taken in each WriteTimeout, for systems let writers go on only when a good part of
		// what they hold has been taken.
		b := make([]byte, 64<<10)
		for begin, i := time.Now(), 1; time.Since(begin) < 4*limit; i++ {
			if _, err := io.ReadFull(peer.br, b); err != nil {
				t.Fatalf("after %v: %v, %v", time.Since(begin), err, ft.how())
			}
			<-time.After(time.Until(begin.Add(time.Duration(i) * limit / 40)))
		}
		if s.Dropped() == 0 {
			t.Error("the peer was fast enough for everything")
		}
	})
}

// Below the rate pings are free, but a peer that does not read is owed one pong: to the newest (RFC 6455, section
// 5.5.3). Default limits, nothing shortened.
func TestAttackPingsOfTheDeaf(t *testing.T) {
	const pings = 500
	everyFront(t, func(t *testing.T, f front) {
		great := make([]byte, 32<<20) // more than the line holds
		read := make(chan *ws.Conn, 1)
		ft := fortify(t, f, &ws.Upgrader{}, func(c *ws.Conn) error {
			op, p, err := c.Read(context.Background())
			if err != nil || string(p) != "publish" {
				if err == nil {
					_ = c.Write(context.Background(), op, p)
					err = echo(c)
				}
				return err
			}
			go func() { _ = c.Write(context.Background(), frame.Binary, great) }()
			read <- c
			_, _, err = c.Read(context.Background())
			return err
		})
		peer := knock(t, ft)
		var counts func() ws.Counts
		if f.pull {
			peer.send(masked(0x81, "publish")...)
			c := await(t, read)
			counts = c.Counts
			until := time.Now().Add(20 * time.Second)
			for last, same := int64(0), 0; same < 20 && time.Now().Before(until); { // until the line takes no more
				if n := counts().BytesOut; n == last {
					same++
				} else {
					last, same = n, 0
				}
				time.Sleep(2 * time.Millisecond)
			}
		} else {
			s := ft.socketOf(t, peer)
			counts = s.Counts
			for s.Queued() == 0 {
				if err := s.Write(frame.Binary, great[:64<<10]); err != nil {
					t.Fatal(err)
				}
				for range 200 { // the goroutine driver writes elsewhere
					if s.Queued() == 0 {
						break
					}
					time.Sleep(time.Millisecond)
				}
			}
		}
		before := counts().BytesIn
		sent := int64(0)
		for i := range pings {
			b := masked(0x89, fmt.Sprint("ping ", i))
			peer.send(b...)
			sent += int64(len(b))
		}
		waitUntil(t, "every ping is read", func() bool { return counts().BytesIn-before == sent })
		peer.send(masked(0x88, "\x03\xe8")...)
		pongs := ""
		for {
			first, p, err := peer.recv()
			if err != nil {
				t.Fatalf("after pongs %q: %v", pongs, err)
			}
			if first == 0x8a {
				pongs += string(p) + ";"
			}
			if first == 0x88 {
				break
			}
		}
		// Only the last pong waits. Others may precede it, that were due when the kernel found more room for the line, which it
		// does a few times; and the close frame may have been faster.
		last := fmt.Sprintf("ping %d;", pings-1)
		if n := strings.Count(pongs, ";"); pongs != "" && !strings.HasSuffix(pongs, last) || n > pings/50 {
			t.Errorf("%d pongs %q, want a few, and at last %q", n, pongs, last)
		}
	})
}

// A byte now and then does not keep a message going for ever, nor do pings in between, and what was announced and did
// not come takes no memory. Only AssemblyTimeout, which would be waited for, is shortened.
func TestAttackSlowLoris(t *testing.T) {
	const limit, peers = 400 * time.Millisecond, 50
	head := binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, 4<<20) // as long as a message may be
	starts := map[string][]byte{
		"half a header":                  head[:2],
		"the greatest message":           append(head, "key!payload"...),
		"a fragment without its end":     masked(0x02, strings.Repeat("x", 100))[:8],
		"fragments that do not go on":    masked(0x01, "first"),
		"a control frame without an end": masked(0x89, strings.Repeat("x", 100))[:8],
	}
	everyFront(t, func(t *testing.T, f front) {
		ft := fortify(t, f, &ws.Upgrader{Limits: ws.Limits{AssemblyTimeout: limit}}, nil)
		for name, start := range starts {
			if underRace && name != "the greatest message" && name != "fragments that do not go on" {
				continue
			}
			t.Run(name, func(t *testing.T) {
				ft.once(t, peers, 64<<10, func() {
					var wg sync.WaitGroup
					for range peers {
						p := knock(t, ft)
						wg.Go(func() {
							begin := time.Now()
							seen := make(chan outcome, 1)
							go func() { seen <- listen(p.br) }()
							_, _ = p.Write(start)
							drip := []byte("x")
							if name == "fragments that do not go on" {
								drip = append(masked(0x00, ""), masked(0x89, "")...)
							}
							for tick := time.NewTicker(limit / 8); ; {
								select {
								case <-tick.C:
									_, _ = p.Write(drip)
									continue
								case o := <-seen:
									tick.Stop()
									p.Close()
									if took := time.Since(begin); o.Code != 1008 || took < limit/2 || took > limit+5*time.Second {
										t.Errorf("%+v after %v", o, took)
									}
								}
								return
							}
						})
					}
					wg.Wait()
				})
			})
		}
	})
}

// A server that answers the opening handshake a byte at a time does not hold Dial beyond HandshakeTimeout, which is
// shortened. (That a client cannot do so to a server is up to the HTTP server's ReadHeaderTimeout; the host's is tested
// with it.)
func TestAttackSlowHandshake(t *testing.T) {
	const limit = 300 * time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for _, b := range []byte("HTTP/1.1 101 Switching Protocols\r\nX: " + strings.Repeat("x", 10_000)) {
					if _, err := conn.Write([]byte{b}); err != nil {
						return
					}
					time.Sleep(limit / 20)
				}
			}()
		}
	}()
	for _, scheme := range []string{"ws://", "wss://"} {
		before := descriptors()
		start := time.Now()
		c, _, err := ws.Dial(t.Context(), scheme+l.Addr().String(), &ws.DialOptions{Limits: ws.Limits{HandshakeTimeout: limit}})
		took := time.Since(start)
		if scheme == "wss://" && err != nil { // a drip that is no TLS fails at once, as it may
			took = max(took, limit)
		}
		if err == nil || took < limit || took > limit+5*time.Second {
			t.Errorf("%s: %v, %v after %v", scheme, c, err, took)
		}
		waitUntil(t, "the descriptors are free", func() bool { return descriptors() <= before })
	}
}

// Peers whose process is stopped are there for TCP and answer nothing: they are cut, and their descriptors are free.
// Only PingInterval and PongTimeout, which would be waited for, are shortened.
func TestAttackHalfOpen(t *testing.T) {
	const interval, pong, peers = 300 * time.Millisecond, 500 * time.Millisecond, 50
	everyFront(t, func(t *testing.T, f front) {
		a := recruit(t) // before there are connections that must not fall silent
		ft := fortify(t, f, &ws.Upgrader{Limits: ws.Limits{PingInterval: interval, PongTimeout: pong}}, nil)
		_, addr, _ := strings.Cut(ft.url, "://")
		ft.once(t, peers, 64<<10, func() {
			all, err := a.obey(order{Addr: addr, TLS: f.tls, Conns: peers})
			if err != nil || len(all) != peers {
				t.Errorf("%d connections: %v", len(all), err)
				return
			}
			if err := a.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Error(err)
				return
			}
			start := time.Now()
			for deadline := start.Add(20 * time.Second); ft.ended("has not answered a ping") < peers; time.Sleep(2 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Errorf("%d of %d have ended: %v", ft.ended("has not answered a ping"), peers, ft.how())
					return
				}
			}
			if took := time.Since(start); took < pong/2 || took > interval+pong+5*time.Second {
				t.Errorf("they have ended after %v", took)
			}
		})
	})
}
