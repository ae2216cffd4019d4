//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// descriptors returns how many files the server's process has open.
func (s *server) descriptors() int {
	s.t.Helper()
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "fd"))
	if err != nil {
		s.t.Fatal(err)
	}
	return len(entries)
}

func wantSockets(s *server, n int) error {
	if got := s.sockets(); got != n {
		return fmt.Errorf("the host counts %d sockets, want %d", got, n)
	}
	return nil
}

// load keeps sockets echoing and fetches a page over and over until stop is called, which returns what it did.
type load struct {
	t                *testing.T
	done             chan struct{}
	wg               sync.WaitGroup
	echoes, requests atomic.Int64
}

func startLoad(s *server, conns []*rawConn) *load {
	const workers = 8
	l := &load{t: s.t, done: make(chan struct{})}
	for w := range workers {
		l.wg.Go(func() { l.echo(conns, w, workers) })
	}
	for range 3 {
		l.wg.Go(func() { l.fetch(s.url("/iisstart.htm")) })
	}
	return l
}

func (l *load) running() bool {
	select {
	case <-l.done:
		return false
	default:
		return !l.t.Failed()
	}
}

// echo goes round the sockets of one worker; each socket has at most one message on its way.
func (l *load) echo(conns []*rawConn, first, step int) {
	for round := 0; l.running(); round++ {
		for i := first; i < len(conns) && l.running(); i += step {
			if err := conns[i].echo(fmt.Appendf(nil, "round %d on socket %d", round, i)); err != nil {
				l.t.Errorf("socket %d in round %d: %v", i, round, err)
				return
			}
			l.echoes.Add(1)
		}
	}
}

func (l *load) fetch(url string) {
	client := http.Client{Timeout: patience, Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	want := -1
	for l.running() {
		resp, err := client.Get(url)
		if err != nil {
			l.t.Errorf("a request failed: %v", err)
			return
		}
		n, err := io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close() // read to its end
		if want < 0 {
			want = int(n)
		}
		if err != nil || resp.StatusCode != http.StatusOK || int(n) != want {
			l.t.Errorf("a request was answered with %d and %d bytes, %v; want 200 and %d", resp.StatusCode, n, err, want)
			return
		}
		l.requests.Add(1)
	}
}

func (l *load) stop() (echoes, requests int64) {
	close(l.done)
	l.wg.Wait()
	return l.echoes.Load(), l.requests.Load()
}

// TestReloadsDropNobody reloads a hundred times below a thousand echoing sockets and a stream of requests.
func TestReloadsDropNobody(t *testing.T) {
	const sockets, reloads = 1000, 100
	s := startRacing(t, "websocket")
	s.stillServes()
	s.eventually("the host is at rest", func() error { return wantSockets(s, 0) })
	goroutines, files := s.status().Goroutines, s.descriptors()

	conns := s.openSockets(sockets)
	l := startLoad(s, conns)
	first := s.status().Generation
	for i := range reloads {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		report, err := s.admin.Reload(ctx)
		cancel()
		if err != nil {
			t.Fatalf("reload %d: %v", i, err)
		}
		if want := first + uint64(i) + 1; report.Generation != want {
			t.Fatalf("reload %d made generation %d, want %d", i, report.Generation, want)
		}
	}
	echoes, requests := l.stop()
	t.Logf("%d echoes and %d requests during %d reloads", echoes, requests, reloads)
	if echoes < sockets || requests < reloads {
		t.Errorf("only %d echoes and %d requests: too few to say anything", echoes, requests)
	}
	echoAll(t, conns, "after the reloads")
	if err := wantSockets(s, sockets); err != nil {
		t.Error(err)
	}
	for _, c := range conns {
		_ = c.Close() // cut, as by a client that goes away
	}
	s.eventually("everything is given back", func() error {
		st, fds := s.status(), s.descriptors()
		// The question itself is a connection and a goroutine or two.
		if st.Sockets["websocket"] != 0 || st.Generations != 1 || st.Goroutines > goroutines+5 || fds > files+3 {
			return fmt.Errorf("%d sockets, %d generations, goroutines %d -> %d, descriptors %d -> %d",
				st.Sockets["websocket"], st.Generations, goroutines, st.Goroutines, files, fds)
		}
		return nil
	})
}

// TestUnconcernedSocketsStay removes and installs a feature that the open sockets do not belong to.
func TestUnconcernedSocketsStay(t *testing.T) {
	s := startRacing(t, "websocket")
	conns := s.openSockets(100)
	l := startLoad(s, conns)
	out := s.must("remove", "http-logging", "--max-cut", "0")
	s.must("install", "http-logging", "--max-cut", "0")
	if echoes, requests := l.stop(); echoes == 0 || requests == 0 {
		t.Errorf("%d echoes and %d requests: there was no load", echoes, requests)
	}
	echoAll(t, conns, "after remove and install")
	if err := wantSockets(s, len(conns)); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestStopSaysGoodbye ends the host with a command below live sockets: each gets a close frame with 1001.
func TestStopSaysGoodbye(t *testing.T) {
	s := startRacing(t, "websocket")
	conns := s.openSockets(50)
	var wg sync.WaitGroup
	for i, c := range conns {
		wg.Go(func() {
			code, err := c.closeCode()
			if err != nil || code != 1001 {
				t.Errorf("socket %d was closed with %d, %v; want 1001", i, code, err)
			}
			_ = c.send(opClose, []byte{0x03, 0xE9}) // answers, as every client does
		})
	}
	s.must("stop")
	wg.Wait()
	select {
	case <-s.done:
	case <-time.After(patience):
		t.Errorf("the host still runs")
	}
}

// TestSocketIsLoggedOnce looks for the one record of a socket in the access log: written when it ends, with status 101.
func TestSocketIsLoggedOnce(t *testing.T) {
	s := startServer(t, "websocket")
	c := s.openSockets(1)[0]
	if records := s.accessLog("/echo"); len(records) != 0 {
		t.Errorf("an open socket is logged already: %q", records)
	}
	if err := c.send(opClose, []byte{0x03, 0xE8}); err != nil {
		t.Fatal(err)
	}
	if code, err := c.closeCode(); err != nil || code != 1000 {
		t.Errorf("the close frame was answered with %d, %v; want 1000", code, err)
	}
	s.eventually("the socket is logged", func() error {
		records := s.accessLog("/echo")
		if len(records) != 1 || !strings.Contains(records[0], " 101 0 0 ") {
			return fmt.Errorf("the records are %q", records)
		}
		return nil
	})
}

// accessLog returns the records of the default site for a path.
func (s *server) accessLog(path string) (records []string) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.home, "logs", "W3SVC1", "u_ex*.log"))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			s.t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, " GET "+path+" ") {
				records = append(records, line)
			}
		}
	}
	return records
}
