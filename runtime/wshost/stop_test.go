package wshost

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestStopLetsEverybodyFinish(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	sockets := upgrader()
	f := &fake{name: "SlowModule", serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != "/slow" {
			next.ServeHTTP(w, r)
			return
		}
		close(started)
		<-release
		_, _ = io.WriteString(w, "finished")
	}}
	h := newTestHost(t, f, sockets).start()
	slow := dialRaw(t, h.addr).send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-started
	socket := upgrade(t, h.addr)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- h.s.Stop(ctx) }()

	if line, err := socket.r.ReadString('\n'); err != nil || line != "close 1001 "+stopReason+"\n" {
		t.Errorf("the socket was told %q (%v), want 1001", line, err)
	}
	eventually(t, "nothing is accepted any more", func() bool { return refused(h.addr) })
	if _, err := h.s.Reload(ctx); err == nil {
		t.Error("a stopping host reloaded")
	}
	if _, _, err := h.s.OpenProbe(); err == nil {
		t.Error("a stopping host opened a probe")
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a request in progress and an open socket: %v", err)
	case <-h.s.Done():
		t.Fatal("done with a request in progress and an open socket")
	default:
	}
	close(release)
	if resp := slow.response(); resp.StatusCode != 200 || !resp.Close {
		t.Errorf("the request in progress: %s", resp.Status)
	}
	_ = socket.Close()
	if err := <-stopped; err != nil {
		t.Errorf("Stop: %v", err)
	}
	<-h.s.Done()
	if n := h.fakes[0].closed.Load(); n != 1 {
		t.Errorf("modules were closed %d times, want once", n)
	}
	if err := h.s.Stop(ctx); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
}

func TestStopCutsAtItsDeadline(t *testing.T) {
	started := make(chan struct{}, 1)
	f := &fake{name: "SlowModule", serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != "/slow" {
			next.ServeHTTP(w, r)
			return
		}
		started <- struct{}{}
		<-r.Context().Done()
	}}
	h := newTestHost(t, f, upgrader()).start()
	slow := dialRaw(t, h.addr).send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-started
	socket := upgrade(t, h.addr) // it does not answer the closing handshake
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := h.s.Stop(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "2 connections") {
		t.Errorf("Stop: %v, want the number of connections that were cut", err)
	}
	slow.ended()
	if b, err := io.ReadAll(socket.r); err != nil && !isReset(err) || !strings.HasPrefix(string(b), "close 1001") {
		t.Errorf("the socket got %q, %v", b, err)
	}
	if n := h.fakes[0].closed.Load(); n != 1 {
		t.Errorf("modules were closed %d times, want once", n)
	}
}

// openFiles counts the descriptors of the process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestNothingIsLeftBehind(t *testing.T) {
	once := func() {
		h := newTestHost(t, upgrader(), hello("x"))
		h.fakes[1].after = []string{h.fakes[0].name}
		o := h.options()
		o.Logger = nil // its own log file
		s, err := Start(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		addr := strings.Trim(strings.TrimPrefix(s.Status().Sites[0].Bindings[0], "http://"), "/")
		dialRaw(t, addr).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response()
		socket := upgrade(t, addr)
		if _, err := s.Reload(context.Background()); err != nil {
			t.Fatal(err)
		}
		probeAddr, _, err := s.OpenProbe()
		if err != nil {
			t.Fatal(err)
		}
		get(t, "http://"+probeAddr+"/")
		if _, err := NewAdmin(h.home).Status(context.Background()); err != nil {
			t.Fatal(err)
		}
		_ = socket.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := net.Dial("tcp", addr); err == nil {
			t.Error("somebody still listens")
		}
		if b, err := os.ReadFile(h.home + "/logs/wshost.log"); err != nil || !strings.Contains(string(b), "the host has stopped") {
			t.Errorf("log %q, %v", b, err)
		}
	}
	once() // what the standard library opens for good
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for range 5 {
		once()
	}
	// The tests' own connections are closed only by Cleanup: one per round and kind.
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= goroutines })
	if now := openFiles(t); now > files+5 {
		t.Errorf("%d descriptors, %d before: some are left", now, files)
	}
}
