package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// do carries out a command line and returns what it prints.
func do(args ...string) (out, log string, err error) {
	var o, l bytes.Buffer
	err = command(args, strings.NewReader(""), &o, &l)
	return o.String(), l.String(), err
}

func TestCommandErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"", "run, draw, static, draw-static, proxy, draw-proxy, list or serve"},
		{"walk", `there is no command "walk"`},
		{"run p1", `no argument "p1"`},
		{"run -scenarios p2", "there are p1"},
		{"run -servers uws", "there are raw-epoll"},
		{"run -servers gws -rounds 0", "0 rounds"},
		{"run -servers ws-node -node nowhere", "ws-node"},
		{"draw", "no file"},
		{"draw nowhere.json", "nowhere.json"},
		{"static 1k", `no argument "1k"`},
		{"static -scenarios 2k", `no scenario "2k"`},
		{"static -servers iis", `no server "iis"`},
		{"static -rounds 0", "0 rounds"},
		{"draw-static", "no file"},
		{"proxy p1", `no argument "p1"`},
		{"proxy -scenarios p2", `no scenario "p2"`},
		{"proxy -servers envoy", `no proxy "envoy"`},
		{"proxy -rounds 0", "0 rounds"},
		{"draw-proxy", "no file"},
		{"app", "number of a processor"},
		{"app first", "number of a processor"},
		{"floor", "a folder and two ports"},
		{"serve", "name of one server"},
		{"serve gws,coder", "name of one server"},
		{"serve -mode fast gws", `no mode "fast"`},
		{"serve -mode ct gorilla", "gorilla has no mode ct"},
	} {
		if _, _, err := do(strings.Fields(c.line)...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("bench %s: %v, want %q", c.line, err, c.want)
		}
	}
}

func TestList(t *testing.T) {
	out, _, err := do("list")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"p16s", "raw-epoll", "ws-node", "gzip-file-rules", "apache", "rolemgr-tunnel", "haproxy"} {
		if !strings.Contains(out, "  "+want+" ") {
			t.Errorf("the list lacks %s", want)
		}
	}
}

func TestDraw(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "results.json")
	const results = `{"rounds":1,"seconds":1,"scenarios":[{"name":"p1","about":"echo","unit":"message"}],
		"servers":[{"name":"gws","about":"peer"}],"runs":[{"scenario":"p1","server":"gws","round":1,"result":{"cpu_us":7}}]}`
	if err := os.WriteFile(file, []byte(results), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := do("draw", "-out", filepath.Join(dir, "docs"), file); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"benchmark.md": "| gws | 7.00 |", "benchmark.svg": "p1: echo"} {
		b, err := os.ReadFile(filepath.Join(dir, "docs", name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %q: %v", name, want, err)
		}
	}
}

func TestDrawStatic(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "results.json")
	const results = `{"rounds":1,"seconds":1,"scenarios":[{"name":"1k","about":"small","unit":"request"}],
		"servers":[{"name":"rolemgr","ours":true},{"name":"nginx"},{"name":"caddy"}],"runs":[
		{"scenario":"1k","server":"rolemgr","round":1,"result":{"cpu_us":40}},
		{"scenario":"1k","server":"nginx","round":1,"result":{"cpu_us":20}},
		{"scenario":"1k","server":"caddy","round":1,"result":{"cpu_us":80}}]}`
	if err := os.WriteFile(file, []byte(results), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := do("draw-static", "-out", filepath.Join(dir, "docs"), file); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"benchmark-static.md": "| 1k | 40.0 (2.00) | 20.0 | 80.0 (4.00) |", "benchmark-static.svg": "40.0 (2.00 x nginx)"} {
		b, err := os.ReadFile(filepath.Join(dir, "docs", name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %q: %v", name, want, err)
		}
	}
}

func TestDrawProxy(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "results.json")
	const results = `{"rounds":1,"seconds":1,"scenarios":[{"name":"p1","about":"small","unit":"message"},{"name":"idle","about":"idle","unit":"connection"}],
		"servers":[{"name":"rolemgr-tunnel","ours":true},{"name":"rolemgr-relay","ours":true},{"name":"nginx"},{"name":"haproxy"}],"runs":[
		{"scenario":"p1","server":"rolemgr-tunnel","round":1,"result":{"cpu_us":20}},
		{"scenario":"p1","server":"rolemgr-relay","round":1,"result":{"cpu_us":28}},
		{"scenario":"p1","server":"nginx","round":1,"result":{"cpu_us":20}},
		{"scenario":"p1","server":"haproxy","round":1,"result":{"cpu_us":30}},
		{"scenario":"idle","server":"rolemgr-tunnel","round":1,"result":{"conns":5000,"idle":{"echoed":3600}}},
		{"scenario":"idle","server":"rolemgr-relay","round":1,"result":{"conns":5000,"idle":{"echoed":4600}}},
		{"scenario":"idle","server":"haproxy","round":1,"result":{"conns":5000,"idle":{"echoed":4600}}}]}`
	if err := os.WriteFile(file, []byte(results), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := do("draw-proxy", "-out", filepath.Join(dir, "docs"), file); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "docs", "benchmark-proxy.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"HAProxy and Caddy. Met.", "the best of them. Not met in p1 (1.40, 1.40..1.40), of 1 scenarios.", "through the tunnel takes less memory than with any of them. Met.",
		"through the relay takes less memory than with any of them. Not met in idle (1.00, 1.00..1.00)", "| p1 | 20.0 (1.00) | 28.0 (1.40) | 20.0 | 30.0 |",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "docs", "benchmark-proxy.svg")); err != nil || !strings.Contains(string(b), "28.0 (1.40)") {
		t.Errorf("plot: %v", err)
	}
}
