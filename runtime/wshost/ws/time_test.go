package ws

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// These tests run in a bubble with a clock of its own: nobody waits, times are exact to the nanosecond, and a
// goroutine that is left behind fails the test.

// pair is a server's connection and the line to it.
func pair(t *testing.T, l Limits) (*Conn, net.Conn) {
	t.Helper()
	here, there := net.Pipe()
	t.Cleanup(func() { there.Close() })
	return newConn(here, frame.Server, newSettings(l.resolved(), newMemory()), "", nil, nil), there
}

// frameOf reads an unmasked frame of at most 125 bytes.
func frameOf(t *testing.T, line net.Conn) (frame.Opcode, string) {
	t.Helper()
	var h [2]byte
	if _, err := io.ReadFull(line, h[:]); err != nil {
		t.Fatalf("waiting for a frame: %v", err)
	}
	p := make([]byte, h[1])
	if _, err := io.ReadFull(line, p); err != nil {
		t.Fatal(err)
	}
	return frame.Opcode(h[0] & 0xF), string(p)
}

func write(t *testing.T, line net.Conn, frames ...[]byte) {
	t.Helper()
	if _, err := line.Write(join(frames...)); err != nil {
		t.Fatal(err)
	}
}

type outcomeOf struct {
	op   frame.Opcode
	p    string
	err  error
	took time.Duration
}

// reads calls Read once in a goroutine.
func reads(c *Conn) <-chan outcomeOf {
	done := make(chan outcomeOf, 1)
	start := time.Now()
	go func() {
		op, p, err := c.Read(context.Background())
		done <- outcomeOf{op, string(p), err, time.Since(start)}
	}()
	return done
}

func TestLimitAssemblyTimeout(t *testing.T) {
	const limit = 3 * time.Second
	for _, c := range []struct {
		name  string
		parts [][]byte // sent with half of the rest of the time between them
		wait  time.Duration
		ok    bool
	}{
		{"fragments just in time", [][]byte{wire(frame.Binary, false, "a"), wire(frame.Continuation, true, "b")}, limit - 1, true},
		{"fragments too late", [][]byte{wire(frame.Binary, false, "a"), wire(frame.Continuation, true, "b")}, limit, false},
		{"frame just in time", [][]byte{wire(frame.Binary, true, "ab")[:7], wire(frame.Binary, true, "ab")[7:]}, limit - 1, true},
		{"frame too late", [][]byte{wire(frame.Binary, true, "ab")[:7], wire(frame.Binary, true, "ab")[7:]}, limit, false},
		{"header too late", [][]byte{wire(frame.Binary, true, "ab")[:1], wire(frame.Binary, true, "ab")[1:]}, limit, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, line := pair(t, Limits{AssemblyTimeout: limit, PingInterval: -1})
				got := reads(conn)
				time.Sleep(time.Hour) // silence between messages is no crime
				write(t, line, c.parts[0])
				synctest.Wait()
				time.Sleep(c.wait)
				synctest.Wait()
				if c.ok {
					write(t, line, c.parts[1])
					if r := <-got; r.err != nil || r.p != "ab" {
						t.Errorf("Read: %+v", r)
					}
					got = reads(conn)
					time.Sleep(time.Hour)
					write(t, line, wire(frame.Binary, true, "and on"))
					if r := <-got; r.p != "and on" {
						t.Errorf("the time between messages counts: %+v", r)
					}
					conn.Cut()
					return
				}
				op, p := frameOf(t, line)
				r := <-got
				var pe *ProtocolError
				if op != frame.Close || binary.BigEndian.Uint16([]byte(p)) != 1008 || !errors.As(r.err, &pe) || pe.Code != 1008 || r.took != time.Hour+limit {
					t.Errorf("got %v %q and %+v", op, p, r)
				}
			})
		})
	}
}

func TestLimitPingIntervalAndPongTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{PingInterval: 30 * time.Second, PongTimeout: 10 * time.Second})
		got := reads(conn)
		start := time.Now()
		for i := range 3 { // a peer that answers in the last moment lives
			op, p := frameOf(t, line)
			if since := time.Since(start); op != frame.Ping || since != 30*time.Second {
				t.Fatalf("ping %d: %v after %v", i, op, since)
			}
			time.Sleep(10*time.Second - 1)
			start = time.Now()
			write(t, line, wire(frame.Pong, true, p))
			synctest.Wait()
			if trip := conn.LastPong().RoundTrip; trip != 10*time.Second-1 {
				t.Errorf("round trip %v", trip)
			}
		}
		time.Sleep(29 * time.Second) // data counts as life, too: no ping after it for the whole interval
		write(t, line, wire(frame.Text, true, "here"))
		if r := <-got; r.p != "here" {
			t.Fatalf("%+v", r)
		}
		start = time.Now()
		got = reads(conn)
		if op, _ := frameOf(t, line); op != frame.Ping || time.Since(start) != 30*time.Second {
			t.Fatalf("%v after %v", op, time.Since(start))
		}
		r := <-got // a peer that does not answer is cut
		if !errors.Is(r.err, os.ErrDeadlineExceeded) || r.took != 40*time.Second || conn.State() != Closed {
			t.Errorf("silent peer: %+v, %v", r, conn.State())
		}
		if _, err := line.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the line is not closed: %v", err)
		}
	})
}

// A peer that has fallen silent is asked after 30 s and given up 20 s later, unless that is switched off.
func TestPingByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{})
		got := reads(conn)
		start := time.Now()
		if op, _ := frameOf(t, line); op != frame.Ping || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %v", op, time.Since(start))
		}
		if r := <-got; !errors.Is(r.err, os.ErrDeadlineExceeded) || r.took != 50*time.Second {
			t.Errorf("%+v", r)
		}
		conn, line = pair(t, Limits{PingInterval: -1})
		got = reads(conn)
		time.Sleep(1000 * time.Hour)
		write(t, line, wire(frame.Text, true, "late"))
		if r := <-got; r.p != "late" || conn.Counts().BytesOut != 0 {
			t.Errorf("%+v, %+v", r, conn.Counts())
		}
		conn.Cut()
	})
}

// A connection that was not read for long is not cut for it: what lies on the line is looked at first.
func TestUnreadPongIsNotALostPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{PingInterval: time.Second, PongTimeout: time.Second})
		ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond)
		defer cancel()
		go func() { _, _, _ = conn.Read(ctx) }() // sends a ping and gives up before the answer
		_, p := frameOf(t, line)
		<-ctx.Done()
		synctest.Wait()
		go func() { _, _ = line.Write(join(wire(frame.Pong, true, p), wire(frame.Text, true, "alive"))) }()
		time.Sleep(time.Hour)
		if r := <-reads(conn); r.p != "alive" {
			t.Errorf("%+v", r)
		}
		conn.Cut()
	})
}

func TestLimitCloseTimeout(t *testing.T) {
	for _, late := range []time.Duration{-1, 0} {
		for _, shutdown := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				conn, line := pair(t, Limits{CloseTimeout: 4 * time.Second})
				start := time.Now()
				closed := make(chan error, 1)
				var read <-chan outcomeOf
				if shutdown {
					read = reads(conn)
					conn.Shutdown(1001, "going")
					if time.Since(start) != 0 {
						t.Error("Shutdown waits")
					}
				} else {
					go func() { closed <- conn.Close(1001, "going") }()
				}
				if op, p := frameOf(t, line); op != frame.Close || p != "\x03\xe9going" {
					t.Fatalf("%v %q", op, p)
				}
				synctest.Wait()
				if conn.State() != CloseSent {
					t.Errorf("state %v", conn.State())
				}
				time.Sleep(4*time.Second + late)
				synctest.Wait()
				_, werr := line.Write(wire(frame.Close, true, "\x03\xe9"))
				<-conn.Done()
				err := conn.err
				var ce *CloseError
				if late < 0 && (werr != nil || !errors.As(err, &ce) || !ce.Sent || ce.Code != 1001) {
					t.Errorf("answered in time: %v, %v", werr, err)
				}
				if late == 0 && (werr == nil || !errors.Is(err, os.ErrDeadlineExceeded)) {
					t.Errorf("answered too late: %v, %v", werr, err)
				}
				if shutdown {
					if r := <-read; r.err != err {
						t.Errorf("Read: %v", r.err)
					}
				} else if got := <-closed; (got == nil) != (late < 0) {
					t.Errorf("Close: %v", got)
				}
			})
		}
	}
}

// Shutdown must end a connection that nobody reads, whose writer is stuck, and whose peer is deaf.
func TestShutdownCutsWhenNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := pair(t, Limits{CloseTimeout: 4 * time.Second, WriteTimeout: time.Hour})
		wrote := make(chan error, 1)
		go func() { wrote <- conn.Write(context.Background(), frame.Text, []byte("nobody takes this")) }()
		synctest.Wait()
		start := time.Now()
		conn.Shutdown(1012, "restart")
		conn.Shutdown(1012, "restart")
		<-conn.Done()
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("cut after %v", took)
		}
		if err := <-wrote; err == nil {
			t.Error("the stuck write succeeded")
		}
	})
}

func TestLimitWriteTimeout(t *testing.T) {
	for _, wait := range []time.Duration{2*time.Second - 1, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			conn, line := pair(t, Limits{WriteTimeout: 2 * time.Second})
			wrote := make(chan error, 1)
			go func() { wrote <- conn.Write(context.Background(), frame.Text, []byte("hi")) }()
			time.Sleep(wait)
			synctest.Wait()
			if wait < 2*time.Second {
				if _, p := frameOf(t, line); p != "hi" {
					t.Errorf("got %q", p)
				}
				if err := <-wrote; err != nil {
					t.Error(err)
				}
				conn.Cut()
				return
			}
			if err := <-wrote; !errors.Is(err, os.ErrDeadlineExceeded) || conn.State() != Closed {
				t.Errorf("Write: %v, %v", err, conn.State())
			}
		})
	}
}

func TestOnlyTheNewestPingIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{})
		got := reads(conn)
		write(t, line, repeat(99, wire(frame.Ping, true, "old")), wire(frame.Ping, true, "new"))
		if op, p := frameOf(t, line); op != frame.Pong || p != "new" {
			t.Fatalf("got %v %q", op, p)
		}
		write(t, line, wire(frame.Text, true, "x"))
		<-got
		if n := conn.Counts().BytesOut; n != 2+3 {
			t.Errorf("%d bytes went out for one pong", n)
		}
		conn.Cut()
	})
}

// The reader must not wait for a writer that is stuck: its peer may be waiting to be read first.
func TestPongWaitsForTheWriterAndTheReaderDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{})
		wrote := make(chan error, 1)
		go func() { wrote <- conn.Write(context.Background(), frame.Text, []byte("first")) }()
		synctest.Wait()
		got := reads(conn)
		write(t, line, wire(frame.Ping, true, "p"))
		write(t, line, wire(frame.Text, true, "read while writing"))
		if r := <-got; r.p != "read while writing" {
			t.Fatalf("%+v", r)
		}
		if op, p := frameOf(t, line); op != frame.Text || p != "first" {
			t.Errorf("got %v %q", op, p)
		}
		if op, p := frameOf(t, line); op != frame.Pong || p != "p" {
			t.Errorf("got %v %q", op, p)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		conn.Cut()
	})
}
