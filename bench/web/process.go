package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/proc"
)

// patience is how long a server may take to start or to end.
const patience = 20 * time.Second

// process is a running server.
type process struct {
	server  Server
	stage   *stage
	cmd     *exec.Cmd
	output  bytes.Buffer
	ended   chan struct{}
	version string
	fronts  map[string]load.Web // by scenario
}

// start sets a server up below dir, starts it on its processor and waits until both of its sites answer.
func (c *Config) start(s Server, dir string) (*process, error) {
	program := s.program
	var err error
	switch {
	case s.ours:
		program = c.Program
	case s.raw:
		if program, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
	}
	path, err := exec.LookPath(program)
	if err != nil { // Debian's place for servers is not on the path of every user
		path, err = exec.LookPath("/usr/sbin/" + filepath.Base(program))
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not installed: run \"make bench-static\", which installs what is compared, or leave %s out with -servers", program, s.Name)
	}
	st := &stage{dir: filepath.Join(dir, s.Name), program: path}
	st.plain, st.ruled = st.path("plain"), st.path("ruled")
	for _, root := range []string{st.plain, st.ruled} {
		if err := fill(root); err != nil {
			return nil, err
		}
	}
	if st.ports, err = freePorts(); err != nil {
		return nil, err
	}
	args, err := s.prepare(st)
	if err != nil {
		return nil, fmt.Errorf("setting %s up: %w", s.Name, err)
	}
	p := &process{server: s, stage: st, cmd: exec.Command(path, args...), ended: make(chan struct{}), fronts: map[string]load.Web{}}
	if p.version = versionOf(path, s.version); s.raw {
		p.version = runtime.Version()
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	// A session of its own for each: some of the servers make one, and Linux shares the processor out among sessions.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := proc.StartOn(c.serverCPU, c.loadCPU, p.cmd.Start); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	for _, port := range st.ports {
		if err := p.reachable(port); err != nil {
			p.stop()
			return nil, fmt.Errorf("starting %s: %w; it says: %s", s.Name, err, bytes.TrimSpace(p.output.Bytes()))
		}
	}
	return p, nil
}

// freePorts returns two ports that nobody listens on.
func freePorts() (ports [2]int, err error) {
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return ports, fmt.Errorf("looking for a free port: %w", err)
		}
		defer ln.Close()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}

// reachable waits until somebody listens on a port.
func (p *process) reachable(port int) error {
	for end := time.Now().Add(patience); time.Now().Before(end); {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.ended:
			return errors.New("it has ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("nobody listens on port %d after %v", port, patience)
}

// stop ends a server.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
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
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "nginx version: "), "Server version: "))
}

// front asks a server once for a scenario's file, compares the answer with the file, byte for byte, and returns the
// request with what its answers must be from then on.
func (p *process) front(s Scenario) (load.Web, error) {
	port := p.stage.ports[0]
	if s.Rules {
		port = p.stage.ports[1]
	}
	w := load.Web{Name: s.Name, Addr: fmt.Sprintf("127.0.0.1:%d", port), PID: p.cmd.Process.Pid, Conns: s.Conns, Status: http.StatusOK}
	fields := http.Header{"User-Agent": {"bench"}, "Accept": {"*/*"}}
	if s.Gzip {
		fields.Set("Accept-Encoding", "gzip")
	}
	head, body, err := ask(w.Addr, s.url(), fields, http.StatusOK)
	// A server that keeps compressed files may send the first answers as they are.
	for end := time.Now().Add(patience); err == nil && s.Gzip && head.Get("Content-Encoding") == "" && time.Now().Before(end); {
		head, body, err = ask(w.Addr, s.url(), fields, http.StatusOK)
	}
	if err != nil {
		return w, err
	}
	want, err := os.ReadFile(filepath.Join(p.stage.plain, s.Path))
	if err != nil {
		return w, err
	}
	plain := body
	if s.Gzip {
		if head.Get("Content-Encoding") != "gzip" {
			return w, errors.New("the answer is not compressed")
		}
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return w, fmt.Errorf("the answer is no gzip: %w", err)
		}
		if plain, err = io.ReadAll(z); err != nil {
			return w, fmt.Errorf("the answer is no gzip: %w", err)
		}
	}
	if !bytes.Equal(plain, want) {
		return w, errors.New("the answer is not the file")
	}
	w.Body = int64(len(body))
	if s.Unseen {
		w.Status, w.Body = http.StatusNotModified, 0
		fields.Set("If-None-Match", head.Get("ETag"))
		if _, _, err := ask(w.Addr, s.url(), fields, http.StatusNotModified); err != nil {
			return w, err
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", s.url(), w.Addr)
	_ = fields.Write(&b)
	b.WriteString("\r\n")
	w.Request = b.Bytes()
	return w, nil
}

// ask makes a request whose answer must have a status.
func ask(addr, path string, fields http.Header, status int) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return nil, nil, err
	}
	r.Header, r.Close = fields.Clone(), true
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	res, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the answer: %w", err)
	}
	if res.StatusCode != status {
		return nil, nil, fmt.Errorf("the answer to %s is %s, want %d", path, res.Status, status)
	}
	return res.Header, body, nil
}
