package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

var update = flag.Bool("update", false, "write the reports and effective settings of testdata/sites anew")

// TestSites serves every site of testdata/sites with everything installed that can be, sends its requests, and holds
// the report and the effective settings to what is written down. What is secret in the files is called
// do-not-print-this.
func TestSites(t *testing.T) {
	names, err := filepath.Glob("testdata/sites/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d sites, %v", len(names), err)
	}
	full := installEverything(t)
	t.Setenv("PATH", sitePrograms(t))
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s, err := readSite(name)
			if err != nil {
				t.Fatal(err)
			}
			testSite(t, s, full)
		})
	}
}

// installEverything returns a home on which every feature is installed.
func installEverything(t *testing.T) string {
	t.Helper()
	e, home, out, errs := newTestEnv(t)
	catalog, err := e.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"install"}
	for _, u := range catalog.Units() {
		if u.Unavailable == nil && !u.Group {
			args = append(args, string(u.ID))
		}
	}
	if code := execute(t.Context(), e, args); code != ExitDone {
		t.Fatalf("%v: exit code %d\n%s%s", args, code, out, errs)
	}
	return home
}

// A siteRun is a site in a folder of its own: site/ beside home/.
type siteRun struct {
	t    *testing.T
	s    *siteFile
	dir  string
	addr string

	mu    sync.Mutex
	ended map[string]module.Outcome // by the value of askField
}

// askField carries the number of a request to the module that looks at its outcome.
const askField = "X-Sites-Test"

func testSite(t *testing.T, s *siteFile, full string) {
	dir := t.TempDir()
	s.behind = serverBehind(t)
	if err := s.unpack(dir); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(dir, "home")
	for _, part := range []string{"config", "state.toml"} {
		if err := copyTree(filepath.Join(full, part), filepath.Join(home, part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(home, "config", "applicationHost.config"), s.hostConfig(dir), 0o644); err != nil {
		t.Fatal(err)
	}
	x := &siteRun{t: t, s: s, dir: dir, ended: map[string]module.Outcome{}}
	x.goldens(home)
	if len(s.asks) > 0 {
		x.serve(home)
		for i, a := range s.asks {
			x.ask(strconv.Itoa(i), a)
		}
	}
}

func copyTree(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.CopyFS(to, os.DirFS(from))
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// goldens compares the report and the effective settings, or writes them anew.
func (x *siteRun) goldens(home string) {
	x.t.Helper()
	golden := map[string]string{"report": x.report(home)}
	for _, f := range x.s.archive.Files {
		if path, ok := strings.CutPrefix(f.Name, "effective "); ok {
			golden[f.Name] = touched(x.run(home, "config", "show", "Site"+path))
		}
	}
	if *update {
		if err := x.s.rewrite(golden); err != nil {
			x.t.Fatal(err)
		}
		return
	}
	for name, got := range golden {
		if want := string(x.s.section(name)); got != want {
			x.t.Errorf("%s is not what %s says (-update writes it anew):\n%s\ninstead of:\n%s", name, x.s.name, got, want)
		}
	}
}

// report is what `config check` says of the site.
func (x *siteRun) report(home string) string {
	if x.s.bare {
		home = filepath.Join(x.dir, "bare")
	}
	site := filepath.Join(x.dir, "site")
	e, out, errs := x.env(home)
	code := execute(context.Background(), e, []string{"config", "check", site})
	if errs.Len() > 0 {
		x.t.Errorf("on standard error: %s", errs)
	}
	if strings.Contains(out.String(), "do-not-print-this") {
		x.t.Error("the report holds a secret")
	}
	text := out.String()
	checkJSON(x.t, e, site, code)
	if x.s.bare && leftBelow(x.t, home) != nil {
		x.t.Error("something was written into the home")
	}
	return x.clean(text)
}

// env is a fresh env on a home.
func (x *siteRun) env(home string) (e *env, out, errs *bytes.Buffer) {
	e, _, out, errs = newTestEnv(x.t)
	e.Getenv = func(name string) string { return map[string]string{"ROLEMGR_HOME": home}[name] }
	return e, out, errs
}

// run runs a command and returns what it prints, on either stream.
func (x *siteRun) run(home string, args ...string) string {
	e, out, errs := x.env(home)
	execute(context.Background(), e, args)
	return x.clean(out.String() + errs.String())
}

// clean takes out what differs from run to run.
func (x *siteRun) clean(text string) string {
	text = strings.ReplaceAll(text, filepath.Join(x.dir, "bare"), "$HOME")
	text = strings.ReplaceAll(text, filepath.Join(x.dir, "home"), "$HOME")
	if x.s.behind != "" {
		text = strings.ReplaceAll(text, ":"+x.s.behind+"/", ":"+behindPort+"/")
	}
	return strings.ReplaceAll(text, x.dir+"/", "")
}

// behindPort stands, in a file of a site, for the port of a server behind this one. It is as long as the number.
const behindPort = "BPORT"

// serverBehind starts a server that tells what it was asked, for rules that lead to one, and returns its port.
func serverBehind(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = fmt.Fprintf(w, "%s %s\nhost %s\n", r.Method, r.RequestURI, r.Host)
		for _, name := range []string{"X-Forwarded-Proto", "X-Forwarded-Host", "X-Original-Accept-Encoding", "Accept-Encoding"} {
			_, _ = fmt.Fprintf(w, "%s %q\n", name, r.Header.Values(name))
		}
	}))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil || len(port) != len(behindPort) {
		t.Skipf("the system gave the port %q (%v)", port, err)
	}
	return port
}

// placeOfFeature is a place in a file of ours, whose lines may move.
var placeOfFeature = regexp.MustCompile(`config/features\.d/(\S+)\.config:\d+:\d+`)

// isDefault is the end of a line about what nobody wrote.
var isDefault = regexp.MustCompile(`  default(  without effect: .*)?$`)

// touched leaves of `config show` the sections that files of the site or of the server say something in, without what
// is a default there and without types of files that came with features.
func touched(text string) string {
	var out strings.Builder
	for i, block := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 && !regexp.MustCompile(`(?m)\.config:\d+:\d+`).MatchString(placeOfFeature.ReplaceAllString(block, "")) {
			continue
		}
		if i > 0 {
			out.WriteString("\n")
		}
		for line := range strings.Lines(block) {
			line = strings.TrimRight(line, "\n")
			inherited := placeOfFeature.MatchString(line)
			if isDefault.MatchString(line) || strings.HasPrefix(strings.TrimSpace(line), "... and ") || inherited && strings.Contains(line, "<mimeMap ") {
				continue
			}
			out.WriteString(placeOfFeature.ReplaceAllString(line, "$1") + "\n")
		}
	}
	return out.String()
}

// serve starts a host whose outermost module notes how every request ends.
func (x *siteRun) serve(home string) {
	x.t.Helper()
	e, _, _ := x.env(home)
	catalog, err := e.Catalog()
	if err != nil {
		x.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "config", "features.d", "sites-test.config"), []byte(
		`<configuration><system.webServer><globalModules><add name="SitesTest" image="builtin"/></globalModules>`+
			`<modules><add name="SitesTest"/></modules></system.webServer></configuration>`), 0o644); err != nil {
		x.t.Fatal(err)
	}
	witness := module.Info{Name: "SitesTest", Stage: module.StageLog, Feature: "sites-test", Title: "Test", New: func() module.Module { return x }}
	host, err := wshost.Start(context.Background(), wshost.Options{
		Home: home, Name: "server", Version: "0", Modules: append(catalog.Modules(), witness), Known: catalog.Known(),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := host.Stop(ctx); err != nil {
			x.t.Errorf("stop: %v", err)
		}
	})
	for _, s := range host.Status().Sites {
		if s.Name == "Site" {
			x.addr = strings.TrimSuffix(strings.TrimPrefix(s.Bindings[0], "http://"), "/")
		}
	}
}

// Middleware notes the outcome of a request by its number.
func (x *siteRun) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number, q := r.Header.Get(askField), module.FromRequest(r)
		if number != "" {
			r.Header.Del(askField)
			q.OnEnd(func() {
				x.mu.Lock()
				defer x.mu.Unlock()
				x.ended[number] = q.Outcome
			})
		}
		next.ServeHTTP(w, r)
	})
}

// ask sends a request, byte for byte as it is written, and looks at the answer.
func (x *siteRun) ask(number string, a siteAsk) {
	x.t.Helper()
	resp, body, err := x.send(number, a)
	if err != nil {
		if a.status != 0 {
			x.t.Errorf("%s\n\t%v", a.line, err)
		}
		return
	}
	var wrong []string
	x.mu.Lock()
	end, ended := x.ended[number]
	x.mu.Unlock()
	if resp.StatusCode != a.status || ended && end.SubStatus != a.sub {
		wrong = append(wrong, fmt.Sprintf("status %d.%d", resp.StatusCode, end.SubStatus))
	}
	if a.sub != 0 && !ended {
		wrong = append(wrong, "the request did not reach the modules, so that its sub-status is not known")
	}
	for _, f := range a.want {
		got := resp.Header.Values(f[0])
		if f[1] == "-" && got != nil || f[1] != "-" && (got == nil || strings.Join(got, ", ") != f[1]) {
			wrong = append(wrong, fmt.Sprintf("%s: %q", f[0], got))
		}
	}
	for _, text := range a.contains {
		if !strings.Contains(body, text) {
			wrong = append(wrong, fmt.Sprintf("the body has no %q", text))
		}
	}
	if wrong != nil {
		if _, text, ok := strings.Cut(body, "<main>"); ok { // a page of ours
			body = regexp.MustCompile(`(<[^>]*>|\s)+`).ReplaceAllString(text, " ")
		}
		x.t.Errorf("%s\n\t%s\n\tfields %v\n\tbody %.2000q", a.line, strings.Join(wrong, "\n\t"), resp.Header, body)
	}
}

// send sends a request over a connection of its own, and waits for the end of it: by then its outcome is known.
func (x *siteRun) send(number string, a siteAsk) (*http.Response, string, error) {
	conn, err := net.Dial("tcp", x.addr)
	if err != nil {
		return nil, "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, "", err
	}
	fields := slices.Concat([][2]string{{"Host", "localhost"}, {askField, number}, {"Connection", "close"}}, a.fields)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", a.method, a.path)
	for i, f := range fields {
		if !slices.ContainsFunc(fields[i+1:], func(later [2]string) bool { return strings.EqualFold(f[0], later[0]) }) {
			fmt.Fprintf(&b, "%s: %s\r\n", f[0], f[1])
		}
	}
	if _, err := io.WriteString(conn, b.String()+"\r\n"); err != nil {
		return nil, "", err
	}
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, &http.Request{Method: a.method})
	if err != nil {
		return nil, "", err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, "", nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	return resp, string(body), err
}
