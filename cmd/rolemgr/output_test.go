package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/state"
)

// brokenWriter fails every write.
type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestLostOutputIsTold(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		args []string
		want ExitCode
		told bool
	}{
		{"full disk", syscall.ENOSPC, []string{"export"}, ExitFailed, true},
		{"full disk, JSON", syscall.ENOSPC, []string{"list", "--json"}, ExitFailed, true},
		{"a code of its own stays", syscall.ENOSPC, []string{"show", "nosuch", "--json"}, ExitUsage, false},
		{"reader gone", fmt.Errorf("write: %w", syscall.EPIPE), []string{"list"}, ExitDone, false},
		{"reader gone, JSON", syscall.EPIPE, []string{"list", "--json"}, ExitDone, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, _, _, errs := newTestEnv(t)
			e.Out = brokenWriter{tc.err}
			if got := execute(t.Context(), e, tc.args); got != tc.want {
				t.Errorf("exit code %d; want %d", got, tc.want)
			}
			if told := strings.Contains(errs.String(), "the result could not be written"); told != tc.told {
				t.Errorf("standard error %q; want the loss told: %v", errs.String(), tc.told)
			}
		})
	}
}

func TestReaderThatLeavesDoesNotUndoTheChange(t *testing.T) {
	e, home, _, _ := newTestEnv(t)
	e.Out, e.Err = brokenWriter{syscall.EPIPE}, brokenWriter{syscall.EPIPE}
	if got := execute(t.Context(), e, []string{"install", "static-content"}); got != ExitDone {
		t.Fatalf("exit code %d; want 0", got)
	}
	s, err := state.NewStore(home, atomicfile.OS{}, e.Factory).Read()
	if err != nil || s.Serial != 1 {
		t.Errorf("serial %d, %v; want 1", s.Serial, err)
	}
}

func TestJSONIsAnsweredWhateverTheOrderOfFlags(t *testing.T) {
	for _, args := range [][]string{
		{"install", "--bad", "--json"}, {"--json", "install", "--bad"}, {"install", "--max-cut", "x", "--json"},
	} {
		e, _, out, _ := newTestEnv(t)
		if got := execute(t.Context(), e, args); got != ExitUsage {
			t.Errorf("%q: exit code %d; want 2", args, got)
		}
		if !strings.HasPrefix(out.String(), "{\n  \"version\": 1") {
			t.Errorf("%q: standard output %q; want one JSON object", args, out)
		}
	}
}
