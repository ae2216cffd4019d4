//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// peer returns the command line that runs a program against an echo endpoint. Programs are looked for where Debian puts
// them; a missing one is a failure, never a skip.
func peer(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	command := map[string][]string{
		"browser": {"node", "peers/browser.mjs"},
		"node":    {"node", "peers/node.mjs"},
		"python":  {"/usr/bin/python3", "peers/python.py"},
		"java":    {"java", "peers/Echo.java"},
		"liar":    {"node", "peers/liar.mjs"},
		"steady":  {"node", "peers/steady.mjs"},
		"curl":    {"curl"},
		"secure":  {"node", "peers/secure.mjs"},
		"hold":    {"node", "peers/hold.mjs"},
		"matrix":  {"node", "peers/matrix.mjs"},
		"tabs":    {"node", "peers/tabs.mjs"},
		"openssl": {"openssl", "s_client"},
	}[name]
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Fatalf("%s is missing; run \"make deps\"", command[0])
	}
	if command[0] == "node" {
		if _, err := os.Stat("node_modules/ws"); err != nil {
			t.Fatal("the npm packages of e2e are missing; run \"make deps\"")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, command[0], append(command[1:], args...)...)
}

// runPeer runs a program to its end and returns its output; ok tells whether it was content.
func runPeer(t *testing.T, name string, args ...string) (output string, ok bool) {
	t.Helper()
	out, err := peer(t, name, args...).CombinedOutput()
	return string(out), err == nil && strings.HasSuffix(strings.TrimSpace(string(out)), "ok")
}

// startLiar runs an echo server that flips a bit in one kind of message and returns its URL.
func startLiar(t *testing.T, about string) string {
	t.Helper()
	cmd := peer(t, "liar", about)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it serves until it is killed
		_ = cmd.Wait()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the lying server did not start: %v", err)
	}
	return "ws://127.0.0.1:" + strings.TrimSpace(port) + "/"
}

func TestPeersEcho(t *testing.T) {
	s := startServer(t, "websocket")
	url := "ws://" + s.addr + "/echo"
	tests := []struct {
		name, peer string
		args       []string
	}{
		{"node", "node", []string{url}},
		{"node with permessage-deflate offered", "node", []string{url, "deflate"}},
		{"python", "python", []string{url}},
		{"java", "java", []string{url}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if out, ok := runPeer(t, tt.peer, tt.args...); !ok {
				t.Errorf("%s is not content with the echo:\n%s", tt.peer, out)
			}
		})
	}
	s.eventually("the host has let go of every socket", func() error { return wantSockets(s, 0) })
}

// TestPeersSeeALie is the negative control: every program must notice a single flipped bit, each in the check it
// belongs to. Without it, TestPeersEcho could pass on programs that compare nothing.
func TestPeersSeeALie(t *testing.T) {
	s := startServer(t, "websocket")
	for _, about := range []string{"text", "binary", "large"} {
		lie := startLiar(t, about)
		for name, args := range map[string][]string{
			"node": {lie}, "python": {lie}, "java": {lie}, "browser": {"console", s.url("/"), lie},
		} {
			t.Run(name+" "+about, func(t *testing.T) {
				out, ok := runPeer(t, name, args...)
				if ok {
					t.Fatalf("%s took a wrong echo for a right one", name)
				}
				if !strings.Contains(out, about+": the echo is wrong") && !strings.Contains(out, about+": the page saw a wrong echo") {
					t.Errorf("%s failed for another reason than the %s echo:\n%s", name, about, out)
				}
			})
		}
	}
}

func TestBrowserConsole(t *testing.T) {
	s := startServer(t, "websocket")
	if out, ok := runPeer(t, "browser", "console", s.url("/")); !ok {
		t.Errorf("the console of the start page:\n%s", out)
	}
}

func TestBrowserWithoutWebSocket(t *testing.T) {
	s := startServer(t, "web-server")
	if out, ok := runPeer(t, "browser", "missing", s.url("/")); !ok {
		t.Errorf("the start page without WebSocket Protocol:\n%s", out)
	}
	// The page itself leads on: what it names installs the feature on the running server, and the console works.
	s.must("install", "websocket")
	if out, ok := runPeer(t, "browser", "console", s.url("/")); !ok {
		t.Errorf("the console after the install:\n%s", out)
	}
}

func TestBrowserWithWebSocketSwitchedOff(t *testing.T) {
	s := startServer(t, "websocket")
	s.switchOff()
	if out, ok := runPeer(t, "browser", "off", s.url("/")); !ok {
		t.Errorf("the start page with WebSocket Protocol switched off:\n%s", out)
	}
}

func TestCurlHandshake(t *testing.T) {
	s := startServer(t, "websocket")
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	headers := func(version string) []string {
		return []string{
			"--http1.1", "-sS", "-i", "-N", "--max-time", "20", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket",
			"-H", "Sec-WebSocket-Key: " + key, "-H", "Sec-WebSocket-Version: " + version, s.url("/echo"),
		}
	}
	t.Run("101", func(t *testing.T) {
		cmd := peer(t, "curl", append(headers("13"), "--verbose")...)
		report, err := cmd.StderrPipe() // curl keeps back its standard output until the connection ends
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		head := answerHead(report)
		_ = cmd.Process.Kill() // the connection is open now and stays so
		_ = cmd.Wait()
		if !strings.HasPrefix(head, "HTTP/1.1 101 ") || !strings.Contains(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
			t.Errorf("curl got\n%s", head)
		}
	})
	t.Run("426", func(t *testing.T) {
		out, err := peer(t, "curl", headers("12")...).Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(out), "HTTP/1.1 426 ") || !strings.Contains(strings.ToLower(string(out)), "sec-websocket-version: 13\r\n") {
			t.Errorf("curl got\n%s", out)
		}
	})
}

// answerHead returns the head of the answer in curl's report, in which its lines begin with "< ".
func answerHead(report io.Reader) string {
	var head strings.Builder
	lines := bufio.NewScanner(report)
	for lines.Scan() {
		line, ok := strings.CutPrefix(lines.Text(), "< ")
		if ok && strings.TrimSpace(line) == "" {
			break
		}
		if ok {
			head.WriteString(line + "\n")
		}
	}
	return head.String()
}
