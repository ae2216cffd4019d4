package wshost

import (
	"context"
	"fmt"
	"os"
	"time"
)

// stopReason is told to upgraded connections with 1001.
const stopReason = "the server is stopping"

// afterCut is how long a stopping host waits, once every connection is cut, for handlers that have not noticed.
const afterCut = 5 * time.Second

// Stop stops accepting, waits for requests in progress and closes upgraded connections with 1001 until ctx ends,
// then cuts what is left. The error tells what had to be cut and wraps that of ctx. Of several calls the first ctx to
// end decides; all return when the host has stopped.
func (s *Server) Stop(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { s.impatient(context.Cause(ctx)) })()
	s.stopOnce.Do(func() { go s.stop() })
	<-s.done
	return s.stopErr
}

// Done is closed when the server has stopped, also when told to through the admin socket.
func (s *Server) Done() <-chan struct{} { return s.done }

// stop does the work of Stop.
func (s *Server) stop() {
	s.closeReloads()
	s.log.Info("the host is stopping")
	s.probes.closeAll()
	s.conns.drain(stopReason)
	s.endpoints.shutdown(s.patience)
	left := s.conns.wait(s.patience)
	if cut := s.endpoints.cut(); cut > 0 {
		s.stopErr = fmt.Errorf("stop: %d connections had to be cut: %w", cut, context.Cause(s.patience))
	} else if left > 0 {
		s.stopErr = fmt.Errorf("stop: %d upgraded connections did not end: %w", left, context.Cause(s.patience))
	}
	if g := s.current.Swap(nil); g != nil {
		g.release()
	}
	if err := s.waitGenerations(); err != nil && s.stopErr == nil {
		s.stopErr = err
	}
	s.log.Info("the host has stopped", "requests", s.requests.Load())
	s.letGo()
	close(s.done)
	s.impatient(nil)
}

// closeReloads lets a reload that is in progress end, if there is time, and refuses all later ones.
func (s *Server) closeReloads() {
	select {
	case s.slot <- struct{}{}:
		defer func() { <-s.slot }() // to let those that wait see that the host is stopping
	case <-s.patience.Done():
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	s.stopping = true
}

// waitGenerations waits until every generation is closed. After the connections were cut, a handler that still does
// not return is a fault of its module: it is waited for a little, then left behind.
func (s *Server) waitGenerations() error {
	s.mu.Lock()
	var alive []*generation
	for g := range s.alive {
		alive = append(alive, g)
	}
	s.mu.Unlock()
	timeout := time.NewTimer(afterCut)
	defer timeout.Stop()
	for _, g := range alive {
		select {
		case <-g.closed:
		case <-timeout.C:
			return fmt.Errorf("stop: %d generations still have requests that do not end", len(alive))
		}
	}
	return nil
}

// letGo gives back what the host has of the machine. The lock goes after the socket's name, so that the next host on
// this home does not lose its own, and before the admin clients that wait for it are told.
func (s *Server) letGo() {
	s.certs.close()
	s.logFile.close()
	if s.tempDir != "" {
		_ = os.RemoveAll(s.tempDir)
	}
	if s.admin != nil {
		s.admin.close(s.lock.release)
		return
	}
	s.lock.release()
}
