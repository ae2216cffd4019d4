package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/proc"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// patience is how long a proxy may take to start or to end.
const patience = 20 * time.Second

// process is a running proxy with its application.
type process struct {
	server  Server
	stage   *stage
	version string
	proxy   *child
	app     *child // nil when the proxy has started it
}

// child is a started program.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
	log   string // the file with what it prints
}

// run starts a program on a processor.
func (c *Config) run(cpu int, log string, env []string, program string, args ...string) (*child, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &child{cmd: exec.Command(program, args...), ended: make(chan struct{}), log: log}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = out, out, append(os.Environ(), env...)
	// A session of its own for each: some of the servers make one, and Linux shares the processor out among sessions.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := proc.StartOn(cpu, c.loadCPU, p.cmd.Start); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends a program.
func (p *child) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// said returns the end of what it has printed.
func (p *child) said() string {
	b, _ := os.ReadFile(p.log)
	return string(bytes.TrimSpace(b[max(len(b)-2048, 0):]))
}

// start sets a proxy up, starts it with its application and waits until an echo comes through it.
func (c *Config) start(s Server) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	program := s.program
	if s.ours {
		program = c.Program
	}
	path, err := exec.LookPath(program)
	if err != nil { // Debian's place for servers is not on the path of every user
		path, err = exec.LookPath("/usr/sbin/" + filepath.Base(program))
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not installed: run \"make bench-proxy\", which installs what is compared, or leave %s out with -servers", program, s.Name)
	}
	dir, err := os.MkdirTemp(c.dir, s.Name+"-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		return nil, err
	}
	st := &stage{dir: dir, program: path, self: self, appCPU: c.loadCPU}
	if st.port, st.appPort, err = freePorts(); err != nil {
		return nil, err
	}
	args, err := s.prepare(st)
	if err != nil {
		return nil, fmt.Errorf("setting %s up: %w", s.Name, err)
	}
	p := &process{server: s, stage: st, version: versionOf(path, s.version)}
	if !s.ours {
		if p.app, err = c.run(c.loadCPU, st.path("app.log"), []string{"PORT=" + strconv.Itoa(st.appPort)}, self, appCommand, strconv.Itoa(c.loadCPU)); err != nil {
			return nil, fmt.Errorf("starting the application: %w", err)
		}
	}
	if p.proxy, err = c.run(c.serverCPU, st.path("output.log"), nil, path, args...); err != nil {
		p.stop()
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	if err := p.echoes(); err != nil {
		said := p.proxy.said()
		p.stop()
		return nil, fmt.Errorf("starting %s: %w; it says: %s", s.Name, err, said)
	}
	return p, nil
}

// freePorts returns two ports that nobody listens on.
func freePorts() (proxy, app int, err error) {
	var ports [2]int
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, 0, fmt.Errorf("looking for a free port: %w", err)
		}
		defer ln.Close()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1], nil
}

// addr is where clients connect to.
func (p *process) addr() string { return fmt.Sprintf("127.0.0.1:%d", p.stage.port) }

// echoes waits until a message comes back through the proxy.
func (p *process) echoes() (err error) {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err = p.echo(); err == nil {
			return nil
		}
		select {
		case <-p.proxy.ended:
			return errors.New("it has ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("no echo comes through it after %v: %w", patience, err)
}

// echo sends one message through the proxy.
func (p *process) echo() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := ws.Dial(ctx, "ws://"+p.addr()+"/echo", nil)
	if err != nil {
		return err
	}
	defer conn.Close(frame.NormalClosure, "")
	if err := conn.Write(ctx, frame.Text, []byte("hello")); err != nil {
		return err
	}
	if _, got, err := conn.Read(ctx); err != nil || string(got) != "hello" {
		return fmt.Errorf("the echo is %q: %w", got, err)
	}
	return nil
}

// target is the proxy for the load generator: all of its processes and none of the application.
func (p *process) target() load.Target {
	return load.Target{
		Addr: p.addr(), PID: p.proxy.cmd.Process.Pid,
		Processes: func() ([]int, error) { return p.tree(p.proxy, false) },
		Beside: func() ([]int, error) {
			if p.app != nil {
				return p.tree(p.app, true)
			}
			return p.tree(p.proxy, true)
		},
	}
}

// tree returns the processes of a program that are the application, or those that are not.
func (p *process) tree(c *child, app bool) ([]int, error) {
	all, err := proc.Tree(c.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(pid int) bool {
		program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		return err != nil || (program == p.stage.self) != app
	}), nil
}

// stop ends proxy and application.
func (p *process) stop() {
	for _, c := range []*child{p.proxy, p.app} {
		if c != nil {
			c.stop()
		}
	}
}

// versionOf returns the first line that a server prints about itself.
func versionOf(program string, args []string) string {
	if args == nil {
		return "this commit"
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	line, _, _ = strings.Cut(strings.TrimPrefix(line, "nginx version: "), " - https")
	return strings.TrimSpace(line)
}
