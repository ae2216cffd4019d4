package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Sizes of a stream's buffers: that for reading begins small and doubles whenever a read fills it.
const (
	streamReadMin  = 1 << 10
	streamReadMax  = 16 << 10 // also what a peer can send ahead beside HTTP/2's own window
	streamWriteMax = 16 << 10 // HTTP/2's default frame size: more would be cut anyway
)

// stream is a net.Conn over one stream of an HTTP/2 server: it reads the request's body and writes the response's
// (RFC 8441, section 5). One goroutine may read while another writes, and everything else may be called at any time.
//
// Deadlines are its own. To the server of net/http a deadline that passed ends the body for good, here reading goes on
// when the deadline is moved; that takes a goroutine that reads ahead, one buffer at most. A deadline that passes while
// a Write is under way resets the stream, since nobody can tell how much of the frame has left; one that had passed
// before fails the Write and does no harm.
//
// The end of the stream that the peer sets is io.EOF. Ours is set by net/http when the handler returns, therefore
// there is no CloseWrite.
type stream struct {
	w             http.ResponseWriter
	control       *http.ResponseController
	body          io.ReadCloser
	ctx           context.Context // ends with the stream, at the latest when the handler returns
	local, remote net.Addr

	readBy, writeBy deadline
	closed          chan struct{}

	reading sync.Mutex   // held by Read
	asked   bool         // the filler has been asked and did not deliver yet
	want    chan []byte  // to the filler: read into this
	filled  chan filling // from the filler
	buf     []byte       // the filler's while asked
	rest    []byte       // of buf, what Read has not returned yet
	readErr error        // for good

	writing sync.Mutex // held by Write
	scratch []byte     // what is being written: HTTP/2 may go on reading it after an error

	mu     sync.Mutex
	ended  bool           // closed is closed
	busy   bool           // w is being written to
	cut    bool           // the stream was reset by us
	usage  sync.WaitGroup // goroutines that use w or body; added to under mu while not ended
	filler bool           // the filler was started
}

// filling is what one read of the body brought.
type filling struct {
	n   int
	err error
}

// openStream answers an extended CONNECT that handshake.CheckConnect accepted: it sends the status 200 with what
// w.Header holds, and returns the stream as a connection. Timeouts of the HTTP server do not concern it from then on. On an
// error before the 200, errors.Is(err, http.ErrNotSupported), nothing has been sent and the caller may refuse; on
// others the client is gone.
//
// The handler must not return before release has: net/http gives w to another request. The stream looks whether the
// handler has returned before it uses w, but cannot keep it from returning in the middle of a Write.
//
//	line, err := openStream(w, r)
//	...
//	defer line.release()
//	<-line.done()
func openStream(w http.ResponseWriter, r *http.Request) (*stream, error) {
	control := http.NewResponseController(w)
	if r.ProtoMajor != 2 {
		return nil, fmt.Errorf("open stream: not HTTP/2: %w", http.ErrNotSupported)
	}
	// Server.ReadTimeout and WriteTimeout would end the stream. This also tells whether w can do what Close needs.
	if err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})); err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	w.WriteHeader(http.StatusOK)
	if err := control.Flush(); err != nil {
		return nil, fmt.Errorf("open stream: the client left before the answer: %w", gone(err))
	}
	s := &stream{
		w: w, control: control, body: r.Body, ctx: r.Context(), remote: addressOf(r.RemoteAddr), local: address(""),
		closed: make(chan struct{}), want: make(chan []byte, 1), filled: make(chan filling, 1),
	}
	if local, ok := s.ctx.Value(http.LocalAddrContextKey).(net.Addr); ok {
		s.local = local
	}
	return s, nil
}

// gone keeps a late ErrNotSupported from looking like the early one.
func gone(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return errors.New("the answer cannot be flushed")
	}
	return err
}

// done returns a channel that is closed by Close.
func (s *stream) done() <-chan struct{} { return s.closed }

// release closes the stream and returns when nothing uses w and the request's body any more. It may take as long as the
// client's connection takes no bytes, if that is what a Write hangs on: only the HTTP server can close that.
func (s *stream) release() {
	_ = s.Close()
	s.usage.Wait()
}

// Close ends the stream: the peer sees its end when the handler returns. A Write under way fails and the stream is
// reset. It returns net.ErrClosed when the stream was closed before.
func (s *stream) Close() error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.ended = true
	close(s.closed)
	s.reset()
	s.mu.Unlock()
	s.readBy.set(time.Time{}) // frees the timers
	s.writeBy.set(time.Time{})
	_ = s.body.Close() // interrupts the filler
	return nil
}

// reset makes a write that is under way fail: nothing else than a deadline of the HTTP server does, and it ends the
// stream. s.mu is held, so that w is not given back meanwhile.
func (s *stream) reset() {
	if s.busy && !s.cut && s.ctx.Err() == nil {
		s.cut = true
		_ = s.use(func() error { return s.control.SetWriteDeadline(past()) })
	}
}

// use calls f, which uses w. When the handler returns without release, net/http makes f panic; in a goroutine of ours
// that would end the process instead of a request.
func (s *stream) use(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("stream used after its handler: %w", net.ErrClosed)
		}
	}()
	return f()
}

// Read reads what the peer sent.
func (s *stream) Read(p []byte) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	passed := s.readBy.wait()
	for {
		select {
		case <-s.closed:
			return 0, net.ErrClosed
		case <-passed:
			return 0, os.ErrDeadlineExceeded
		default:
		}
		if len(s.rest) > 0 {
			n := copy(p, s.rest)
			s.rest = s.rest[n:]
			return n, nil
		}
		if s.readErr != nil {
			return 0, s.readErr
		}
		if !s.ask() {
			return 0, net.ErrClosed
		}
		select {
		case f := <-s.filled:
			s.asked, s.rest, s.readErr = false, s.buf[:f.n], f.err
		case <-s.closed:
		case <-passed:
		}
	}
}

// ask has the filler read into buf, unless it does already. It returns false when the stream is closed.
func (s *stream) ask() bool {
	if s.asked {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	if !s.filler {
		s.filler = true
		s.usage.Add(1)
		go s.fill()
	}
	switch size := len(s.buf); {
	case size == 0:
		s.buf = make([]byte, streamReadMin)
	case cap(s.rest) == 0 && size < streamReadMax: // the last filling took all of buf
		s.buf = make([]byte, 2*size)
	}
	s.asked = true
	s.want <- s.buf // never blocks: there is one request at a time
	return true
}

// fill reads from the body what Read asks for.
func (s *stream) fill() {
	defer s.usage.Done()
	for {
		select {
		case <-s.closed:
			return
		case b := <-s.want:
			n, err := s.body.Read(b)
			s.filled <- filling{n, err}
			if err != nil {
				return
			}
		}
	}
}

// Write writes p and flushes it.
func (s *stream) Write(p []byte) (n int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	passed := s.writeBy.wait()
	for len(p) > 0 {
		chunk := p[:min(len(p), streamWriteMax)]
		if err := s.send(chunk, passed); err != nil {
			return n, err
		}
		n += len(chunk)
		p = p[len(chunk):]
	}
	return n, nil
}

// send writes one piece from a goroutine of its own: where the client's whole connection takes no bytes, HTTP/2 does
// not come back, not even from a deadline.
func (s *stream) send(chunk []byte, passed <-chan struct{}) error {
	s.mu.Lock()
	select {
	case <-passed:
		s.mu.Unlock()
		return os.ErrDeadlineExceeded
	default:
	}
	if s.ended || s.cut || s.ctx.Err() != nil {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.busy = true
	s.usage.Add(1)
	s.mu.Unlock()
	s.scratch = append(s.scratch[:0], chunk...)
	wrote := make(chan error, 1)
	go func(b []byte) {
		defer s.usage.Done()
		err := s.use(func() error {
			if _, err := s.w.Write(b); err != nil {
				return err
			}
			return s.control.Flush()
		})
		s.mu.Lock()
		s.busy = false
		s.mu.Unlock()
		wrote <- err
	}(s.scratch)
	var err error
	select {
	case err = <-wrote:
	case <-s.closed:
		err = net.ErrClosed
	case <-passed:
		err = os.ErrDeadlineExceeded
		s.mu.Lock()
		s.reset()
		s.mu.Unlock()
	}
	if err != nil {
		s.mu.Lock()
		s.cut = true // HTTP/2 may still read scratch
		s.mu.Unlock()
	}
	return err
}

// LocalAddr returns the address of the HTTP/2 connection on this side.
func (s *stream) LocalAddr() net.Addr { return s.local }

// RemoteAddr returns the peer's address as the request names it.
func (s *stream) RemoteAddr() net.Addr { return s.remote }

// SetDeadline sets both deadlines.
func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline bounds Read, also one that waits already. After it was moved reading goes on where it was.
func (s *stream) SetReadDeadline(t time.Time) error { return s.move(&s.readBy, t) }

// SetWriteDeadline bounds Write, also one that waits already; that one resets the stream.
func (s *stream) SetWriteDeadline(t time.Time) error { return s.move(&s.writeBy, t) }

func (s *stream) move(d *deadline, t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return net.ErrClosed
	}
	d.set(t)
	return nil
}

// address is one that is known as text only.
type address string

// Network returns "tcp".
func (address) Network() string { return "tcp" }

// String returns the text.
func (a address) String() string { return string(a) }

// addressOf returns http.Request.RemoteAddr as a *net.TCPAddr when it is one.
func addressOf(s string) net.Addr {
	if a, err := netip.ParseAddrPort(s); err == nil {
		return net.TCPAddrFromAddrPort(a)
	}
	return address(s)
}
