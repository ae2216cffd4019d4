package wshost

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// sendChunk is how much of a file is sent between two renewals of the write deadline.
const sendChunk = 1 << 20

// conn is an accepted connection. Until it is upgraded it renews the write deadline with every write: a client that
// reads nothing for the site's connectionTimeout is cut, a slow one that reads steadily is not.
type conn struct {
	*net.TCPConn
	set      *connSet
	release  func()
	timeout  time.Duration
	began    time.Time    // a moment that ages are counted from
	renewed  atomic.Int64 // age, in nanoseconds, when the write deadline was last renewed; 0 for never
	more     atomic.Bool  // the write that comes next has another one behind it
	first    *[]byte      // that write, kept for the other; only whoever writes has it
	upgraded atomic.Bool  // its new owner sets the deadlines
	taken    atomic.Pointer[func()]
	once     sync.Once
}

var _ ws.Wrapped = (*conn)(nil)

// Take gives the line below to the WebSocket engine; c goes on to count as an open connection until Close.
func (c *conn) Take(cut func()) *net.TCPConn {
	c.taken.Store(&cut)
	return c.TCPConn
}

// Write renews the deadline and writes. What was kept of the write before leaves with it.
func (c *conn) Write(p []byte) (int, error) {
	c.renew()
	if c.more.CompareAndSwap(true, false) {
		c.first = c.set.head(p)
		return len(p), nil
	}
	if c.first == nil {
		return c.TCPConn.Write(p)
	}
	head := c.first
	c.first = nil
	bufs := net.Buffers{*head, p}
	n, err := bufs.WriteTo(c.TCPConn)
	n = max(n-int64(len(*head)), 0)
	c.set.heads.Put(head)
	return int(n), err
}

// noMore says that nothing more is about to be written.
func (c *conn) noMore() {
	c.more.Store(false)
	if c.first != nil {
		_, _ = c.Write(nil) // a line that fails fails the next read or write as well
	}
}

// writeMore writes what more will follow (send(2), MSG_MORE).
func (c *conn) writeMore(p []byte) (n int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	waited := raw.Write(func(fd uintptr) bool {
		for n < len(p) {
			var sent int
			sent, err = unix.SendmsgN(int(fd), p[n:], nil, nil, unix.MSG_MORE|unix.MSG_NOSIGNAL)
			switch {
			case err == unix.EINTR:
				continue
			case err == unix.EAGAIN:
				err = nil
				return false
			case err != nil:
				return true
			}
			n += sent
		}
		return true
	})
	if err == nil {
		err = waited
	}
	return n, err
}

// ReadFrom sends src, in chunks so that the deadline can be renewed between them. The kernel copies files by itself
// (sendfile) only when it is handed the file inside at most one io.LimitedReader.
func (c *conn) ReadFrom(src io.Reader) (n int64, err error) {
	if c.upgraded.Load() {
		return c.TCPConn.ReadFrom(src)
	}
	outer, limited := src.(*io.LimitedReader)
	for {
		chunk := io.LimitedReader{R: src, N: sendChunk}
		if limited {
			chunk = io.LimitedReader{R: outer.R, N: min(outer.N, sendChunk)}
		}
		want := chunk.N
		if want <= 0 {
			return n, nil
		}
		c.renew()
		sent, err := c.send(&chunk)
		n += sent
		if limited {
			outer.N -= sent
		}
		if err != nil || sent < want {
			return n, err
		}
	}
}

// send sends a chunk of a file.
func (c *conn) send(chunk *io.LimitedReader) (n int64, err error) {
	f, ok := chunk.R.(*openFile)
	if head := c.first; head != nil {
		c.first = nil
		_, err := c.writeMore(*head)
		c.set.heads.Put(head)
		if err != nil {
			return 0, err
		}
	}
	if !ok {
		return c.TCPConn.ReadFrom(chunk)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	waited := raw.Write(func(fd uintptr) bool {
		for n < chunk.N {
			var sent int
			sent, err = unix.Sendfile(int(fd), f.fd, &f.off, int(chunk.N-n))
			switch {
			case err == unix.EINTR:
				continue
			case err == unix.EAGAIN:
				err = nil
				return false
			case err != nil || sent == 0: // 0: the file has become shorter
				return true
			}
			n += int64(sent)
		}
		return true
	})
	chunk.N -= n
	if n == 0 && (err == unix.EINVAL || err == unix.ENOSYS) { // a file system that cannot
		return c.TCPConn.ReadFrom(chunk)
	}
	if err == nil {
		err = waited
	}
	return n, err
}

func (c *conn) renew() {
	if c.timeout <= 0 || c.upgraded.Load() {
		return
	}
	now := time.Now()
	age := now.Sub(c.began)
	if last := time.Duration(c.renewed.Load()); last > 0 && age-last < c.timeout/16 {
		return // what is left is as good as a whole one
	}
	c.renewed.Store(int64(max(age, 1)))
	_ = c.SetWriteDeadline(now.Add(c.timeout)) // fails only on a closed connection, which Write reports
}

// Close closes the connection and gives its place back.
func (c *conn) Close() error {
	err := error(net.ErrClosed)
	c.once.Do(func() {
		if cut := c.taken.Load(); cut != nil {
			(*cut)()
		}
		err = c.TCPConn.Close()
		c.set.remove(c)
		c.release()
	})
	return err
}

// connSet knows every open connection of an endpoint, upgraded ones included, so that Stop can cut what is left.
type connSet struct {
	mu    sync.Mutex
	conns map[*conn]struct{}
	empty chan struct{} // not nil while somebody waits; closed when the last connection has gone
	heads sync.Pool     // of *[]byte that a header is kept in until its body comes
}

// head returns a copy of p.
func (s *connSet) head(p []byte) *[]byte {
	b, ok := s.heads.Get().(*[]byte)
	if !ok {
		b = new([]byte)
	}
	*b = append((*b)[:0], p...)
	return b
}

func (s *connSet) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		s.conns = map[*conn]struct{}{}
	}
	s.conns[c] = struct{}{}
}

func (s *connSet) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
}

// wait waits until no connection is left or ctx ends.
func (s *connSet) wait(ctx context.Context) {
	s.mu.Lock()
	if len(s.conns) == 0 {
		s.mu.Unlock()
		return
	}
	if s.empty == nil {
		s.empty = make(chan struct{})
	}
	empty := s.empty
	s.mu.Unlock()
	select {
	case <-empty:
	case <-ctx.Done():
	}
}

// cut closes every connection and returns how many there were.
func (s *connSet) cut() int {
	s.mu.Lock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
	return len(all)
}
