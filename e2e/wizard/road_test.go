//go:build e2e

package wizard

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// begin starts the wizard for adding, and comes to its page Server Roles.
func begin(m *terminal, console bool) {
	if console {
		m.line("rolemgr")
		m.see("Server Manager", "Dashboard")
		m.press("M-m")
		m.see("Add Roles and Features")
		m.press("Enter")
	} else {
		m.line("rolemgr wizard")
	}
	m.see("Before you begin")
	m.press("n")
	m.see("Select installation type", "(•) Role-based")
	m.press("n")
	m.see("Select destination server", "1 Computer(s) found")
	m.press("n")
	m.see("Select server roles", "[ ] Web Server (IIS)")
}

// tickWebSocket opens the tree as the seed document does, ticks WebSocket Protocol and takes what it needs.
func tickWebSocket(m *terminal) {
	m.press("Right")
	m.see("] Web Server  ")
	m.press("Down", "Right")
	m.see("Common HTTP")
	m.downTo("Application Dev")
	m.press("Right")
	m.downTo("WebSocket Protocol")
	m.press("Space")
	m.see("Add features that are required for WebSocket", "[ Add Features ]")
	m.press("Enter")
	m.see("[✓] WebSocket Protocol")
}

// confirm goes on to the page Confirmation.
func confirm(m *terminal) {
	for _, heading := range []string{"Select features", "Things to note", "Select role services", "Confirm installation selections"} {
		m.press("n")
		m.see(heading)
	}
	m.see("rolemgr install websocket", "[ Install ]")
}

// TestSeedRoad walks the road of the seed document by keys alone on a fresh home. Then a client of Node.js has its echo.
func TestSeedRoad(t *testing.T) {
	for _, road := range []struct {
		name    string
		console bool
		w, h    int
	}{{"wizard", false, 80, 24}, {"wizard 60x20", false, 60, 20}, {"console", true, 120, 40}} {
		t.Run(road.name, func(t *testing.T) {
			p := newPlace(t)
			m := p.open(road.w, road.h)
			begin(m, road.console)
			tickWebSocket(m)
			confirm(m)
			m.press("i")
			m.see("Installation succeeded on", "100 %", "[ Close ]")
			m.press("Enter")
			if road.console {
				m.see("Dashboard")
				m.press("q")
			}
			m.backAtPrompt()
			if out := p.must("list", "Web-WebSockets", "--json"); !strings.Contains(out, `"installed"`) {
				t.Errorf("WebSocket Protocol is not installed: %s", out)
			}
			h := p.serve()
			c := h.client()
			c.says("open")
		})
	}
}

// TestRemoveWithLiveSocket removes WebSocket Protocol with a socket open: the page Confirmation says that it will be
// closed, and it is.
func TestRemoveWithLiveSocket(t *testing.T) {
	p := newPlace(t)
	p.must("install", "websocket")
	h := p.serve()
	c := h.client()
	c.says("open")
	m := p.open(80, 24)
	m.line("rolemgr wizard --remove")
	m.see("Before you begin")
	m.press("n")
	m.see("Select destination server", "1 Computer(s) found")
	m.press("n")
	m.see("Remove server roles", "[■] Web Server (IIS)")
	m.press("Right")
	m.see("] Web Server  ")
	m.press("Down", "Right")
	m.downTo("Application Dev")
	m.press("Right")
	m.downTo("WebSocket Protocol")
	m.press("Space")
	m.see("[ ] WebSocket Protocol")
	m.press("n")
	m.see("Remove features")
	m.press("n")
	m.see("Confirm removal selections", "1 live socket would be closed", "closes 1 live socket")
	m.press("r")
	m.see("Removal succeeded on", "1 live socket was closed")
	c.says("closed 1001")
	m.press("c")
	m.backAtPrompt()
	if out := p.must("list", "Web-WebSockets", "--json"); !strings.Contains(out, `"available"`) {
		t.Errorf("WebSocket Protocol is not removed: %s", out)
	}
	p.must("verify")
}

// TestNoColor looks for colours where there are to be none.
func TestNoColor(t *testing.T) {
	color := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	for _, tt := range []struct {
		env  string
		want bool
	}{{"NO_COLOR=1", false}, {"NO_COLOR=", true}} {
		p := newPlace(t)
		m := p.open(80, 24, tt.env)
		begin(m, false)
		tickWebSocket(m)
		m.press("Escape")
		m.backAtPrompt()
		if got := color.FindString(m.written()); (got != "") != tt.want {
			t.Errorf("with %s the screen was sent %q", tt.env, got)
		}
	}
}

// slow makes a server whose reload takes so long that a person can do something meanwhile: it has thousands of sites.
func slow(t *testing.T) *place {
	t.Helper()
	p := newPlace(t)
	p.must("install", "static-content")
	file := filepath.Join(p.home, "config", "applicationHost.config")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var sites strings.Builder
	for i := range 12_000 {
		fmt.Fprintf(&sites, `<site name="s%d" id="%d"><application path="/"><virtualDirectory path="/" physicalPath="sites/default" /></application>`+
			`<bindings><binding protocol="http" bindingInformation="127.0.0.1:8080:s%d.example" /></bindings></site>`+"\n", i, i+2, i)
	}
	changed := strings.Replace(string(text), "    </sites>", sites.String()+"    </sites>", 1)
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// toInstall comes to the page Confirmation of a server that has the role already.
func toInstall(m *terminal) {
	m.line("rolemgr wizard")
	m.see("Before you begin")
	for _, heading := range []string{"Select installation type", "1 Computer(s) found", "Select server roles"} {
		m.press("n")
		m.see(heading)
	}
	m.press("/")
	m.see("enter done")
	m.tmux("send-keys", "-l", "websocket protocol")
	m.see("/ websocket protocol")
	m.press("Enter", "Space")
	m.see("2 selected")
	m.press("n")
	m.see("Select features")
	m.press("n")
	m.see("Confirm installation selections", "[ Install ]")
}

// TestStopInstallation presses Ctrl-C while a change is carried out: it asks once, then undoes everything.
func TestStopInstallation(t *testing.T) {
	p := slow(t)
	before := p.must("list", "--json")
	m := p.open(80, 24)
	toInstall(m)
	m.press("i")
	m.see("Reloading")
	m.press("C-c")
	m.see("Stop the installation?", "[ Stop and undo ]", "[ Go on ]")
	m.press("s")
	m.see("was stopped on", "undone")
	if now := p.must("list", "--json"); now != before {
		t.Errorf("after the undoing the server is another:\n%s\nbefore:\n%s", now, before)
	}
	p.must("verify")
	m.press("C-c")
	m.backAtPrompt()
}

// TestTerminalGoesAway closes the terminal while a change is carried out. The server is as before or as after, and the
// Notifications of the next start tell of it.
func TestTerminalGoesAway(t *testing.T) {
	p := slow(t)
	before := p.must("list", "--json")
	m := p.open(80, 24)
	toInstall(m)
	m.press("i")
	m.see("Reloading")
	m.kill()
	until(t, "nobody changes the server any more", func() error {
		if out, code := p.rolemgr("recover"); code != 0 {
			return fmt.Errorf("recover: exit code %d\n%s", code, out)
		}
		return nil
	})
	next := p.open(80, 24)
	next.line("rolemgr")
	next.see("Dashboard", "⚑ 1")
	next.press("n")
	next.see("Notifications", "Installation ")
	t.Logf("the next start says:\n%s", next.screen())
	next.press("C-c")
	next.backAtPrompt()
	p.must("verify")
	now, after := p.must("list", "--json"), ""
	if now != before {
		p.must("remove", "websocket")
		p.must("install", "websocket")
		if after = p.must("list", "--json"); now != after {
			t.Errorf("the server is\n%s\nand neither as before\n%s\nnor as after\n%s", now, before, after)
		}
	}
}

// host is "rolemgr serve" on a place.
type host struct {
	t    *testing.T
	addr string
}

// serve serves on a port that the kernel chooses.
func (p *place) serve() *host {
	p.t.Helper()
	file := filepath.Join(p.home, "config", "applicationHost.config")
	text, err := os.ReadFile(file)
	if err != nil {
		p.t.Fatal(err)
	}
	changed := strings.Replace(string(text), `bindingInformation="127.0.0.1:8080:"`, `bindingInformation="127.0.0.1:0:"`, 1)
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(program, "serve")
	cmd.Env = p.env()
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		_ = cmd.Wait()
	})
	h := &host{t: p.t}
	admin := wshost.NewAdmin(p.home)
	until(p.t, "the host answers", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		st, err := admin.Status(ctx)
		if err != nil {
			return err
		}
		u, err := url.Parse(st.Sites[0].Bindings[0])
		if err != nil || u.Port() == "0" {
			return fmt.Errorf("%v is not open yet: %v", st.Sites[0].Bindings, err)
		}
		h.addr = u.Host
		return nil
	})
	return h
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s: %v", patience, what, err)
		}
		<-tick.C
	}
}

// client is a program of Node.js that holds a WebSocket connection.
type client struct {
	t     *testing.T
	lines chan string
}

func (h *host) client() *client {
	h.t.Helper()
	if _, err := os.Stat("../node_modules/ws"); err != nil {
		h.t.Fatal("the npm packages of e2e are missing: run \"make deps\"")
	}
	cmd := exec.Command("node", "peers/client.mjs", "ws://"+h.addr+"/echo")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	c := &client{t: h.t, lines: make(chan string, 8)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(out); s.Scan(); {
			c.lines <- s.Text()
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	h.t.Cleanup(func() {
		_ = in.Close()
		timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
		<-done
		_ = cmd.Wait()
	})
	return c
}

// says waits for the next line of the client.
func (c *client) says(want string) {
	c.t.Helper()
	select {
	case got := <-c.lines:
		if got != want {
			c.t.Fatalf("the client says %q, want %q", got, want)
		}
	case <-time.After(patience):
		c.t.Fatalf("the client does not say %q", want)
	}
}
