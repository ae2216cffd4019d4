package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/quietterm"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

func TestMain(m *testing.M) {
	if code, ok := runSiteProgram(); ok {
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){"rolemgr": main, "terminal-of-children": printTerminals, "rolemgr-with-a-fault": runBroken})
}

// printTerminals prints TERM as it is while the program initialises, afterwards, and for a child.
func printTerminals() {
	before := os.Getenv("TERM")
	quietterm.Restore()
	child, err := exec.Command("sh", "-c", "printf %s \"$TERM\"").Output()
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s, then %s, child %s, kept %q\n", before, os.Getenv("TERM"), child, os.Getenv("ROLEMGR_TERM"))
}

// TestScripts runs the scripts of testdata/script with the real program. Each has a fresh home in $HOME_DIR, which
// ROLEMGR_HOME names.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "server")
			e.Setenv("ROLEMGR_HOME", home)
			e.Setenv("SERVER", home)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_DATA_HOME", "")
			e.Values[socketsKey{}] = &heldSockets{}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":     cmdCode,
			"json":     cmdJSON,
			"freeport": cmdFreePort,
			"waithost": cmdWaitHost,
			"nobody":   cmdNobody,
			"holdlock": cmdHoldLock,
			"snapshot": cmdSnapshot,
			"same":     cmdSame,
			"sockets":  cmdSockets,
			"sed":      cmdSed,
			"times":    cmdTimes,
			"helps":    cmdHelps,
			"sameplan": cmdSamePlan,
			"once":     cmdOnce,
			"hangup":   cmdHangUp,
			"waitgen":  cmdWaitGeneration,
			"pickport": cmdPickPort,
			"fetch":    cmdFetch,
			"holdport": cmdHoldPort,
		},
	})
}

// code N command...: the command ends with exactly that exit code.
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d; want %d", got, want)
	}
}

// json [!] FILE path want: the value at a dotted path ("features.0.id", "features.len") prints as want.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE path want")
	}
	var v any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	ts.Check(d.Decode(&v))
	if d.More() {
		ts.Fatalf("more than one JSON value was printed")
	}
	for _, key := range strings.Split(args[1], ".") {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[key]
			if !ok {
				v = "(absent)"
				continue
			}
			v = next
		case []any:
			if key == "len" {
				v = len(at)
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(at) {
				ts.Fatalf("no element %q in a list of %d", key, len(at))
			}
			v = at[i]
		default:
			ts.Fatalf("nothing at %q in %s", key, args[1])
		}
	}
	if got := fmt.Sprint(v); (got == args[2]) == neg {
		ts.Fatalf("%s is %q; want %q (negated: %v)", args[1], got, args[2], neg)
	}
}

// freeport: the default site gets a port that the kernel chooses.
func cmdFreePort(ts *testscript.TestScript, _ bool, _ []string) {
	name := filepath.Join(ts.Getenv("SERVER"), "config", "applicationHost.config")
	b, err := os.ReadFile(name)
	ts.Check(err)
	text := strings.Replace(string(b), `bindingInformation="127.0.0.1:8080:"`, `bindingInformation="127.0.0.1:0:"`, 1)
	if text == string(b) {
		ts.Fatalf("%s has no binding of port 8080", name)
	}
	ts.Check(os.WriteFile(name, []byte(text), 0o644))
}

// waithost [PID]: waits until a host answers and sets $URL, $WS and $PID; ! waithost: until none runs.
func cmdWaitHost(ts *testscript.TestScript, neg bool, _ []string) {
	admin := wshost.NewAdmin(ts.Getenv("SERVER"))
	waitUntil(ts, func() bool {
		st, err := admin.Status(context.Background())
		if neg {
			return errors.Is(err, wshost.ErrNotRunning)
		}
		if err != nil || len(st.Sites) == 0 || len(st.Sites[0].Bindings) == 0 {
			return false
		}
		url := strings.TrimSuffix(st.Sites[0].Bindings[0], "/")
		ts.Setenv("URL", url)
		ts.Setenv("WS", "ws"+strings.TrimPrefix(url, "http"))
		ts.Setenv("PID", strconv.Itoa(st.PID))
		return true
	})
}

// waitUntil polls a condition that another process makes true.
func waitUntil(ts *testscript.TestScript, done func() bool) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("waited in vain for 20 s")
		}
	}
}

// nobody N command...: as code, but as a user who may write nowhere; only for root.
func cmdNobody(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	program, err := exec.LookPath(args[1])
	ts.Check(err)
	for _, dir := range []string{filepath.Dir(program), ts.Getenv("WORK")} {
		for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			ts.Check(os.Chmod(dir, 0o755))
		}
	}
	cmd := exec.Command(program, args[2:]...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "ROLEMGR_HOME="+ts.Getenv("SERVER"), "HOME="+ts.Getenv("WORK"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, errs := ts.Stdout(), ts.Stderr()
	cmd.Stdout, cmd.Stderr = out, errs
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d; want %d", got, want)
	}
}

// holdlock: this process holds the writer's lock until ! holdlock, or the end of the script.
func cmdHoldLock(ts *testscript.TestScript, neg bool, _ []string) {
	const file = "lock-is-held"
	if neg {
		ts.Check(os.Remove(ts.MkAbs(file)))
		return
	}
	store := state.NewStore(ts.Getenv("SERVER"), atomicfile.OS{}, newEnv().Factory)
	unlock, err := store.Lock("rolemgr install somewhere-else", 0)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(file), nil, 0o644))
	stop := make(chan struct{})
	released := make(chan struct{})
	go func() {
		defer close(released)
		defer unlock()
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				if _, err := os.Stat(ts.MkAbs(file)); errors.Is(err, fs.ErrNotExist) {
					return
				}
			}
		}
	}()
	ts.Defer(func() { close(stop); <-released })
}

// snapshot NAME DIR: writes every path below DIR with its content and mode to a file, for same.
func cmdSnapshot(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(treeText(ts, ts.MkAbs(args[1]))), 0o644))
}

// same NAME DIR: everything below DIR is as it was when the snapshot was taken.
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	before, now := ts.ReadFile(args[0]), treeText(ts, ts.MkAbs(args[1]))
	if (before == now) == neg {
		ts.Fatalf("before:\n%s\nnow:\n%s", before, now)
	}
}

func treeText(ts *testscript.TestScript, dir string) string {
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v", strings.TrimPrefix(name, dir), info.Mode())
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %d %q", info.ModTime().UnixNano(), text)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		ts.Fatalf("%v", err)
	}
	return b.String()
}

// heldSockets are the connections that a script holds open.
type heldSockets struct{ conns []*ws.Conn }

type socketsKey struct{}

// echoed sends a message and expects it back.
func echoed(c *ws.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := c.Write(ctx, frame.Text, []byte("still here")); err != nil {
		return err
	}
	_, p, err := c.Read(ctx)
	if err == nil && string(p) != "still here" {
		err = fmt.Errorf("%q came back", p)
	}
	return err
}

// sockets open N: opens N WebSocket connections to $WS/echo; sockets closed CODE: all were closed with that code;
// sockets alive: a message is echoed on each.
func cmdSockets(ts *testscript.TestScript, _ bool, args []string) {
	held := ts.Value(socketsKey{}).(*heldSockets)
	switch args[0] {
	case "open":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		for range n {
			c, _, err := ws.Dial(context.Background(), ts.Getenv("WS")+"/echo", &ws.DialOptions{})
			ts.Check(err)
			held.conns = append(held.conns, c)
		}
	case "alive":
		for _, c := range held.conns {
			ts.Check(echoed(c))
		}
	case "closed":
		for _, c := range held.conns {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			_, _, err := c.Read(ctx)
			cancel()
			var ce *ws.CloseError
			if !errors.As(err, &ce) || strconv.Itoa(int(ce.Code)) != args[1] {
				ts.Fatalf("read: %v; want a close with code %s", err, args[1])
			}
		}
		held.conns = nil
	}
}

// times N command...: the command succeeds N times in a row.
func cmdTimes(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for range n {
		ts.Check(ts.Exec(args[1], args[2:]...))
	}
}

// sed FILE old new: replaces the first occurrence of a text, which must be there.
func cmdSed(ts *testscript.TestScript, _ bool, args []string) {
	name := ts.MkAbs(args[0])
	b, err := os.ReadFile(name)
	ts.Check(err)
	if !strings.Contains(string(b), args[1]) {
		ts.Fatalf("%s does not contain %q", name, args[1])
	}
	ts.Check(os.WriteFile(name, []byte(strings.Replace(string(b), args[1], args[2], 1)), 0o644))
}

// helps COMMAND...: the help of each command ends with every exit code.
func cmdHelps(ts *testscript.TestScript, _ bool, args []string) {
	for _, command := range args {
		ts.Check(ts.Exec("rolemgr", append(strings.Fields(command), "--help")...))
		if got := ts.ReadFile("stdout"); !strings.HasSuffix(got, "\n"+exitHelp()) {
			ts.Fatalf("the help of %s does not end with the exit codes:\n%s", command, got)
		}
	}
}

// sameplan WHATIF INSTALL: the install printed first what --what-if printed, without its last line.
func cmdSamePlan(ts *testscript.TestScript, _ bool, args []string) {
	plan, _, ok := strings.Cut(ts.ReadFile(args[0]), "Nothing was changed")
	if installed := ts.ReadFile(args[1]); !ok || plan == "" || !strings.HasPrefix(installed, plan) {
		ts.Fatalf("planned:\n%s\ninstalled:\n%s", plan, installed)
	}
}

// once A B: of two JSON results exactly one says "changed", the other "no-change".
func cmdOnce(ts *testscript.TestScript, _ bool, args []string) {
	results := map[string]int{}
	for _, name := range args {
		var r changeResult
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &r))
		results[r.Result]++
	}
	if results["changed"] != 1 || results["no-change"] != 1 {
		ts.Fatalf("the results are %v; want one changed, one no-change", results)
	}
}

// hangup: sends SIGHUP to the host that waithost found.
func cmdHangUp(ts *testscript.TestScript, _ bool, _ []string) {
	pid, err := strconv.Atoi(ts.Getenv("PID"))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, syscall.SIGHUP))
}

// waitgen N: waits until the host serves generation N.
func cmdWaitGeneration(ts *testscript.TestScript, _ bool, args []string) {
	admin := wshost.NewAdmin(ts.Getenv("SERVER"))
	waitUntil(ts, func() bool {
		st, err := admin.Status(context.Background())
		return err == nil && strconv.FormatUint(st.Generation, 10) == args[0]
	})
}
