package all_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fastCGIEnv makes the test program a FastCGI process on descriptor 0, by what the standard library has for that.
const fastCGIEnv = "ALL_TEST_FASTCGI"

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == proofProgram:
		os.Exit(runProofProgram(os.Args[2:]))
	case os.Getenv(fastCGIEnv) == "" && !(len(os.Args) > 1 && os.Args[1] == proofFastCGI):
		// A zone whose hour is never that of UTC, set before anybody looks at the clock: what is to be in UTC must not be local.
		time.Local = time.FixedZone("far", 13*60*60)
		os.Exit(m.Run())
	}
	l, err := net.FileListener(os.Stdin)
	if err == nil {
		err = fcgi.Serve(l, http.HandlerFunc(fastCGIPage))
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// fastCGIPage answers as the query says.
func fastCGIPage(w http.ResponseWriter, r *http.Request) {
	env := fcgi.ProcessEnv(r)
	switch q := r.URL.Query(); q.Get("do") {
	case "exit":
		os.Exit(7)
	case "env":
		fmt.Fprint(w, os.Getenv(q.Get("name")))
		return
	case "args":
		fmt.Fprint(w, strings.Join(os.Args[1:], " "))
		return
	case "wait": // until somebody makes the file
		os.WriteFile(q.Get("file")+".busy", nil, 0o600)
		for {
			if _, err := os.Stat(q.Get("file")); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	case "hang":
		select {}
	case "body":
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d %v ", n, err)
	}
	fmt.Fprintf(w, "pid %d script %s info [%s] env %s", os.Getpid(), filepath.Base(env["SCRIPT_FILENAME"]), filepath.Base(env["PATH_TRANSLATED"]), os.Getenv("APP_COLOUR"))
}

// startFastCGI starts a host whose site has a script of a FastCGI application with some attributes.
func startFastCGI(t *testing.T, attributes string) *testHost {
	t.Helper()
	home := newHome(t, append(everything(), "fastcgi", "cgi")...)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(home, "config/applicationHost.config"), "</configuration>", `<system.webServer><fastCgi>
		<application fullPath="`+exe+`" arguments="-x" `+attributes+`><environmentVariables>
		<environmentVariable name="`+fastCGIEnv+`" value="1" /><environmentVariable name="APP_COLOUR" value="green" />
		</environmentVariables></application></fastCgi></system.webServer></configuration>`)
	h := startHost(t, home)
	h.site("a.demo", "")
	h.site("folder.demo/x.txt", "")
	h.webConfig(`<handlers accessPolicy="Read, Script, Execute"><add name="Demo" path="*.demo" verb="*" modules="FastCgiModule" scriptProcessor="` + exe + `|-x" />
		<add name="Missing" path="*.missing" verb="*" modules="FastCgiModule" scriptProcessor="C:\no\such-program.exe" />
		<add name="Nothing" path="*.nothing" verb="*" modules="FastCgiModule" />
		<add name="Far" path="*.far" verb="*" modules="FastCgiModule" scriptProcessor="unix:` + filepath.Join(home, "far.sock") + `" />
		<add name="CGI" path="*.cgi" verb="*" modules="CgiModule" resourceType="File" />
		<add name="Shell" path="*.shell" verb="*" modules="CgiModule" scriptProcessor="/bin/sh &quot;%s&quot; %s" resourceType="File" />
		</handlers>`)
	for _, name := range []string{"a.missing", "a.nothing", "a.far"} {
		h.site(name, "")
	}
	return h
}

func TestFastCGI(t *testing.T) {
	h := startFastCGI(t, "")
	first := h.get("/a.demo/more?x=1")
	if first.status != 200 || !strings.Contains(first.body, " script a.demo info [more] env green") {
		t.Errorf("%d %s", first.status, first.body)
	}
	pid, _, _ := strings.Cut(first.body, " script")
	if second := h.get("/a.demo"); !strings.HasPrefix(second.body, pid+" ") {
		t.Errorf("another process: %s, then %s", pid, second.body)
	}
	for _, c := range []struct{ request, body, want string }{
		{"GET /none.demo HTTP/1.1", "", "404.0"},
		{"GET /folder.demo HTTP/1.1", "", "404.0"},
		{"GET /a.missing HTTP/1.1", "", "500.0"},
		{"GET /a.nothing HTTP/1.1", "", "500.0"},
		{"GET /a.far HTTP/1.1", "", "502.3"},
		{"GET /a.demo?do=exit HTTP/1.1", "", "500.0"},
		{"GET /a.demo HTTP/1.1", "", "200"},
		{"POST /a.demo?do=body HTTP/1.1\nContent-Length: 5", "hello", "200"},
		{"POST /a.demo?do=body HTTP/1.1\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "200"},
		{"POST /a.demo?do=body HTTP/1.1\nTransfer-Encoding: chunked", "5\r\nhel", "400"},
	} {
		if c.want == "400" {
			continue // the harness waits for an answer, and the host for the rest of the body
		}
		a := h.ask(c.request, c.body)
		if a.named() != c.want {
			t.Errorf("%s: %s, want %s", c.request, a.named(), c.want)
		}
		if c.body != "" && !strings.HasPrefix(a.body, "5 <nil> ") {
			t.Errorf("%s: %s", c.request, a.body)
		}
	}
	if body := h.get("/a.demo?do=exit").body; !strings.Contains(body, "exit code 7") || !strings.Contains(body, "0x00000007") {
		t.Errorf("the page does not tell how the process ended: %s", body)
	}
	for _, want := range []string{"such-program", "a FastCGI process failed"} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("the log does not tell %q", want)
		}
	}
}

// occupy makes a process busy until the returned function is called, which returns the answer.
func (h *testHost) occupy(t *testing.T) (free func() answer) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "go")
	out := make(chan answer, 1)
	go func() { out <- h.get("/a.demo?do=wait&file=" + file) }()
	eventually(t, "the process is busy", func() bool { _, err := os.Stat(file + ".busy"); return err == nil })
	return func() answer {
		write(t, file, "")
		return <-out
	}
}

func TestFastCGIQueue(t *testing.T) {
	h := startFastCGI(t, `maxInstances="1" queueLength="1"`)
	free := h.occupy(t)
	queued := make(chan answer, 1)
	go func() { queued <- h.get("/a.demo") }()
	// The next to come is the first that the queue has no room for; until then, this one is the queue.
	eventually(t, "a request is refused", func() bool {
		done := make(chan answer, 1)
		go func() { done <- h.get("/a.demo") }()
		select {
		case a := <-done:
			return a.named() == "503.4"
		case <-time.After(50 * time.Millisecond):
			return false
		}
	})
	if a := free(); a.status != 200 {
		t.Errorf("the busy one: %d", a.status)
	}
	if a := <-queued; a.status != 200 && a.named() != "503.4" {
		t.Errorf("the queued one: %s", a.named())
	}
}

func TestFastCGISecondInstance(t *testing.T) {
	h := startFastCGI(t, `maxInstances="2"`)
	free := h.occupy(t)
	if a := h.get("/a.demo"); a.status != 200 {
		t.Errorf("beside a busy process: %d", a.status)
	}
	free()
}

func TestFastCGIInstanceMaxRequests(t *testing.T) {
	h := startFastCGI(t, `instanceMaxRequests="2"`)
	var pids []string
	for range 4 {
		pid, _, _ := strings.Cut(h.get("/a.demo").body, " script")
		pids = append(pids, pid)
	}
	if pids[0] != pids[1] || pids[1] == pids[2] || pids[2] != pids[3] {
		t.Errorf("%q", pids)
	}
}

func TestFastCGIRapidFails(t *testing.T) {
	h := startFastCGI(t, `rapidFailsPerMinute="2"`)
	for range 3 {
		h.get("/a.demo?do=exit")
	}
	if a := h.get("/a.demo"); a.named() != "500.0" || !strings.Contains(a.body, "failed too often") {
		t.Errorf("%s %s", a.named(), a.body)
	}
}

func TestFastCGIMonitorChangesTo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.ini")
	write(t, file, "1")
	h := startFastCGI(t, `monitorChangesTo="`+file+`"`)
	first, same := h.get("/a.demo").body, h.get("/a.demo").body
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	if other := h.get("/a.demo").body; first != same || other == first {
		t.Errorf("%s, %s, after a change %s", first, same, other)
	}
}

func TestFastCGIRestricted(t *testing.T) {
	home := newHome(t, append(everything(), "fastcgi")...)
	replace(t, filepath.Join(home, "config/applicationHost.config"), "</configuration>", `<system.webServer><security>
		<isapiCgiRestriction notListedCgisAllowed="false"><add path="/usr/bin/other" allowed="true" /></isapiCgiRestriction></security></system.webServer></configuration>`)
	h := startHost(t, home)
	h.site("a.demo", "")
	h.webConfig(`<handlers accessPolicy="Script"><add name="Demo" path="*.demo" verb="*" modules="FastCgiModule" scriptProcessor="/bin/false" /></handlers>`)
	if a := h.get("/a.demo"); a.named() != "404.2" {
		t.Errorf("%s", a.named())
	}
}

func TestCGI(t *testing.T) {
	h := startFastCGI(t, "")
	program := func(name, script string) {
		h.site(name, script)
		if err := os.Chmod(filepath.Join(h.home, "sites/default", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program("env.cgi", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'; echo \"$REQUEST_METHOD $PATH_INFO $QUERY_STRING [$HTTP_PROXY]\"; cat\n")
	program("status.cgi", "#!/bin/sh\nprintf 'Status: 418 Teapot\\nX-A: b\\n\\n'\n")
	program("bad.cgi", "#!/bin/sh\necho hello\n")
	program("quiet.cgi", "#!/bin/sh\necho oh dear >&2; exit 3\n")
	program("slow.cgi", "#!/bin/sh\nsleep 1000\n")
	h.site("plain.cgi", "no program")
	h.site("a.shell", `printf 'A: b\n\n'; echo "shell ${1##*/}"`)
	for _, c := range []struct{ request, body, want, text string }{
		{"GET /env.cgi/p?q HTTP/1.1\nProxy: http://evil/", "", "200", "GET /p q []\n"},
		{"POST /env.cgi HTTP/1.1\nContent-Length: 5", "hello", "200", "POST   []\nhello"},
		{"POST /env.cgi HTTP/1.1\nTransfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n", "200", "POST   []\nhello"},
		{"GET /a.shell HTTP/1.1", "", "200", "shell a.shell\n"},
		{"GET /bad.cgi HTTP/1.1", "", "502.2", ""},
		{"GET /quiet.cgi HTTP/1.1", "", "502.2", ""},
		{"GET /plain.cgi HTTP/1.1", "", "500.0", ""},
		{"GET /none.cgi HTTP/1.1", "", "404.0", ""},
		{"GET /web.config.cgi/../web.config HTTP/1.1", "", "404.8", ""},
	} {
		a := h.ask(c.request, c.body)
		if a.named() != c.want || c.text != "" && a.body != c.text {
			t.Errorf("%s: %s %.200q, want %s %q", c.request, a.named(), a.body, c.want, c.text)
		}
	}
	if a := h.get("/status.cgi"); a.status != 418 || a.header.Get("X-A") != "b" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if !strings.Contains(h.log.String(), "oh dear") {
		t.Error("the log does not hold what the program wrote")
	}
	replace(t, filepath.Join(h.home, "config/applicationHost.config"), "<fastCgi>", `<cgi timeout="00:00:01" /><fastCgi>`)
	if _, err := h.server.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := h.get("/slow.cgi"); a.named() != "502.1" {
		t.Errorf("%s", a.named())
	}
}

func TestWSGIByTheShapeOfWfastcgi(t *testing.T) {
	h := startHost(t, newHome(t, append(everything(), "fastcgi")...))
	h.site("app.py", `
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/fail":
        raise ValueError("on purpose")
    start_response("201 Created", [("Content-Type", "text/plain"), ("X-App", "py")])
    yield (environ["REQUEST_METHOD"] + " " + environ["SCRIPT_NAME"] + environ["PATH_INFO"] + " ").encode()
    yield body
`)
	h.site("web.config", `<configuration><appSettings><add key="WSGI_HANDLER" value="app.application" /><add key="PYTHONPATH" value="C:\site" /></appSettings>
		<system.webServer><handlers accessPolicy="Read, Script"><add name="PythonHandler" path="*" verb="*" modules="FastCgiModule"
		scriptProcessor="D:\home\Python36\python.exe|D:\home\Python36\wfastcgi.py" resourceType="Unspecified" requireAccess="Script" /></handlers></system.webServer></configuration>`)
	for _, c := range []struct{ request, body, want string }{
		{"GET / HTTP/1.1", "", "GET / "},
		{"GET /users/7 HTTP/1.1", "", "GET /users/7 "},
		{"POST /a HTTP/1.1\nContent-Length: 5", "hello", "POST /a hello"},
	} {
		if a := h.ask(c.request, c.body); a.status != 201 || a.body != c.want || a.header.Get("X-App") != "py" {
			t.Errorf("%s: %d %.200q\n%s", c.request, a.status, a.body, h.log)
		}
	}
	if a := h.get("/fail"); a.status != 500 || !strings.Contains(h.log.String(), "on purpose") {
		t.Errorf("%d", a.status)
	}
	if a := h.get("/"); a.status != 201 {
		t.Errorf("after a failure: %d", a.status)
	}
}

// TestFastCGIClientGone holds that a process whose client went away in the middle is used again, once it has finished.
func TestFastCGIClientGone(t *testing.T) {
	h := startFastCGI(t, `maxInstances="1"`)
	pid, _, _ := strings.Cut(h.get("/a.demo").body, " script")
	file := filepath.Join(t.TempDir(), "go")
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /a.demo?do=wait&file=%s HTTP/1.1\r\nHost: localhost\r\n\r\n", file)
	eventually(t, "the process is busy", func() bool { _, err := os.Stat(file + ".busy"); return err == nil })
	c.Close()
	write(t, file, "")
	if a := h.get("/a.demo"); a.status != 200 || !strings.HasPrefix(a.body, pid+" ") {
		t.Errorf("%d %s, want %s", a.status, a.body, pid)
	}
}
