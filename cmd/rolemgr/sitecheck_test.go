package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// checkJSON holds the JSON of a report to what it promises.
func checkJSON(t *testing.T, e *env, site string, code ExitCode) {
	t.Helper()
	out := &bytes.Buffer{}
	e.Out = out
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
