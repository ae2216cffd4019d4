package httpplatform

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// programEnv makes the test program a program of an application. Its value says what is wrong with it.
const programEnv = "HTTPPLATFORM_TEST_PROGRAM"

func TestMain(m *testing.M) {
	how := os.Getenv(programEnv)
	if how == "" {
		os.Exit(m.Run())
	}
	os.Exit(program(how))
}

// program is an HTTP server as people write them.
func program(how string) int {
	fmt.Println("the program starts with", len(os.Args)-1, "arguments")
	what, file, _ := strings.Cut(how, ":")
	switch what {
	case "fails":
		fmt.Fprintln(os.Stderr, "the program is broken")
		return 3
	case "fails-until": // it has been tried so often that it has written three letters
		f, _ := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
		_, _ = f.WriteString("x")
		if b, _ := os.ReadFile(file); len(b) < 3 {
			return 4
		}
	case "silent":
		select {}
	case "waits": // for a file
		for !isFile(file) {
			time.Sleep(time.Millisecond)
		}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	}
	if what == "stops" { // and leaves a file
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		go func() {
			<-c
			_ = os.WriteFile(file, nil, 0o600)
			os.Exit(0)
		}()
	}
	var sessions sync.Map
	mux := http.NewServeMux()
	mux.HandleFunc("/pid", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getpid()) })
	mux.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getenv(r.URL.RawQuery)) })
	mux.HandleFunc("/exit", func(w http.ResponseWriter, r *http.Request) { os.Exit(7) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) { // until a file is there
		_ = os.WriteFile(r.URL.RawQuery+".busy", nil, 0o600)
		for !isFile(r.URL.RawQuery) {
			time.Sleep(time.Millisecond)
		}
		fmt.Fprint(w, os.Getpid())
	})
	mux.HandleFunc("/socket.io/", func(w http.ResponseWriter, r *http.Request) {
		sid := r.URL.Query().Get("sid")
		if sid == "" {
			sid = "s" + strconv.Itoa(os.Getpid()) + strconv.FormatInt(time.Now().UnixNano(), 36)
			sessions.Store(sid, true)
			fmt.Fprintf(w, `0{"sid":%q,"upgrades":["websocket"]}`, sid)
		} else if _, ok := sessions.Load(sid); !ok {
			http.Error(w, "Session ID unknown", http.StatusBadRequest)
		} else {
			fmt.Fprint(w, os.Getpid())
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s\n", r.RequestURI)
		_ = r.Header.Write(w)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
	return 1
}

// bench runs applications without a host around them.
type bench struct {
	t *testing.T
	*handler
	folder string
	id     identity
	log    *lines

	mu    sync.Mutex
	clock time.Duration // how far it goes before the real one
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, folder: t.TempDir(), id: identity{site: 1, appPath: "/", section: platformPath}, log: &lines{}}
	m := newManager()
	m.now = func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return time.Now().Add(b.clock)
	}
	b.handler = &handler{name: platformModule, log: slog.New(slog.NewTextHandler(b.log, nil)), manager: m, generation: m.begin(nil)}
	t.Cleanup(func() {
		if err := m.Close(); err != nil || m.keeper.Running() != 0 {
			t.Errorf("%d processes are left: %v", m.keeper.Running(), err)
		}
	})
	return b
}

// configure begins another generation, as a change of the configuration does.
func (b *bench) configure() { b.generation = b.manager.begin(nil) }

// forward puts the clock forward.
func (b *bench) forward(d time.Duration) {
	b.mu.Lock()
	b.clock += d
	b.mu.Unlock()
}

// settings are those of the test program.
func (b *bench) settings(how string, change ...func(*settings)) settings {
	b.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	s := settings{
		section: platformPath, program: exe, folder: b.folder, appPath: "/", startup: 30 * time.Second, shutdown: 20 * time.Second, request: 30 * time.Second,
		drain: time.Hour, rapidFails: 10, processes: 1, showsError: true, env: programEnv + "=" + how + "\x00",
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

// reply is what a request came to.
type reply struct {
	status, sub int
	body        string
	failure     *module.HTTPError
}

// ask sends a request to the application.
func (b *bench) ask(s settings, target string) reply {
	return b.send(context.Background(), s, httptest.NewRequest("GET", target, nil))
}

func (b *bench) send(ctx context.Context, s settings, r *http.Request) reply {
	var out reply
	q := &module.Request{SiteID: 1, Logger: slog.New(slog.DiscardHandler), Handler: &module.Handler{Name: "test", Modules: []string{b.name}}}
	q.RenderError = func(w http.ResponseWriter, _ *http.Request, e *module.HTTPError) {
		out.failure, out.sub = e, e.SubStatus
		w.WriteHeader(e.Status)
	}
	w := httptest.NewRecorder()
	r = module.WithRequest(r.WithContext(ctx), q)
	b.answer(w, r, q, s, b.id)
	out.status, out.body = w.Code, w.Body.String()
	return out
}

// pid asks for the number of the process.
func (b *bench) pid(s settings) string {
	b.t.Helper()
	a := b.ask(s, "/pid")
	if a.status != http.StatusOK {
		b.t.Fatalf("%d: %v\n%s", a.status, a.failure, b.log)
	}
	return a.body
}

// eventually waits until something is so.
func (b *bench) eventually(what string, so func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("not in time: %s\n%s", what, b.log)
		}
	}
}

// app returns the only application.
func (b *bench) app() *application {
	b.t.Helper()
	b.manager.mu.Lock()
	defer b.manager.mu.Unlock()
	if len(b.manager.apps[b.id]) != 1 {
		b.t.Fatalf("%d applications", len(b.manager.apps[b.id]))
	}
	return b.manager.apps[b.id][0]
}

func (b *bench) file(name string) string { return filepath.Join(b.folder, name) }

func (b *bench) put(name string) {
	b.t.Helper()
	if err := os.WriteFile(b.file(name), []byte(strconv.FormatInt(time.Now().UnixNano(), 10)), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// slow begins a request that lasts until done is called, which returns its answer.
func (b *bench) slow(s settings, name string) (done func() reply) {
	b.t.Helper()
	c := make(chan reply, 1)
	go func() { // no request that may be sent again
		c <- b.send(context.Background(), s, httptest.NewRequest("POST", "/slow?"+b.file(name), nil))
	}()
	b.eventually("a slow request", func() bool {
		select {
		case a := <-c:
			b.t.Fatalf("the slow request ended: %d %v", a.status, a.failure)
		default:
		}
		return isFile(b.file(name + ".busy"))
	})
	return func() reply {
		b.put(name)
		return <-c
	}
}

func TestStartsWithTheFirstRequest(t *testing.T) {
	b := newBench(t)
	s := b.settings("ok", func(s *settings) { s.arguments = `a "b c" %HTTP_PLATFORM_PORT%`; s.log = b.file("logs/app") })
	if n := b.manager.keeper.Running(); n != 0 {
		t.Fatalf("%d processes before a request", n)
	}
	var wg sync.WaitGroup
	pids := make([]string, 8)
	for n := range pids {
		wg.Go(func() { pids[n] = b.ask(s, "/pid").body })
	}
	wg.Wait()
	if len(slices.Compact(pids)) != 1 || pids[0] == "" || b.manager.keeper.Running() != 1 {
		t.Errorf("processes %q", pids)
	}
	logs, _ := filepath.Glob(b.file("logs/*"))
	if len(logs) != 1 || !strings.HasPrefix(logs[0], b.file("logs/app_2")) || !strings.HasSuffix(logs[0], "_"+pids[0]+".log") || len(filepath.Base(logs[0])) != len("app_20060102150405_.log")+len(pids[0]) {
		t.Errorf("logs %q", logs)
	}
	if text, _ := os.ReadFile(logs[0]); !strings.Contains(string(text), "starts with 3 arguments") {
		t.Errorf("the log says %q", text)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("GODEBUG", "http2xconnect=1,x509sha1=0")
	t.Setenv("ROLEMGR_HOME", "/srv")
	t.Setenv("NOTIFY_SOCKET", "/run/x")
	t.Setenv("PORT", "1")
	t.Setenv("OF_HOST", "host")
	t.Setenv("REPLACED", "host")
	b := newBench(t)
	s := b.settings("ok", func(s *settings) {
		s.section = corePath
		s.env += "REPLACED=site\x00WITH_PORT=http://*:%ASPNETCORE_PORT%/\x00"
	})
	get := func(name string) string { return b.ask(s, "/env?"+name).body }
	port := get("PORT")
	if n, err := strconv.Atoi(port); err != nil || n < 2 {
		t.Fatalf("PORT is %q", port)
	}
	for name, want := range map[string]string{
		"ROLEMGR_HOME": "", "NOTIFY_SOCKET": "", "OF_HOST": "host", "REPLACED": "site", "HTTP_PLATFORM_PORT": port, "ASPNETCORE_PORT": port,
		"ASPNETCORE_URLS": "http://127.0.0.1:" + port, "ASPNETCORE_APPL_PATH": "/", "ASPNETCORE_TOKEN": b.app().token, "WITH_PORT": "http://*:" + port + "/",
	} {
		if got := get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if env := (&instance{}).environment(1); !slices.Contains(env, "GODEBUG=x509sha1=0") {
		t.Errorf("what the host has set for itself is inherited: %q", env)
	}
	// Another user has a home of its own.
	t.Setenv("HOME", "/root")
	for user, want := range map[string]bool{"": true, "www-data": false} {
		i := &instance{set: settings{user: user}}
		if got := slices.Contains(i.environment(1), "HOME=/root"); got != want {
			t.Errorf("user %q: the host's HOME %v", user, got)
		}
	}
}

func TestStartFailures(t *testing.T) {
	for _, c := range []struct {
		name    string
		how     string
		change  func(*settings)
		summary string
		hint    string
		starts  int
	}{
		{"it ends", "fails", func(s *settings) {}, "ended before it listened", "the program is broken", 1},
		{"retries", "fails", func(s *settings) { s.retries = 2 }, "exit code 3", "stdoutLogEnabled", 3},
		{"it does not listen", "silent", func(s *settings) { s.startup = 300 * time.Millisecond }, "(startupTimeLimit)", "PORT", 1},
		{"there is none", "ok", func(s *settings) { s.program = "./none"; s.retries = 5 }, "there is no program", "", 0},
		{"no text", "fails", func(s *settings) { s.showsError = false }, "the application could not be started", "", 1},
		{"no folder for the log", "ok", func(s *settings) { s.log = "/proc/none/app" }, "the folder of the log", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			s := b.settings(c.how, c.change)
			a := b.ask(s, "/pid")
			if a.status != 502 || a.sub != 5 || !strings.Contains(a.failure.Summary, c.summary) || !strings.Contains(a.failure.Hint+a.failure.Summary, c.hint) {
				t.Errorf("%d.%d %+v", a.status, a.sub, a.failure)
			}
			if n := strings.Count(b.log.String(), "is tried again"); c.starts > 0 && n != c.starts-1 {
				t.Errorf("%d more attempts, want %d", n, c.starts-1)
			}
			b.eventually("every port is given back", func() bool {
				b.manager.ports.mu.Lock()
				defer b.manager.ports.mu.Unlock()
				return len(b.manager.ports.taken) == 0
			})
		})
	}
	b := newBench(t)
	if pid := b.pid(b.settings("fails-until:"+b.file("tries"), func(s *settings) { s.retries = 2 })); pid == "" {
		t.Error("no process after retries")
	}
	b.configure()
	if b.ask(b.settings("fails-until:"+b.file("others"), func(s *settings) { s.retries = 1 }), "/pid").status != 200 {
		t.Error("a replacement that fails takes the application away")
	}
}

func TestClientLeavesDuringStart(t *testing.T) {
	b := newBench(t)
	s := b.settings("waits:" + b.file("go"))
	ctx, cancel := context.WithCancel(t.Context())
	c := make(chan reply)
	go func() { c <- b.send(ctx, s, httptest.NewRequest("GET", "/pid", nil)) }()
	b.eventually("a start", func() bool { return b.manager.keeper.Running() == 1 })
	cancel()
	if a := <-c; a.status != 400 {
		t.Errorf("status %d", a.status)
	}
	b.put("go")
	b.pid(s)
	if n := b.app().slots[0].requests.Load(); n != 0 {
		t.Errorf("%d requests are counted", n)
	}
}

func TestPorts(t *testing.T) {
	var p ports
	first, err := p.take()
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		n, err := p.take()
		if err != nil || n == first {
			t.Fatalf("port %d again, %v", n, err)
		}
	}
	p.give(first)
	if p.taken[first] {
		t.Error("a port is kept")
	}
}

func TestTail(t *testing.T) {
	var l tail
	for _, c := range []struct{ in, want string }{
		{"a\nb\n", "a\nb"},
		{strings.Repeat("x", tailSize-1), strings.Repeat("x", tailSize-1)},
		{strings.Repeat("y", tailSize+5), strings.Repeat("y", tailSize)},
		{"first\n" + strings.Repeat("z", tailSize-1), strings.Repeat("z", tailSize-1)},
	} {
		l.set(nil)
		if _, err := io.WriteString(&l, c.in); err != nil || l.String() != c.want {
			t.Errorf("%.10q: %.10q, %d bytes", c.in, l.String(), len(l.String()))
		}
	}
}
