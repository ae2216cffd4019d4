//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// counting is a node process with clients of the counting application.
type counting struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err lockedBuffer
}

// counted is what the clients report.
type counted struct {
	Clients, Counted, Wrong, Lost, Reconnects, Connected int
	Errors                                               []string
	PIDs                                                 map[string]int
	Transports                                           map[string]int
}

func startCounting(t *testing.T, url string, clients int) *counting {
	t.Helper()
	c := &counting{t: t, cmd: exec.Command("node", "peers/counting.mjs", url, strconv.Itoa(clients))}
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(out)
	c.cmd.Stderr = &c.err
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = c.cmd.Wait() })
	return c
}

// ask sends a command and returns the report.
func (c *counting) ask(command string) counted {
	c.t.Helper()
	if _, err := io.WriteString(c.in, command+"\n"); err != nil {
		c.t.Fatal(err)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		c.t.Fatalf("the clients ended: %v\n%s", err, c.err.String())
	}
	var r counted
	if err := json.Unmarshal(line, &r); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// over waits until every client is connected over a transport, and has counted on since.
func (c *counting) over(s *server, transport string) counted {
	c.t.Helper()
	from := -1
	var r counted
	s.eventually("all clients count over "+transport, func() error {
		r = c.ask("report")
		if r.Connected != r.Clients || r.Transports[transport] != r.Clients {
			return fmt.Errorf("%+v", r)
		}
		if from < 0 {
			from = r.Counted
		}
		if r.Counted < from+5*r.Clients {
			return fmt.Errorf("they counted %d times since they are connected", r.Counted-from)
		}
		return nil
	})
	return r
}

// faultless fails unless nothing went wrong.
func (r counted) faultless(t *testing.T, when string) {
	t.Helper()
	if r.Wrong != 0 || r.Lost != 0 || r.Reconnects != 0 || len(r.Errors) != 0 {
		t.Errorf("%s: %+v", when, r)
	}
}

// freePort returns a port that nobody listens at.
func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// site copies a folder below sites to a fresh place and adds it as a site. edits are pairs of what to replace in its
// web.config by what.
func (s *server) site(name, from string, edits ...string) (dir, url string) {
	s.t.Helper()
	dir = filepath.Join(s.home, "sites-of-the-test", name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("sites", from))); err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(edits); i += 2 {
		editFile(s.t, filepath.Join(dir, "web.config"), edits[i], edits[i+1])
	}
	port := freePort(s.t)
	s.must("site", "add", dir, "--port", strconv.Itoa(port))
	return dir, "http://127.0.0.1:" + strconv.Itoa(port)
}

// editFile replaces the only occurrence of old, as a person with an editor would.
func editFile(t *testing.T, name, old, new string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(b), old) != 1 {
		t.Fatalf("%s holds %q %d times:\n%s", name, old, strings.Count(string(b), old), b)
	}
	if err := os.WriteFile(name+".new", []byte(strings.Replace(string(b), old, new, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// nodePath lets applications below a home find the packages of this folder.
func nodePath(t *testing.T) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NODE_PATH", filepath.Join(here, "node_modules"))
}

// does sends a command to a program and waits until it has done it.
func (p *talk) does(command string) {
	p.t.Helper()
	p.say(command)
	p.hears("done")
}

// snippet is what the seed document has people write.
const snippet = "<webSocket enabled=\"false\" />\n    <iisnode "

// TestIssuesOfTheSeed walks through the section "Issues" of the document that this program is made after, with a real
// application of socket.io: without WebSocket Protocol, with it, with it switched off for the application, and without.
func TestIssuesOfTheSeed(t *testing.T) {
	nodePath(t)
	s := newHome(t, "http-platform", "url-rewrite", "static-content")
	dir, url := s.site("app", "socketio")
	_, otherURL := s.site("other", "socketio")
	s.start("serve")
	browser := startTalk(t, peer(t, "tabs", "http/1.1", "", url))

	// (a) The feature is not installed: everybody polls, and the log says how to get more.
	first := startCounting(t, url, 10)
	other := startCounting(t, otherURL, 5)
	first.over(s, "polling").faultless(t, "without the feature")
	other.over(s, "polling").faultless(t, "on the other site")
	browser.does("polling")
	if log := s.hostLog(); !strings.Contains(log, "rolemgr install websocket") || !strings.Contains(log, "module=iisnode application=") {
		t.Errorf("the log does not tell how to get WebSocket, or of the application:\n%s", log)
	}

	// (b) It is installed while they are connected.
	s.must("install", "websocket")
	second := startCounting(t, url, 10)
	second.over(s, "websocket").faultless(t, "with the feature")
	browser.does("websocket")
	first.over(s, "polling").faultless(t, "those that were there before")
	wantEndpoints(t, s, map[string]int{"relay": 11})
	browser.does("close")

	// (c) The application takes its connections itself.
	editFile(t, filepath.Join(dir, "web.config"), "<iisnode ", snippet)
	s.eventually("the change is seen", func() error {
		third := startCounting(t, url, 1)
		third.over(s, "websocket")
		defer third.ask("end")
		return haveEndpoints(s, "tunnel", 1)
	})
	third := startCounting(t, url, 10)
	third.over(s, "websocket").faultless(t, "switched off for the application")
	browser.does("websocket")
	wantEndpoints(t, s, map[string]int{"relay": 10, "tunnel": 11})
	if out := s.must("connections"); strings.Count(out, " relay ") != 10 || strings.Count(out, " tunnel ") != 11 {
		t.Errorf("rolemgr connections:\n%s", out)
	}
	other.over(s, "polling").faultless(t, "the other site, while this one was changed")

	// (d) It is removed: the sockets are announced and closed, and everybody polls again.
	out := s.must("remove", "websocket", "--what-if")
	if !strings.Contains(out, "21") {
		t.Errorf("the plan does not tell of 21 sockets:\n%s", out)
	}
	s.must("remove", "websocket")
	second.over(s, "polling")
	third.over(s, "polling")
	browser.does("polling")
	first.over(s, "polling").faultless(t, "those that polled all the time")
	other.over(s, "polling").faultless(t, "the other site")
	browser.say("end")
	browser.hears("ok")
	for _, c := range []*counting{second, third} {
		if r := c.ask("end"); r.Wrong != 0 {
			t.Errorf("messages came twice or out of order: %+v", r)
		}
	}
}

// haveEndpoints tells when fewer connections than n are served in a way.
func haveEndpoints(s *server, endpoint string, n int) error {
	got := 0
	for _, c := range s.connections() {
		if c.Endpoint == endpoint {
			got++
		}
	}
	if got < n {
		return fmt.Errorf("%d connections of kind %s, want %d", got, endpoint, n)
	}
	return nil
}

func wantEndpoints(t *testing.T, s *server, want map[string]int) {
	t.Helper()
	s.eventually("the host counts its connections", func() error {
		got := map[string]int{}
		for _, c := range s.connections() {
			got[c.Endpoint]++
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("%v, want %v", got, want)
		}
		return nil
	})
}

// TestSessionsSurviveRecycling has 4 processes and 200 clients that begin with polling; the configuration is reloaded and
// the processes are replaced under load.
func TestSessionsSurviveRecycling(t *testing.T) {
	nodePath(t)
	s := newHome(t, "http-platform", "url-rewrite", "websocket")
	dir, url := s.site("app", "socketio", `PerApplication="1"`, `PerApplication="4"`)
	s.start("serve")
	clients := startCounting(t, url, 200)
	before := clients.over(s, "websocket")
	before.faultless(t, "before anything was changed")
	if len(before.PIDs) != 4 {
		t.Errorf("the clients reached %d processes, want 4", len(before.PIDs))
	}
	all, fresh := []*counting{clients}, 0
	for round := range 2 {
		old := strings.Join(processesIn(t, dir), " ") + " "
		all = append(all, startCounting(t, url, 20)) // they begin while processes are replaced
		s.must("reload")
		touch(t, filepath.Join(dir, "server.js"))
		// Requests make the host look at its files.
		s.eventually("a new process answers", func() error {
			if pid := processOf(t, url); strings.Contains(old, strconv.Itoa(pid)+" ") {
				return fmt.Errorf("process %d", pid)
			}
			return nil
		})
		all = append(all, startCounting(t, url, 20))
		s.eventually("every process is replaced", func() error {
			if n := strings.Count(s.hostLog(), "a process takes requests"); n < 4*(round+2) {
				return fmt.Errorf("%d processes were started", n)
			}
			return nil
		})
		for _, c := range all {
			c.over(s, "websocket").faultless(t, fmt.Sprintf("round %d", round))
		}
	}
	for _, c := range all {
		r := c.ask("end")
		r.faultless(t, "at the end")
		for pid := range r.PIDs {
			if before.PIDs[pid] == 0 {
				fresh++
			}
		}
		t.Logf("%d clients counted %d times, in processes %v", r.Clients, r.Counted, r.PIDs)
	}
	if fresh == 0 {
		t.Error("no client reached a new process")
	}
}

// touch changes a script without changing what it does.
func touch(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("// changed\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// processOf returns the process that answers a request.
func processOf(t *testing.T, url string) int {
	t.Helper()
	client := http.Client{Timeout: patience}
	resp, err := client.Get(url + "/who")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ PID int }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.PID
}

// TestNoProcessOutlivesTheHost kills the application, and the host in the middle of a recycling.
func TestNoProcessOutlivesTheHost(t *testing.T) {
	nodePath(t)
	s := newHome(t, "http-platform", "url-rewrite", "websocket")
	dir, url := s.site("app", "socketio", `PerApplication="1"`, `PerApplication="3"`)
	s.start("serve")
	first := processOf(t, url)
	if p, err := os.FindProcess(first); err != nil || p.Kill() != nil {
		t.Fatal("the application cannot be killed")
	}
	s.eventually("another process takes its place", func() error {
		status, body := fetch(t, url+"/who")
		if status != 200 || strings.Contains(body, strconv.Itoa(first)) {
			return fmt.Errorf("%d %s", status, body)
		}
		return nil
	})
	s.eventually("all three run", func() error {
		processOf(t, url)
		if n := len(processesIn(t, dir)); n != 3 {
			return fmt.Errorf("%d processes", n)
		}
		return nil
	})
	touch(t, filepath.Join(dir, "server.js"))
	s.eventually("more than three run", func() error { // requests make the host look at its files
		processOf(t, url)
		if n := len(processesIn(t, dir)); n < 4 {
			return fmt.Errorf("%d processes", n)
		}
		return nil
	})
	_ = s.cmd.Process.Kill()
	<-s.done
	s.eventually("no process is left", func() error {
		if left := processesIn(t, dir); len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
}

// processesIn returns the processes whose working folder is dir.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, l := range links {
		if cwd, err := os.Readlink(l); err == nil && cwd == dir {
			found = append(found, filepath.Base(filepath.Dir(l)))
		}
	}
	return found
}
