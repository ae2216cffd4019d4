//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	wsframe "github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// held is the application of sites/held on a running server.
type held struct {
	*server
	dir, url string
}

func startHeld(t *testing.T, features ...string) *held {
	t.Helper()
	nodePath(t)
	s := newHome(t, append(features, "http-platform")...)
	dir, url := s.site("held", "held")
	s.start("serve")
	return &held{s, dir, url}
}

// put writes a file of the application.
func (h *held) put(name, content string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(content), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

func (h *held) drop(name string) {
	h.t.Helper()
	if err := os.Remove(filepath.Join(h.dir, name)); err != nil {
		h.t.Fatal(err)
	}
}

// answer is what the application says.
type answer struct {
	PID     int
	Version string
	status  int
	page    string // of a failure
}

// ask fetches a path; a refusal is an answer too.
func (h *held) ask(client *http.Client, url string) answer {
	h.t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, page: string(b)}
	if a.status == 200 {
		if err := json.Unmarshal(b, &a); err != nil {
			h.t.Fatalf("%v: %.300s", err, b)
		}
	}
	return a
}

// started waits until n processes of a version have begun to start, asking the host meanwhile, and returns the newest.
func (h *held) started(version string, n int) (pid int) {
	h.t.Helper()
	client := patient(h.t, nil)
	h.eventually(fmt.Sprintf("%d processes of version %s start", n, version), func() error {
		if a := h.ask(client, h.url); a.status != 200 {
			h.t.Fatalf("while others start: %d %s", a.status, a.page)
		}
		found := 0
		var newest time.Time
		files, err := filepath.Glob(filepath.Join(h.dir, "started-*"))
		for _, f := range files {
			if b, _ := os.ReadFile(f); string(b) != version {
				continue
			}
			found++
			if info, e := os.Stat(f); e == nil && info.ModTime().After(newest) {
				newest = info.ModTime()
				pid, err = strconv.Atoi(strings.TrimPrefix(filepath.Base(f), "started-"))
			}
		}
		if err != nil || found < n {
			return fmt.Errorf("%d have, %v", found, err)
		}
		return nil
	})
	return pid
}

func (h *held) kill(pid int) {
	h.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		h.t.Fatal(err)
	}
}

// tells waits until the log of the host holds a text.
func (h *held) tells(text string) {
	h.t.Helper()
	h.eventually("the log tells "+text, func() error {
		if !strings.Contains(h.hostLog(), text) {
			return errors.New("it does not")
		}
		return nil
	})
}

// TestFailuresOfApps holds that the application is started again when it is killed, that there is a limit to that, and
// that the pages of failures name the log file: over plain HTTP and TLS.
func TestFailuresOfApps(t *testing.T) {
	h := startHeld(t, "http-errors")
	clients := []*http.Client{patient(t, nil), nil}
	urls := []string{h.url, "https://localhost:" + h.secureSite("held")}
	clients[1] = patient(t, h.server)
	wants := func(a answer, status string, parts ...string) {
		t.Helper()
		number, _, _ := strings.Cut(status, ".")
		for _, want := range append(parts, status) {
			if strconv.Itoa(a.status) != number || !strings.Contains(a.page, want) {
				t.Errorf("%d, want %s with %q\n%s", a.status, status, want, a.page)
				return
			}
		}
	}
	log := filepath.Join(h.dir, "logs", "app_")
	// Three failures within a minute are one too few for the limit. Until the host has seen that a process is gone,
	// requests get 502.3.
	last := 0
	restarted := func(n int) {
		t.Helper()
		h.eventually("a process takes the place of the killed one", func() error {
			a := h.ask(clients[n], urls[n])
			if a.status != 200 || a.PID == last {
				return fmt.Errorf("%d, process %d", a.status, a.PID)
			}
			last = a.PID
			return nil
		})
	}
	for n := range 3 {
		restarted(n % 2)
		wants(h.ask(clients[n%2], urls[n%2]+"/die"), "502.3", log, "about to be killed")
	}
	restarted(0)
	wants(h.ask(clients[0], h.url+"/die"), "502.3", log)
	for n := range clients {
		h.eventually("the fourth failure is one too many", func() error {
			if a := h.ask(clients[n], urls[n]); a.status != 503 {
				return fmt.Errorf("%d", a.status)
			}
			return nil
		})
		wants(h.ask(clients[n], urls[n]), "503", log, "more than 3 times within a minute", "it is started again at")
	}
	if left := processesIn(t, h.dir); len(left) != 0 {
		t.Errorf("processes are left: %v", left)
	}
	// A new version is tried at once. One that does not start says why.
	h.put("broken", "")
	h.put("version.txt", "2\n")
	for n := range clients {
		h.eventually("the broken version is tried", func() error {
			a := h.ask(clients[n], urls[n])
			if a.status != 502 {
				return fmt.Errorf("%d", a.status)
			}
			wants(a, "502.5", log, "cannot reach the database", "before it listened")
			return nil
		})
	}
	h.eventually("the broken version fails too often", func() error {
		a := h.ask(clients[0], urls[0])
		if a.status != 503 {
			return fmt.Errorf("%d", a.status)
		}
		wants(a, "503", log, "cannot reach the database")
		return nil
	})
	h.drop("broken")
	h.put("version.txt", "3\n")
	for n := range clients {
		h.eventually("the mended version answers", func() error {
			if a := h.ask(clients[n], urls[n]); a.status != 200 || a.Version != "3" {
				return fmt.Errorf("%d %s", a.status, a.Version)
			}
			return nil
		})
	}
}

// echo opens a WebSocket to the application and returns a function that uses it.
func (h *held) echo() (again func() error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, _, err := ws.Dial(ctx, "ws"+strings.TrimPrefix(h.url, "http"), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(c.Cut)
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Write(ctx, wsframe.Text, []byte("hello")); err != nil {
			return err
		}
		_, p, err := c.Read(ctx)
		if err == nil && string(p) != "hello" {
			err = fmt.Errorf("the echo is %q", p)
		}
		return err
	}
}

// TestKilledInRecycling kills a new process while it starts, then the old one while another new one starts, then the host.
func TestKilledInRecycling(t *testing.T) {
	h := startHeld(t, "http-errors", "websocket")
	client := patient(t, nil)
	first := h.ask(client, h.url)
	socket := h.echo()
	if err := socket(); first.status != 200 || err != nil {
		t.Fatalf("%+v, %v", first, err)
	}

	h.put("hold", "")
	h.put("version.txt", "2\n")
	h.kill(h.started("2", 1))
	h.kill(h.started("2", 2)) // startupRetryCount is 1
	h.tells("a replacement could not be started: the process before it goes on")
	if a := h.ask(client, h.url); a.PID != first.PID {
		t.Errorf("after the new one was killed: %+v, want process %d", a, first.PID)
	}
	if err := socket(); err != nil {
		t.Errorf("the socket of the old process: %v", err)
	}

	h.put("version.txt", "3\n")
	h.started("3", 1)
	h.kill(first.PID)
	if socket() == nil {
		t.Error("the socket outlives its process")
	}
	h.tells(fmt.Sprintf("process %d ended by itself: ended by signal SIGKILL", first.PID)) // requests until then get 502.3
	waiting := make(chan answer, 1)
	go func() {
		resp, err := client.Get(h.url)
		if err != nil {
			waiting <- answer{page: err.Error()}
			return
		}
		defer resp.Body.Close()
		a := answer{status: resp.StatusCode}
		_ = json.NewDecoder(resp.Body).Decode(&a) // what is no answer has no version
		waiting <- a
	}()
	h.drop("hold")
	if a := <-waiting; a.status != 200 || a.Version != "3" {
		t.Errorf("what waited for the new process: %+v", a)
	}
	h.eventually("one process is left", func() error {
		if n := processesIn(t, h.dir); len(n) != 1 {
			return fmt.Errorf("%v", n)
		}
		return nil
	})
	if err := h.echo()(); err != nil {
		t.Error(err)
	}

	h.put("hold", "")
	h.put("version.txt", "4\n")
	h.started("4", 1)
	if n := processesIn(t, h.dir); len(n) != 2 {
		t.Errorf("in the middle of a recycling there are the processes %v", n)
	}
	h.kill(h.cmd.Process.Pid)
	<-h.done
	h.eventually("no process is left", func() error {
		if left := processesIn(t, h.dir); len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
}
