package fastcgi

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// start starts an instance: a process whose descriptor 0 listens on a Unix socket of its own (FastCGI specification,
// section 2.2).
func (p *pool) start() (*instance, error) {
	p.mu.Lock()
	p.serial++
	i := &instance{pool: p, epoch: p.epoch, socket: filepath.Join(p.dir, strconv.Itoa(p.serial))}
	p.mu.Unlock()
	if p.network != "" {
		return i, nil
	}
	stdin, err := listen(i.socket)
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	log := process.NewLines(func(line string) {
		p.log.Warn("a FastCGI process writes", "application", p.app.FullPath, "line", line)
	})
	i.proc, err = p.keeper.Start(process.Spec{
		Path: p.program.Path, Args: p.program.Args, Dir: filepath.Dir(p.program.Path), Env: p.environment(), User: p.app.User,
		Stdin: stdin, Stdout: log, Stderr: log, // one writer: one goroutine
	})
	if err != nil {
		_ = os.Remove(i.socket)
		return nil, err
	}
	p.log.Debug("a FastCGI process was started", "application", p.app.FullPath, "pid", i.proc.PID())
	return i, nil
}

// environment returns the environment of a process. PHP would end by itself after 500 requests: it is told to do so no
// earlier than it is replaced.
func (p *pool) environment() []string {
	env := append(gateway.BaseEnv(p.app.User), "FCGI_ROLE=RESPONDER", "PHP_FCGI_MAX_REQUESTS="+strconv.FormatUint(uint64(p.app.Requests), 10))
	for _, v := range p.app.Env.Entries {
		env = append(env, v.Name+"="+v.Value) // the last of a name counts
	}
	return env
}

// listen returns a listening Unix socket.
func listen(path string) (*os.File, error) {
	_ = os.Remove(path) // of a host that was killed
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen for a FastCGI process: %w", err)
	}
	l.SetUnlinkOnClose(false)
	defer l.Close()
	f, err := l.File()
	if err != nil {
		return nil, fmt.Errorf("listen for a FastCGI process: %w", err)
	}
	return f, nil
}
