// Package fcgi is the side of a web server in FastCGI 1.0: it asks a responder, such as PHP, and reads its answer while it
// comes. One connection carries one request.
//
// It is not the application's side, which net/http/fcgi has, and knows nothing of processes: whoever has a connection uses
// it. Multiplexing and kept connections are left out: no responder in use multiplexes, and a new connection on one
// machine costs less than finding out that a kept one has gone stale.
package fcgi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// maxParams is how much the parameters of a request may take together. Servers limit header fields long before.
const maxParams = 8 << 20

// Param is a parameter of a request: a CGI variable.
type Param struct{ Name, Value string }

// Exchange is one request and its answer. Read is called by one goroutine.
type Exchange struct {
	// Stderr takes what the application writes to its error stream, within Read. nil drops it.
	Stderr func([]byte)

	conn    net.Conn
	in      records
	pending []byte // of stdout
	err     error  // sticky
	status  uint32 // appStatus
	idle    time.Duration

	mu    sync.Mutex
	limit time.Time // when the whole has to be over; zero for not yet

	sent    chan struct{} // closed when nothing more is sent
	sendErr error         // valid from then on
}

// Start begins a request: parameters and body go out while the answer is read. idle is how long the application may do
// nothing: a moment in which neither a part of the body can be handed over nor anything is read. From the end of the
// body on the whole may take total. The caller reads to the end or gives up, and closes the connection in both cases;
// then it waits for the body with Sent.
func Start(conn net.Conn, params []Param, body io.Reader, idle, total time.Duration) *Exchange {
	x := &Exchange{conn: conn, in: records{r: bufio.NewReaderSize(conn, 16<<10)}, idle: idle, sent: make(chan struct{})}
	go func() {
		err := x.send(params, body)
		x.mu.Lock()
		x.limit = time.Now().Add(total)
		x.mu.Unlock()
		x.active()
		x.sendErr = err
		close(x.sent)
	}()
	return x
}

// active moves the deadline of both directions.
func (x *Exchange) active() {
	x.mu.Lock()
	defer x.mu.Unlock()
	deadline := time.Now().Add(x.idle)
	if !x.limit.IsZero() && x.limit.Before(deadline) {
		deadline = x.limit
	}
	_ = x.conn.SetDeadline(deadline) // a closed connection fails where it is used
}

// BodyError is an error of the body's reader, which is the client's side.
type BodyError struct{ Err error }

// Error tells what the reader said.
func (e *BodyError) Error() string { return "read the body of the request: " + e.Err.Error() }

// Unwrap returns the error of the reader.
func (e *BodyError) Unwrap() error { return e.Err }

func (x *Exchange) send(params []Param, body io.Reader) error {
	out := appendRecord(nil, typeBegin, requestID, []byte{0, roleResponder, 0, 0, 0, 0, 0, 0})
	var pairs []byte
	for _, p := range params {
		pairs = appendPair(pairs, p.Name, p.Value)
	}
	if len(pairs) > maxParams {
		return fmt.Errorf("the parameters of the request take %d bytes, and %d are allowed", len(pairs), maxParams)
	}
	out = appendStream(out, typeParams, pairs)
	out = appendRecord(out, typeParams, requestID, nil)
	if body == nil {
		out = appendRecord(out, typeStdin, requestID, nil)
	}
	x.active()
	if _, err := x.conn.Write(out); err != nil || body == nil {
		return err
	}
	buf := make([]byte, 32<<10)
	for {
		// A client that takes its time is no fault of the application.
		_ = x.conn.SetDeadline(time.Time{})
		n, err := body.Read(buf)
		x.active()
		if n > 0 {
			if _, err := x.conn.Write(appendStream(out[:0], typeStdin, buf[:n])); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			_, err := x.conn.Write(appendRecord(out[:0], typeStdin, requestID, nil))
			return err
		case err != nil:
			_ = x.conn.Close() // half a body must not be taken for a whole one
			return &BodyError{err}
		}
	}
}

// Sent is closed when the body is handed over, or cannot be.
func (x *Exchange) Sent() <-chan struct{} { return x.sent }

// SendErr returns why the body could not be handed over: a *BodyError when the client is to blame. It waits for Sent.
func (x *Exchange) SendErr() error {
	<-x.sent
	return x.sendErr
}

// Read reads what the application writes to its output: a CGI response. io.EOF is the end that the application declared.
func (x *Exchange) Read(p []byte) (int, error) {
	for len(x.pending) == 0 {
		if x.err != nil {
			return 0, x.err
		}
		rec, err := x.in.next()
		if err != nil {
			x.err = unexpected(err)
			return 0, x.err
		}
		if x.sendingOver() {
			x.active()
		}
		x.take(rec)
	}
	n := copy(p, x.pending)
	x.pending = x.pending[n:]
	return n, nil
}

// sendingOver reports whether the deadline is for the reader to move: while the body is sent, its sender does.
func (x *Exchange) sendingOver() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.limit.IsZero()
}

// unexpected turns the end of a connection into an error: only FCGI_END_REQUEST ends an answer.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (x *Exchange) take(rec record) {
	if rec.id != requestID {
		return // a management record, or a rest of nobody's
	}
	switch rec.typ {
	case typeStdout:
		x.pending = rec.content
	case typeStderr:
		if x.Stderr != nil && len(rec.content) > 0 {
			x.Stderr(rec.content)
		}
	case typeEnd:
		x.err = x.ended(rec.content)
	}
}

func (x *Exchange) ended(content []byte) error {
	if len(content) < 5 {
		return fmt.Errorf("%w: the end of a request has %d bytes", ErrProtocol, len(content))
	}
	x.status = uint32(content[0])<<24 | uint32(content[1])<<16 | uint32(content[2])<<8 | uint32(content[3])
	switch content[4] {
	case statusComplete:
		return io.EOF
	case statusOverloaded, statusCantMultiplex:
		return ErrOverloaded
	case statusUnknownRole:
		return fmt.Errorf("%w: it is no responder", ErrProtocol)
	}
	return fmt.Errorf("%w: a request ended with the status %d", ErrProtocol, content[4])
}

// AppStatus returns what the application declared as its exit status, once Read has returned io.EOF.
func (x *Exchange) AppStatus() uint32 { return x.status }

// Ping asks an application that answers one request after the other whether it has finished the earlier ones: it waits
// until the connection is accepted and something comes back, or is closed from the other side.
func Ping(conn net.Conn, timeout time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := conn.Write(appendRecord(nil, typeGetValues, 0, appendPair(nil, "FCGI_MPXS_CONNS", ""))); err != nil {
		return err
	}
	s := records{r: conn}
	rec, err := s.next()
	switch {
	case errors.Is(err, io.EOF), err == nil && (rec.typ == typeGetValuesResult || rec.typ == typeUnknown):
		return nil
	case err == nil:
		return fmt.Errorf("%w: a record of type %d answers a question for values", ErrProtocol, rec.typ)
	}
	return err
}
