package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

var update = flag.Bool("update", false, "write the reports of testdata/site-* anew")

// TestReports holds the reports on files in the shapes of real sites: report.txt beside each is what a server on which
// nothing is installed says. What is secret in the files is called do-not-print-this.
func TestReports(t *testing.T) {
	sites, err := filepath.Glob("testdata/site-*")
	if err != nil || len(sites) < 10 {
		t.Fatalf("%d sites, %v", len(sites), err)
	}
	for _, site := range sites {
		t.Run(filepath.Base(site), func(t *testing.T) {
			e, home, out, errs := newTestEnv(t)
			code := execute(context.Background(), e, []string{"config", "check", site})
			got := strings.ReplaceAll(out.String(), home, "$HOME")
			if errs.Len() > 0 {
				t.Errorf("on standard error: %s", errs)
			}
			golden := filepath.Join(site, "report.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the report is not that of %s (-update writes it anew):\n%s", golden, got)
			}
			if leftBelow(t, home) != nil {
				t.Error("something was written into the home")
			}
			checkJSON(t, site, code)
		})
	}
}

// checkJSON holds the JSON of a report to what it promises.
func checkJSON(t *testing.T, site string, code ExitCode) {
	t.Helper()
	e, _, out, _ := newTestEnv(t)
	if again := execute(context.Background(), e, []string{"config", "check", site, "--json"}); again != code {
		t.Errorf("exit code %d with --json and %d without", again, code)
	}
	if strings.Contains(out.String(), "do-not-print-this") {
		t.Error("the JSON holds a secret")
	}
	var r checkResult
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Version != 1 || r.OK && len(r.Faults) > 0 || r.OK != (code == ExitDone) {
		t.Errorf("version %d, ok %v, %d faults, exit code %d", r.Version, r.OK, len(r.Faults), code)
	}
	elements, faults := 0, 0
	for _, f := range r.Findings {
		if f.Kind.IsElement() {
			elements++
		}
		switch f.Verdict {
		case config.Faulty:
			faults++
			if f.Code == "" || f.Reason == "" {
				t.Errorf("%s: a fault without code or reason", f.place())
			}
		case config.Unsupported, config.WithoutEffect, config.Ignored:
			if f.Reason == "" {
				t.Errorf("%s: %s without a reason", f.place(), f.Verdict)
			}
		case config.NeedsFeature:
			if f.Command != "rolemgr install "+f.Feature || f.Feature == "" {
				t.Errorf("%s: needs feature %q, command %q", f.place(), f.Feature, f.Command)
			}
		case config.Honoured:
		default:
			t.Errorf("%s: verdict %q", f.place(), f.Verdict)
		}
	}
	if elements != r.Counts.Elements || faults != r.Counts.Faults {
		t.Errorf("%d elements and %d faults are counted; %d and %d are there", r.Counts.Elements, r.Counts.Faults, elements, faults)
	}
}
