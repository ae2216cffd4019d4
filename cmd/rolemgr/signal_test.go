package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// stuckHost is a running host whose reload does not end before release is called: it holds a real rolemgr in the
// middle of its transaction.
type stuckHost struct {
	reached chan struct{} // closed at the first reload
	release func()
}

func startStuckHost(t *testing.T, home string) *stuckHost {
	t.Helper()
	run := filepath.Join(home, "run")
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", filepath.Join(run, "admin.sock"))
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan struct{})
	h := &stuckHost{reached: make(chan struct{}), release: sync.OnceFunc(func() { close(released) })}
	reach := sync.OnceFunc(func() { close(h.reached) })
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(wshost.Status{Version: 1})
	})
	mux.HandleFunc("POST /v1/reload", func(w http.ResponseWriter, _ *http.Request) {
		reach()
		<-released
		_ = json.NewEncoder(w).Encode(wshost.ReloadReport{Generation: 2})
	})
	srv := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }()
	t.Cleanup(func() { h.release(); _ = srv.Close(); <-done })
	return h
}

// watcher closes seen when a text has been written. It is written to by one goroutine.
type watcher struct {
	text, got string
	seen      chan struct{}
	once      sync.Once
}

func (w *watcher) Write(p []byte) (int, error) {
	if w.got += string(p); strings.Contains(w.got, w.text) {
		w.once.Do(func() { close(w.seen) })
	}
	return len(p), nil
}

// shortHome returns a home folder whose admin socket's name is short enough for every system.
func shortHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "rm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// rolemgrCommand returns the real program on a home.
func rolemgrCommand(home string, args ...string) (cmd *exec.Cmd, stderr *bytes.Buffer) {
	cmd = exec.Command("rolemgr", args...)
	cmd.Env = append(os.Environ(), "ROLEMGR_HOME="+home)
	stderr = &bytes.Buffer{}
	cmd.Stderr = stderr
	return cmd, stderr
}

// belowHome lists what is in a home folder beside run and journal.
func belowHome(t *testing.T, home string) []string {
	return slices.DeleteFunc(leftBelow(t, home), func(n string) bool { return n == "run" })
}

// A signal in the middle of a step lets the step end, undoes everything, and ends with 130.
func TestSignalDuringInstall(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			home := shortHome(t)
			host := startStuckHost(t, home)
			cmd, stderr := rolemgrCommand(home, "install", "websocket")
			heard := &watcher{text: "rolemgr: interrupted: ", seen: make(chan struct{})}
			cmd.Stderr = io.MultiWriter(stderr, heard)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-host.reached
			if left := belowHome(t, home); !slices.Contains(left, "config") {
				t.Errorf("%q in the middle of the transaction; want files to be undone", left)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			<-heard.seen // not before: the step is to end after the signal
			host.release()
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != int(ExitInterrupted) {
				t.Errorf("exit code %d; want 130\n%s", code, stderr)
			}
			if left := belowHome(t, home); len(left) > 0 {
				t.Errorf("%q is left\n%s", left, stderr)
			}
			if want := "rolemgr: error: interrupted; everything was rolled back\n"; !strings.HasSuffix(stderr.String(), want) {
				t.Errorf("stderr does not end with %q:\n%s", want, stderr)
			}
		})
	}
}

// While somebody is at work, reading shows the state before, and a second writer is told who it is.
func TestOthersWhileOneIsAtWork(t *testing.T) {
	home := shortHome(t)
	host := startStuckHost(t, home)
	working, errs := rolemgrCommand(home, "install", "static-content")
	if err := working.Start(); err != nil {
		t.Fatal(err)
	}
	<-host.reached
	reader, stderr := rolemgrCommand(home, "list", "static-content")
	if out, err := reader.Output(); err != nil || !strings.Contains(string(out), "Available") {
		t.Errorf("list: %v; want the state before\n%s%s", err, out, stderr)
	}
	if stderr.Len() > 0 {
		t.Errorf("list has nothing to say of a change that is under way:\n%s", stderr)
	}
	for _, command := range []string{"install", "recover"} {
		writer, stderr := rolemgrCommand(home, command)
		if command == "install" {
			writer.Args = append(writer.Args, "websocket")
		}
		_ = writer.Run()
		if code := writer.ProcessState.ExitCode(); code != int(ExitLocked) || !strings.Contains(stderr.String(), "static-content") {
			t.Errorf("%s: exit code %d; want 4 with the other command\n%s", command, code, stderr)
		}
	}
	host.release()
	// The stuck host opens no probe site: the transaction fails in the end, and is rolled back.
	_ = working.Wait()
	if code := working.ProcessState.ExitCode(); code != int(ExitRolledBack) {
		t.Errorf("exit code %d; want 5\n%s", code, errs)
	}
}

// Whatever command comes after a crash recovers first, says so in one line, and does its own work.
func TestEveryCommandRecoversFirst(t *testing.T) {
	for _, args := range [][]string{{"list", "websocket"}, {"status"}, {"export"}, {"recover"}, {"install", "websocket"}} {
		t.Run(args[0], func(t *testing.T) {
			home := shortHome(t)
			host := startStuckHost(t, home)
			cmd, _ := rolemgrCommand(home, "install", "static-content")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-host.reached
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if err := os.RemoveAll(filepath.Join(home, "run")); err != nil {
				t.Fatal(err)
			}

			next, stderr := rolemgrCommand(home, args...)
			stdout, err := next.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr)
			}
			told := stderr.String() + string(stdout)
			if want := "recovered: \"rolemgr install static-content\" had been interrupted and was undone\n"; strings.Count(told, want) != 1 {
				t.Errorf("want once %q in:\n%s", want, told)
			}
			if left := belowHome(t, home); args[0] != "install" && len(left) > 0 {
				t.Errorf("%q is left after %s", left, args[0])
			}
			again, stderr := rolemgrCommand(home, "list")
			if err := again.Run(); err != nil || stderr.Len() > 0 {
				t.Errorf("the command after that: %v\n%s", err, stderr)
			}
		})
	}
}
