package websocketendpoints

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// hostEnv makes this test, run by itself, a host that is going to be killed.
const hostEnv = "ENDPOINTS_TEST_HOST"

// No program is left of a host that is killed, nor what the program has started.
func TestHostIsKilled(t *testing.T) {
	if os.Getenv(hostEnv) != "" {
		st := newStage(t, typeProcess, endpoint{Command: shell(`trap '' TERM HUP; setsid sleep 1000 & echo $!; sleep 1000 & echo $!; echo $$; wait`)})
		if _, err := os.Stdout.WriteString("url " + st.url + "\n"); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	host := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHostIsKilled$")
	host.Env = append(os.Environ(), hostEnv+"=1")
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	url := ""
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		url, _ = strings.CutPrefix(lines.Text(), "url ")
	}
	c, _, err := ws.Dial(context.Background(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Cut()
	pids := []string{read(t, c), read(t, c), read(t, c)}
	for _, pid := range pids {
		if !alive(pid) {
			t.Errorf("%s does not run", pid)
		}
	}
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	eventually(t, "all are gone", func() bool { return !alive(pids[0]) && !alive(pids[1]) && !alive(pids[2]) })
}
