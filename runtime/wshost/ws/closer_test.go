package ws

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

func TestCloserTable(t *testing.T) {
	for _, c := range []struct {
		from State
		step step
		to   State // 0: impossible
	}{
		{Open, sent, CloseSent}, {Open, received, CloseReceived}, {Open, cut, Closed},
		{CloseSent, sent, 0}, {CloseSent, received, Closed}, {CloseSent, cut, Closed},
		{CloseReceived, sent, Closed}, {CloseReceived, received, 0}, {CloseReceived, cut, Closed},
		{Closed, sent, 0}, {Closed, received, 0}, {Closed, cut, Closed},
	} {
		k := closer{state: c.from}
		ok, want := k.take(c.step), c.to
		if want == 0 {
			want = c.from
		}
		if ok != (c.to != 0) || k.state != want || k.first != (c.from == Open && c.step == sent) {
			t.Errorf("%v by step %d: %v, %+v", c.from, c.step, ok, k)
		}
	}
	for s, want := range map[State]string{Open: "open", CloseSent: "close-sent", CloseReceived: "close-received", Closed: "closed", 9: "state 9"} {
		if s.String() != want {
			t.Errorf("State(%d).String() = %q", s, s)
		}
	}
}

// Both sides close at once: each takes the other's frame for the answer.
func TestClosesCross(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{})
		closed := make(chan error, 1)
		go func() { closed <- conn.Close(1000, "") }()
		synctest.Wait()
		go func() { _, _ = line.Write(wire(frame.Close, true, "\x03\xe9")) }()
		if op, p := frameOf(t, line); op != frame.Close || p != "\x03\xe8" {
			t.Errorf("%v %q", op, p)
		}
		err := <-closed
		var ce *CloseError
		if err != nil || !errors.As(conn.err, &ce) || *ce != (CloseError{Code: 1001, Sent: true}) || conn.Counts().BytesOut != 4 {
			t.Errorf("%v, %v, %+v", err, conn.err, conn.Counts())
		}
		if conn.cutter.Stop() {
			t.Error("the timer of the closing handshake is still running")
		}
	})
}

func TestShutdownMendsCodeAndReason(t *testing.T) {
	for _, c := range []struct {
		code   uint16
		reason string
		want   string
	}{
		{1012, "restart", "\x03\xf4restart"},
		{4999, "", "\x13\x87"},
		{1006, "never on the wire", "\x03\xe9"},
		{1010, "not a server's", "\x03\xe9"},
		{1001, strings.Repeat("x", 122) + "é", "\x03\xe9" + strings.Repeat("x", 122)},
		{1001, strings.Repeat("x", 121) + "é", "\x03\xe9" + strings.Repeat("x", 121) + "é"},
	} {
		synctest.Test(t, func(t *testing.T) {
			conn, line := pair(t, Limits{})
			conn.Shutdown(c.code, c.reason)
			if op, p := frameOf(t, line); op != frame.Close || p != c.want {
				t.Errorf("Shutdown(%d, %.20q): %v %q", c.code, c.reason, op, p)
			}
			conn.Cut()
		})
	}
}

// A peer that closes while it takes nothing has closed all the same: its code is what Read tells.
func TestPeerClosesWithoutReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{CloseTimeout: 4 * time.Second, WriteTimeout: time.Hour})
		wrote := make(chan error, 1)
		go func() { wrote <- conn.Write(t.Context(), frame.Text, []byte("nobody takes this")) }()
		synctest.Wait()
		read := reads(conn)
		write(t, line, wire(frame.Close, true, "\x03\xe9bye"))
		r := <-read
		var ce *CloseError
		if !errors.As(r.err, &ce) || *ce != (CloseError{Code: 1001, Reason: "bye"}) || r.took != 4*time.Second {
			t.Errorf("%+v", r)
		}
		if err := <-wrote; err == nil {
			t.Error("the stuck write succeeded")
		}
	})
}

// A pong that could not be sent before a hand-over is sent after it, also an empty one.
func TestThePongSurvivesAHandOver(t *testing.T) {
	for _, payload := range []string{"", "ping"} {
		synctest.Test(t, func(t *testing.T) {
			conn, line := pair(t, Limits{})
			conn.writing <- struct{}{} // someone is writing
			read := reads(conn)
			write(t, line, wire(frame.Ping, true, payload), wire(frame.Text, true, "x"))
			<-read
			<-conn.writing
			end, s, err := conn.Detach(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			var again Snapshot
			if err := json.Unmarshal(b, &again); err != nil {
				t.Fatal(err)
			}
			if conn, err = Restore(end, &again); err != nil {
				t.Fatal(err)
			}
			read = reads(conn)
			if op, p := frameOf(t, line); op != frame.Pong || p != payload {
				t.Errorf("%v %q", op, p)
			}
			conn.Cut()
			<-read
		})
	}
}

// After the close frame has left nothing else may (RFC 6455, section 5.5.1), not even a pong.
func TestNothingIsSentAfterTheCloseFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{PingInterval: time.Second, CloseTimeout: time.Minute})
		read := reads(conn)
		conn.Shutdown(1001, "")
		frameOf(t, line)
		write(t, line, wire(frame.Ping, true, "?"), wire(frame.Text, true, "still"))
		if r := <-read; r.p != "still" {
			t.Errorf("what was on the way is lost: %+v", r)
		}
		read = reads(conn)
		if err := conn.Write(t.Context(), frame.Text, nil); !errors.Is(err, ErrClosing) {
			t.Errorf("Write: %v", err)
		}
		time.Sleep(30 * time.Second)
		write(t, line, wire(frame.Close, true, ""))
		if r := <-read; !errors.As(r.err, new(*CloseError)) || conn.Counts().BytesOut != 4 {
			t.Errorf("%+v, %+v", r, conn.Counts())
		}
	})
}

func TestUnansweredPingsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{PingInterval: time.Second})
		read := reads(conn)
		for range 3 * maxPings { // a peer that answers no ping and shows life otherwise
			if op, _ := frameOf(t, line); op != frame.Ping {
				t.Fatal(op)
			}
			write(t, line, wire(frame.Pong, true, "12345678"))
			synctest.Wait()
		}
		if len(conn.pings) > maxPings {
			t.Errorf("%d pings are remembered", len(conn.pings))
		}
		conn.Cut()
		<-read
	})
}

func TestAGreatMessageIsNotHeldWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{})
		read := reads(conn)
		write(t, line, wire(frame.Binary, true, strings.Repeat("x", 1<<20)))
		if r := <-read; len(r.p) != 1<<20 {
			t.Fatal(len(r.p))
		}
		read = reads(conn)
		synctest.Wait()
		if cap(conn.rx.part.message()) != 0 || cap(conn.buf) > maxReadBuffer {
			t.Errorf("%d and %d bytes are held", cap(conn.rx.part.message()), cap(conn.buf))
		}
		go func() { _, _ = io.CopyN(io.Discard, line, 1<<20+10) }()
		if err := conn.Write(t.Context(), frame.Binary, make([]byte, 1<<20)); err != nil || cap(conn.out) > keepOut {
			t.Errorf("%d bytes are held for writing, %v", cap(conn.out), err)
		}
		for range 64 { // a quiet peer gets a small buffer again
			write(t, line, wire(frame.Text, true, ""))
			<-read
			read = reads(conn)
			synctest.Wait()
		}
		if cap(conn.buf) != readBuffer {
			t.Errorf("the buffer stays at %d bytes", cap(conn.buf))
		}
		conn.Cut()
		<-read
	})
}

// The message that Read returned belongs to its reader until the next Read, also while another goroutine closes.
func TestCloseLeavesTheLastMessageAlone(t *testing.T) {
	for _, first := range [][][]byte{
		{wire(frame.Binary, true, strings.Repeat("a", 900))},
		{wire(frame.Binary, false, strings.Repeat("a", 450)), wire(frame.Continuation, true, strings.Repeat("a", 450))},
	} {
		synctest.Test(t, func(t *testing.T) {
			conn, line := pair(t, Limits{})
			go func() { write(t, line, join(first...), wire(frame.Binary, true, "zz")) }()
			_, p, err := conn.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			closed := make(chan error, 1)
			go func() { closed <- conn.Close(1000, "") }()
			frameOf(t, line)
			write(t, line, wire(frame.Binary, false, strings.Repeat("z", 2000)))
			write(t, line, wire(frame.Continuation, true, strings.Repeat("z", 3000)))
			if string(p) != strings.Repeat("a", 900) {
				t.Errorf("the message became %.50q", p)
			}
			write(t, line, wire(frame.Close, true, ""))
			if err := <-closed; err != nil || string(p) != strings.Repeat("a", 900) {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func TestErrorsNameTheirCode(t *testing.T) {
	v := frame.Check(frame.Header{FIN: true, Opcode: frame.Text}, frame.Context{Role: frame.Server})
	for want, err := range map[string]error{
		"websocket closed by handshake: 1001 (going away)":                                                       &CloseError{Code: 1001},
		`websocket closed by handshake: 1000 (normal closure): "bye"`:                                            &CloseError{Code: 1000, Reason: "bye"},
		"websocket failed with 1002 (protocol error): frame from a client is not masked (RFC 6455, section 5.1)": &ProtocolError{Code: 1002, Err: v},
		"websocket failed with 1009 (message too big): message is longer than 7 bytes":                           failure(1009, "message is longer than %d bytes", 7),
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
	var violation *frame.Violation
	if !errors.As(&ProtocolError{Code: 1002, Err: v}, &violation) || violation.Code != 1002 {
		t.Error("the violation cannot be had from the error")
	}
}
