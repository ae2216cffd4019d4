package web

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/bench/proc"
)

// TestMain makes the test program the server that it starts, as "bench floor" does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == floorCommand {
		if err := Floor(os.Args[2:]); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// TestRun runs every scenario against the one server that is always there.
func TestRun(t *testing.T) {
	if _, _, err := proc.Two(); err != nil {
		t.Skip(err)
	}
	servers, err := Choose("net-http")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c := &Config{Scenarios: Scenarios(), Servers: servers, Rounds: 1, Seconds: 0.005, Program: "none is needed", Log: &log}
	d, err := c.Run()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Runs) != len(c.Scenarios) || strings.Count(log.String(), "\n") != len(d.Runs) {
		t.Errorf("%d runs, %d scenarios, log:\n%s", len(d.Runs), len(c.Scenarios), &log)
	}
	for _, r := range d.Runs {
		if r.Error != "" || r.Result.Messages == 0 {
			t.Errorf("%s: %+v", r.Scenario, r)
		}
	}
}

func TestRunRefusesNonsense(t *testing.T) {
	for _, c := range []Config{{Rounds: 0, Seconds: 1}, {Rounds: 1, Seconds: 0}} {
		if _, err := c.Run(); err == nil {
			t.Errorf("%d rounds of %g seconds passed", c.Rounds, c.Seconds)
		}
	}
}

func TestMissingServer(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	servers, err := Choose("rolemgr")
	if err != nil {
		t.Fatal(err)
	}
	c := &Config{Program: "no-such-program"}
	if _, err := c.start(servers[0], t.TempDir()); err == nil || !strings.Contains(err.Error(), "leave rolemgr out with -servers") {
		t.Errorf("a program that is not there: %v", err)
	}
}

func TestChoose(t *testing.T) {
	if _, err := Choose("nginx,iis"); err == nil || !strings.Contains(err.Error(), `no server "iis"`) {
		t.Error(err)
	}
	if _, err := ChooseScenarios("1k,2k"); err == nil || !strings.Contains(err.Error(), `no scenario "2k"`) {
		t.Error(err)
	}
	if s, err := ChooseScenarios("304-rules"); err != nil || len(s) != 1 || !s[0].Rules || !s[0].Unseen {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestRulesDoWhatTheyAreFor sees that only the last rule matches what is asked for.
func TestRulesDoWhatTheyAreFor(t *testing.T) {
	all := rules()
	if len(all) != 11 {
		t.Errorf("%d rules", len(all))
	}
	for _, s := range Scenarios() {
		if !s.Rules {
			continue
		}
		for i, r := range all {
			if got := regexp.MustCompile("(?i)" + r.pattern).MatchString(s.url()[1:]); got != (i == len(all)-1) {
				t.Errorf("%s: rule %q matches: %v", s.Name, r.pattern, got)
			}
		}
	}
	if got := all[0].group("{R:", "}"); got != "/articles/{R:1}-{R:2}-{R:3}" {
		t.Error(got)
	}
}

// TestConfigurations sees that each server is told of both folders, both ports, its log and the rules.
func TestConfigurations(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*stage) ([]string, error)
		file    string
		last    string // the last rule
	}{
		"nginx":  {prepareNginx, "nginx.conf", `rewrite "(?i)^/files/(.+)$" /$1 last;`},
		"caddy":  {prepareCaddy, "Caddyfile", "@r10 path_regexp r10 (?i)^/files/(.+)$\n\trewrite @r10 /{re.r10.1}\n"},
		"apache": {prepareApache, "apache.conf", `RewriteRule "^/files/(.+)$" "/$1" [NC]`},
	} {
		s := &stage{dir: t.TempDir(), plain: "/plain", ruled: "/ruled", ports: [2]int{18001, 18002}}
		args, err := c.prepare(s)
		if err != nil || !strings.Contains(strings.Join(args, " "), s.path(c.file)) {
			t.Errorf("%s: %v, %v", name, args, err)
		}
		b, err := os.ReadFile(s.path(c.file))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"/plain", "/ruled", "127.0.0.1:18001", "127.0.0.1:18002", filepath.Join(s.dir, "access"), c.last} {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s: the configuration lacks %q", name, want)
			}
		}
	}
}

func TestProseCompressesAsTextDoes(t *testing.T) {
	dir := t.TempDir()
	if err := fill(dir); err != nil {
		t.Fatal(err)
	}
	packed, err := os.Stat(filepath.Join(dir, "ready/text.txt.gz"))
	if err != nil || packed.Size() < 20<<10 || packed.Size() > 50<<10 {
		t.Errorf("100 KiB become %d bytes, %v", packed.Size(), err)
	}
}
