package websocketendpoints

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// shell is the command that runs a script.
func shell(script string) string { return `/bin/sh -c "` + script + `"` }

func TestLinesBothWays(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: shell(`while read -r l; do echo [$l]; done; echo over`)})
	c := open(t, st.url, nil)
	say(t, c, "grüße")
	hear(t, c, "[grüße]")
	say(t, c, "two\nlines")
	hear(t, c, "[two]")
	hear(t, c, "[lines]")
	if err := c.Write(context20(t), frame.Binary, []byte("bytes")); err != nil {
		t.Fatal(err)
	}
	hear(t, c, "[bytes]")
	if err := c.Close(frame.NormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the program ends with its input", func() bool { return st.running() == 0 })
}

func TestBytesBothWays(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: "cat", Framing: framingBinary})
	c := open(t, st.url, nil)
	sent := bytes.Repeat([]byte("\x00\xff\n"), 1<<20)
	if err := c.Write(context20(t), frame.Binary, sent); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for len(got) < len(sent) {
		op, p, err := c.Read(context20(t))
		if err != nil || op != frame.Binary {
			t.Fatal(op, err)
		}
		got = append(got, p...)
	}
	if !bytes.Equal(got, sent) {
		t.Error("other bytes came back")
	}
}

func TestHowLinesEnd(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"a", []string{"a"}},
		{"a\n", []string{"a"}},
		{"a\r\n\nb", []string{"a", "", "b"}},
		{"\xff\n", []string{"\uFFFD"}},
		{strings.Repeat("x", 3*chunk) + "\ny", []string{strings.Repeat("x", 3*chunk), "y"}},
		{strings.Repeat("x", maxLine) + "\r\n", []string{strings.Repeat("x", maxLine)}},
		{strings.Repeat("x", maxLine+3) + "\n", []string{"too long"}},
	} {
		var got []string
		err := copyLines(strings.NewReader(c.in), func(op frame.Opcode, p []byte) error {
			got = append(got, string(p))
			return nil
		})
		if errors.Is(err, errLongLine) {
			got, err = append(got, "too long"), nil
		}
		if err != nil || strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%.40q (%d bytes): %d lines, %v", c.in, len(c.in), len(got), err)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for script, want := range map[string]string{
		"exit 0": "1000 ", "exit 3": "4003 the program ended with exit code 3", "exit 255": "4255 the program ended with exit code 255",
		"kill -9 $$": "1011 the program was ended by signal SIGKILL", "echo last; exit 1": "4001 the program ended with exit code 1",
	} {
		st := newStage(t, typeProcess, endpoint{Command: shell(script)})
		code, reason := closed(t, open(t, st.url, nil))
		if got := strconv.Itoa(int(code)) + " " + reason; got != want {
			t.Errorf("%s: %q, want %q", script, got, want)
		}
	}
}

// What a program has written is delivered although it has ended, and although somebody else holds its pipe.
func TestLastWords(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: shell("setsid sleep 1000 & seq 1 50000")})
	c := open(t, st.url, nil)
	for i := 1; i <= 50000; i++ {
		hear(t, c, strconv.Itoa(i))
	}
	if code, _ := closed(t, c); code != frame.NormalClosure {
		t.Error(code)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("HOST_SECRET", "do-not-show")
	st := newStage(t, typeProcess, endpoint{Path: "/run/*", Command: "env"})
	c := open(t, st.url+"/a;touch$(x)?q=`id`&r=1", &ws.DialOptions{Header: http.Header{"X-Field": {"$(reboot)"}, "Proxy": {"http://evil"}}})
	var all []string
	for {
		_, p, err := c.Read(context20(t))
		if err != nil {
			break
		}
		all = append(all, string(p))
	}
	text := "\n" + strings.Join(all, "\n") + "\n"
	for _, want := range []string{
		"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=GET", "QUERY_STRING=q=`id`&r=1", "SCRIPT_NAME=/run", "PATH_INFO=/a;touch$(x)",
		"HTTP_X_FIELD=$(reboot)", "REMOTE_ADDR=127.0.0.1", "SERVER_PROTOCOL=HTTP/1.1",
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("no %q in%s", want, text)
		}
	}
	for _, bad := range []string{"HOST_SECRET", "HTTP_PROXY", "SCRIPT_FILENAME", "\nPATH_TRANSLATED"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q in%s", bad, text)
		}
	}
}

func TestWhereAndWhat(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: `./bin/tool "two words" %s $HOME ;id`, Dir: "sub"})
	if got := refused(t, st.url); got != 500 {
		t.Errorf("a program that is not there: %d", got)
	}
	if err := os.MkdirAll(filepath.Join(st.dir, "sub/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\npwd\nfor a; do echo \"$a\"; done\necho words >&2\n"
	if err := os.WriteFile(filepath.Join(st.dir, "sub/bin/tool"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	c := open(t, st.url, nil)
	hear(t, c, filepath.Join(st.dir, "sub"))
	for _, a := range []string{"two words", "%s", "$HOME", ";id"} {
		hear(t, c, a)
	}
	eventually(t, "the error stream is logged", func() bool { return strings.Contains(st.log.String(), "line=words") })
}

// alive reports whether a process is there and no zombie.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// A program ends with its connection, with all that it has started, although it does not want to.
func TestEndsWithItsConnection(t *testing.T) {
	for name, end := range map[string]func(*ws.Conn){
		"closed": func(c *ws.Conn) { _ = c.Close(frame.NormalClosure, "") },
		"cut":    (*ws.Conn).Cut,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newStage(t, typeProcess, endpoint{Command: shell(`trap '' TERM HUP; sleep 1000 & echo $!; echo $$; while :; do sleep 1000; done`)})
			c := open(t, st.url, nil)
			child, parent := read(t, c), read(t, c)
			if !alive(child) || !alive(parent) {
				t.Fatal("they do not run")
			}
			end(c)
			eventually(t, "both are gone", func() bool { return !alive(child) && !alive(parent) })
		})
	}
}

func TestHandshakeThatFailsLeavesNothing(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: "sleep 1000", Max: 1})
	for range 3 {
		resp, err := http.Get("http" + strings.TrimPrefix(st.url, "ws"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUpgradeRequired && resp.StatusCode != http.StatusBadRequest {
			t.Error(resp.Status)
		}
		eventually(t, "the program is gone", func() bool { return st.running() == 0 })
	}
}

// A program that writes for ever waits for a client that does not read, and ends when the engine cuts that one.
func TestClientThatDoesNotRead(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: shell(`echo $$; exec yes`), Framing: framingBinary})
	c := open(t, st.url, nil)
	pid, _, _ := strings.Cut(read(t, c), "\n")
	state := func() string {
		b, _ := os.ReadFile("/proc/" + pid + "/wchan")
		return string(b)
	}
	eventually(t, "the program waits for its pipe", func() bool { return strings.Contains(state(), "pipe") || !alive(pid) || state() == "0" && asleep(pid) })
	c.Cut()
	eventually(t, "the program is gone", func() bool { return !alive(pid) })
}

func asleep(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && strings.Contains(string(stat), ") S ")
}

// A client that writes for ever waits for a program that does not read, and what waits is bounded.
func TestProgramThatDoesNotRead(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: "sleep 1000", Framing: framingBinary})
	c := open(t, st.url, nil)
	flood(t, c)
	eventually(t, "the program is gone", func() bool { return st.running() == 0 })
}

// flood writes until the line takes no more, then cuts it. 64 MiB are more than all buffers on the way.
func flood(t *testing.T, c *ws.Conn) {
	t.Helper()
	raw := make(chan error, 1)
	go func() {
		for range 1024 {
			if err := c.Write(t.Context(), frame.Binary, make([]byte, 64<<10)); err != nil {
				raw <- err
				return
			}
		}
		raw <- nil
	}()
	if err := <-raw; err == nil {
		t.Error("64 MiB went to somebody who reads nothing")
	}
	c.Cut()
}

func TestKeeperEndsAll(t *testing.T) {
	st := newStage(t, typeProcess, endpoint{Command: shell(`sleep 1000 & echo $!; wait`)})
	c := open(t, st.url, nil)
	pid := read(t, c)
	if err := st.state.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child is gone", func() bool { return !alive(pid) })
	if code, _ := closed(t, c); code != frame.InternalError {
		t.Error(code)
	}
}

func TestProgramsOfAnotherUser(t *testing.T) {
	if syscall.Getuid() != 0 {
		t.Skip("only root may run programs as others")
	}
	t.Setenv("HOME", "/root-of-the-host")
	st := newStage(t, typeProcess, endpoint{Command: shell(`id -un; echo $HOME`), User: "nobody", Dir: "/"})
	c := open(t, st.url, nil)
	hear(t, c, "nobody")
	if got := read(t, c); strings.Contains(got, "root") {
		t.Errorf("HOME is %s", got)
	}
}
