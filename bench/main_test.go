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
		{"", "run, draw, static, draw-static, list or serve"},
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
	for _, want := range []string{"p16s", "raw-epoll", "ws-node", "gzip-file-rules", "apache"} {
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
