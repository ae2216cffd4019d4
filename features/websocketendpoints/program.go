package websocketendpoints

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// When its connection has ended a program sees the end of its input; what still runs after inputGrace is asked to end
// with SIGTERM, and killed termGrace later, with its process group.
const (
	inputGrace = time.Second
	termGrace  = 2 * time.Second
)

// closeOfExit is what the exit code of a program is added to for the close code: 4000 and on are free for applications (RFC
// 6455, section 7.4.2).
const closeOfExit = 4000

// framingBinary is the framing in which messages are bytes; the other is lines.
const framingBinary = "binary"

// program is a connection to an endpoint of type process, as the handler of its socket.
type program struct {
	q      *module.Request
	p      *process.Process
	lines  bool
	in     inlet
	stdin  *os.File // the end that is written to
	stdout *output
}

var _ ws.Handler = (*program)(nil)

// startProgram starts the program of a connection. leave is called when it has ended; not when it cannot be started.
func startProgram(st *state, r *http.Request, q *module.Request, e *endpoint, info string, leave func()) (*module.SocketSession, *module.HTTPError) {
	spec, refusal := command(r, q, e, info)
	if refusal != nil {
		return nil, refusal
	}
	in, inEnd, err := os.Pipe()
	if err != nil {
		return nil, cannotStart(err)
	}
	defer in.Close() // the program has it then
	out, outEnd, err := os.Pipe()
	if err != nil {
		_ = inEnd.Close()
		return nil, cannotStart(err)
	}
	defer outEnd.Close()
	stderr := process.NewLines(func(line string) {
		q.Logger.Warn("the program of an endpoint writes to its error stream", "endpoint", e.Path, "line", line)
	})
	spec.Stdin, spec.Stdout, spec.Stderr = in, outEnd, stderr
	p, err := st.keeper.Start(spec)
	if err != nil {
		_, _ = inEnd.Close(), out.Close()
		return nil, cannotStart(err)
	}
	x := &program{q: q, p: p, lines: e.Framing != framingBinary, stdin: inEnd, stdout: newOutput(out)}
	x.in = inlet{to: inEnd, done: func() { _ = inEnd.Close() }, stall: st.stall, stuck: x.stuck}
	go func() {
		<-p.Done()
		stderr.Flush()
		x.stdout.last()
		leave()
	}()
	abandon := func() {
		_, _ = inEnd.Close(), out.Close()
		p.Kill()
	}
	return &module.SocketSession{Handler: x, Abandon: abandon, Subprotocols: e.subprotocols()}, nil
}

// Opened begins to read the program.
func (x *program) Opened(s *ws.Socket) {
	x.in.socket = s
	go x.pump(s)
}

// Message passes a message of the client on: as a line, or as bytes.
func (x *program) Message(_ *ws.Socket, _ frame.Opcode, payload []byte) {
	if x.lines {
		x.in.put(payload, []byte("\n"))
		return
	}
	x.in.put(payload)
}

// Closed ends the program.
func (x *program) Closed(*ws.Socket, error) {
	x.in.end()
	go x.finish()
}

// stuck ends the connection of a client that the program keeps waiting for too long.
func (x *program) stuck() {
	x.q.Logger.Warn("the program of an endpoint takes nothing of what its client sends; it is ended", "after", x.in.stall)
	x.in.socket.Shutdown(uint16(frame.InternalError), "the program does not read")
}

// finish waits for the end of a program whose connection has ended, and sees to it.
func (x *program) finish() {
	t := time.NewTimer(inputGrace)
	defer t.Stop()
	select {
	case <-x.p.Done():
	case <-t.C:
		x.p.Stop(termGrace)
	}
	_ = x.stdin.Close() // whatever waits for a program that is gone
	x.stdout.close()
}

// pump passes on what the program writes. While the client does not take it, the program is not read.
func (x *program) pump(s *ws.Socket) {
	write := func(op frame.Opcode, p []byte) error { return s.WriteWait(context.Background(), op, p) }
	var err error
	if x.lines {
		err = copyLines(x.stdout, write)
	} else {
		err = copyBytes(x.stdout, write)
	}
	if errors.Is(err, errLongLine) {
		x.q.Logger.Warn("the program of an endpoint is ended", "error", err)
		s.Shutdown(uint16(frame.InternalError), err.Error())
		return
	}
	if err != nil {
		return // the socket has ended, and Closed is told
	}
	select {
	case <-x.p.Done():
	case <-s.Done():
		return
	}
	code, reason := closeOf(x.p.Exit())
	s.Shutdown(uint16(code), reason)
}

// closeOf returns the close code and reason that tell the client how a program ended.
func closeOf(e process.Exit) (frame.CloseCode, string) {
	switch {
	case e.Signal != 0:
		return frame.InternalError, "the program was " + e.String()
	case e.Code == 0:
		return frame.NormalClosure, ""
	}
	return frame.CloseCode(closeOfExit + e.Code), fmt.Sprintf("the program ended with exit code %d", e.Code)
}
