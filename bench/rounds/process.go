package rounds

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/proc"
	"github.com/rolemgr/rolemgr/bench/server"
)

// patience is how long a server may take to start, to collect garbage or to end.
const patience = 15 * time.Second

// process is a running server.
type process struct {
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan string // what it prints, closed at its end
	stderr tail
	target load.Target
}

// startServer starts a server on its processor and waits until it listens.
func (c *Config) startServer(s server.Server, m server.Mode) (*process, error) {
	cmd, err := c.command(s, m)
	if err != nil {
		return nil, err
	}
	p := &process{name: s.Name, cmd: cmd, lines: make(chan string, 1)}
	cmd.Stderr = &p.stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	if p.in, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	if err := proc.StartOn(c.serverCPU, c.loadCPU, cmd.Start); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	line, err := p.line()
	addr, ok := strings.CutPrefix(line, "listening ")
	if err == nil && !ok {
		err = fmt.Errorf("it prints %q and not its address", line)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("starting %s: %w%s", s.Name, err, p.stderr.text())
	}
	p.target = load.Target{Addr: addr, PID: cmd.Process.Pid, Raw: s.Raw, GC: p.collect}
	return p, nil
}

// command returns the command that runs a server.
func (c *Config) command(s server.Server, m server.Mode) (*exec.Cmd, error) {
	if s.Script == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
		return exec.Command(self, "serve", "-mode", m.String(), s.Name), nil
	}
	if err := c.Available(s); err != nil {
		return nil, err
	}
	return exec.Command("node", "--expose-gc", filepath.Join(c.NodeDir, s.Script), m.String()), nil
}

// Available reports why a server cannot be started here, nil when it can.
func (c *Config) Available(s server.Server) error {
	if s.Script == "" {
		return nil
	}
	if _, err := exec.LookPath("node"); err != nil {
		return fmt.Errorf("%s needs node, which is not installed: install Node.js 20 or later, or leave %s out with -servers", s.Name, s.Name)
	}
	if _, err := os.Stat(filepath.Join(c.NodeDir, s.Script)); err != nil {
		return fmt.Errorf("%s: there is no %s in %s: run this in the folder bench, or name that of the script with -node", s.Name, s.Script, c.NodeDir)
	}
	if _, err := os.Stat(filepath.Join(c.NodeDir, "node_modules", "ws")); err != nil {
		return fmt.Errorf("%s: its packages are not installed: run \"npm ci\" in %s, or leave %s out with -servers", s.Name, c.NodeDir, s.Name)
	}
	return nil
}

// line returns the next line that the server prints.
func (p *process) line() (string, error) {
	select {
	case line, ok := <-p.lines:
		if !ok {
			return "", errors.New("it has ended")
		}
		return line, nil
	case <-time.After(patience):
		return "", fmt.Errorf("it says nothing for %v", patience)
	}
}

// collect makes the server collect garbage.
func (p *process) collect() error {
	if _, err := io.WriteString(p.in, "gc\n"); err != nil {
		return fmt.Errorf("telling %s to collect garbage: %w", p.name, err)
	}
	if line, err := p.line(); err != nil || line != "done" {
		return errors.Join(fmt.Errorf("telling %s to collect garbage: it answers %q", p.name, line), err)
	}
	return nil
}

// stop ends the server: by closing its input, and by force if it does not follow.
func (p *process) stop() {
	_ = p.in.Close()
	timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	for range p.lines {
	}
	_ = p.cmd.Wait() // a server that failed has said so on standard error
}

// tail keeps the last 2 KiB written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

// Write keeps the end of p.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = t.buf[max(len(t.buf)-2048, 0):]
	return len(p), nil
}

// text returns what was kept as an addition to an error.
func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buf) == 0 {
		return ""
	}
	return "; it says: " + string(bytes.TrimSpace(t.buf))
}

// scriptVersion returns the version of ws that is installed in a folder, empty when there is none.
func scriptVersion(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "node_modules", "ws", "package.json"))
	if err != nil {
		return ""
	}
	var pkg struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(b, &pkg) != nil || pkg.Version == "" {
		return ""
	}
	return "v" + pkg.Version
}
