//go:build e2e

package wizard

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a condition may take before a test gives up; it bounds failures, not successes.
const patience = 60 * time.Second

// program is the path of the built rolemgr.
var program string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	for _, name := range []string{"tmux", "node"} {
		if _, err := exec.LookPath(name); err != nil {
			fmt.Fprintln(os.Stderr, name, "is missing: run \"make deps\"")
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "rmw")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "rolemgr")
	build := exec.Command("go", "build", "-o", program, "github.com/rolemgr/rolemgr/cmd/rolemgr")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build rolemgr:", err)
		return 1
	}
	return m.Run()
}

// place is a home folder, and a person's own folder beside it.
type place struct {
	t         *testing.T
	dir, home string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir, err := os.MkdirTemp("", "rm") // short: the path of a Unix socket has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &place{t: t, dir: dir, home: filepath.Join(dir, "home")}
}

// env is the environment of a terminal with nothing of the one that the test runs in.
func (p *place) env(more ...string) []string {
	return append([]string{
		"PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"), "HOME=" + p.dir, "XDG_STATE_HOME=" + filepath.Join(p.dir, "kept"),
		"ROLEMGR_HOME=" + p.home, "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "PS1=ready: ", "ENV=",
	}, more...)
}

// rolemgr runs one command and returns its output and exit code.
func (p *place) rolemgr(args ...string) (output string, code int) {
	p.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Env = p.env()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(out), code
}

func (p *place) must(args ...string) string {
	p.t.Helper()
	out, code := p.rolemgr(args...)
	if code != 0 {
		p.t.Fatalf("rolemgr %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// terminal is a shell in tmux.
type terminal struct {
	t    *testing.T
	dir  string // of the socket of tmux
	raw  string // file with every byte that was written to the screen
	down bool
}

// open opens a terminal of a size with a shell in it, and waits for its prompt.
func (p *place) open(w, h int, more ...string) *terminal {
	p.t.Helper()
	dir, err := os.MkdirTemp("", "tm")
	if err != nil {
		p.t.Fatal(err)
	}
	term := &terminal{t: p.t, dir: dir, raw: filepath.Join(dir, "raw")}
	p.t.Cleanup(func() {
		if p.t.Failed() && !term.down {
			p.t.Logf("the screen:\n%s", term.screen())
		}
		term.kill()
		os.RemoveAll(dir)
	})
	args := append([]string{"-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h), "env", "-i"}, p.env(append(more, "TERM=tmux-256color")...)...)
	term.tmux(append(args, "sh", "-i")...)
	term.tmux("pipe-pane", "-o", "cat > "+term.raw)
	term.see("ready:")
	return term
}

// tmux runs a command of tmux on a server of its own.
func (m *terminal) tmux(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (m *terminal) try(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-u", "-S", filepath.Join(m.dir, "s")}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TERM=xterm-256color", "HOME=" + m.dir}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// kill closes the terminal: what runs in it is sent SIGHUP.
func (m *terminal) kill() {
	if !m.down {
		m.down = true
		_, _ = m.try("kill-server") // it may have ended
	}
}

func (m *terminal) screen() string {
	m.t.Helper()
	return m.tmux("capture-pane", "-p")
}

// press sends keys by the names of tmux.
func (m *terminal) press(keys ...string) {
	m.t.Helper()
	m.tmux(append([]string{"send-keys"}, keys...)...)
}

// line types a command line.
func (m *terminal) line(text string) {
	m.t.Helper()
	m.tmux("send-keys", "-l", text)
	m.press("Enter")
}

// see waits until the screen shows all the texts.
func (m *terminal) see(texts ...string) {
	m.t.Helper()
	m.until(fmt.Sprintf("the screen shows %q", texts), func() bool {
		screen := m.screen()
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// until waits for a condition.
func (m *terminal) until(what string, condition func() bool) {
	m.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			m.t.Fatalf("not within %v: %s", patience, what)
		}
		<-tick.C
	}
}

// row is the row of the tree that the cursor is on, without the pane beside it.
func (m *terminal) row() string {
	for _, line := range strings.Split(m.screen(), "\n") {
		line, _, _ = strings.Cut(line, "│")
		if _, row, found := strings.Cut(line, "❯"); found {
			return strings.TrimSpace(row)
		}
	}
	return ""
}

// downTo moves the cursor down, row by row, until it is on a name.
func (m *terminal) downTo(name string) {
	m.t.Helper()
	for range 60 {
		row, screen := m.row(), m.screen()
		if strings.Contains(row, name) {
			return
		}
		m.press("Down")
		m.until("the cursor moves on from "+row, func() bool { return m.screen() != screen && m.row() != "" })
	}
	m.t.Fatalf("the cursor does not come to %s", name)
}

// backAtPrompt checks that the shell is as it was: the wizard's screen is gone, the cursor is there, the mouse is not
// taken, and what is typed is seen.
func (m *terminal) backAtPrompt() {
	m.t.Helper()
	m.until("the other screen is left", func() bool { return strings.TrimSpace(m.tmux("display", "-p", "#{alternate_on}")) == "0" })
	m.until("the shell asks again", func() bool {
		lines := strings.Split(strings.TrimSpace(m.screen()), "\n")
		return lines[len(lines)-1] == "ready:"
	})
	m.line("echo code=$?")
	m.see("code=0")
	if got := strings.TrimSpace(m.tmux("display", "-p", "#{cursor_flag} #{mouse_any_flag} #{alternate_on}")); got != "1 0 0" {
		m.t.Errorf("cursor, mouse and other screen are %s, want 1 0 0", got)
	}
	for _, left := range []string{"Wizard", "Server Manager", "[ "} {
		if strings.Contains(m.screen(), left) {
			m.t.Errorf("%q is left on the screen:\n%s", left, m.screen())
		}
	}
}

// written is every byte that was written to the screen.
func (m *terminal) written() string {
	m.t.Helper()
	b, err := os.ReadFile(m.raw)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}
