package wshost

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

func TestPipelineOrder(t *testing.T) {
	in := []module.Info{
		{Name: "A", Stage: module.StageHandle, After: []string{"C"}},
		{Name: "B", Stage: module.StageHandle},
		{Name: "C", Stage: module.StageHandle, After: []string{"Z", "NotLoaded"}},
		{Name: "D", Stage: module.StageHandle},
		{Name: "Z", Stage: module.StageLog, After: []string{"A"}}, // A is of another stage: it does not count
		{Name: "Y", Stage: module.StageBegin},
		{Name: "X", Stage: module.StageMap},
		{Name: "W", Stage: module.StageAuthenticate},
		{Name: "V", Stage: module.StageAuthorize},
		{Name: "U", Stage: module.StageRewrite},
		{Name: "T", Stage: module.StageCache},
	}
	const want = "Z Y W V U T X B C A D"
	for range 50 {
		rand.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		out, err := pipelineOrder(in)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, i := range out {
			names = append(names, i.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Fatalf("order %q, want %q", got, want)
		}
	}
}

func TestPipelineOrderRefuses(t *testing.T) {
	tests := []struct {
		name, names string
		in          []module.Info
	}{
		{"a cycle", "P, Q", []module.Info{
			{Name: "Q", Stage: module.StageMap, After: []string{"P"}}, {Name: "P", Stage: module.StageMap, After: []string{"Q"}}, {Name: "O", Stage: module.StageMap},
		}},
		{"a stage that does not exist", `"N"`, []module.Info{{Name: "N", Stage: "late"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := pipelineOrder(tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.names) || strings.Contains(err.Error(), "O,") {
				t.Fatalf("error %v, want one that names %s", err, tt.names)
			}
		})
	}
}

func TestRequestsMeetModulesInOrder(t *testing.T) {
	j := &journal{}
	h := newTestHost(t,
		&fake{name: "First", journal: j, after: []string{"Second"}}, &fake{name: "Second", journal: j},
		&fake{name: "Log", stage: module.StageLog, journal: j}, &fake{name: "Begin", stage: module.StageBegin, journal: j},
	).start()
	if got, want := j.take(), []string{"provision Log", "provision Begin", "provision Second", "provision First"}; !slices.Equal(got, want) {
		t.Errorf("provisioned %q, want %q", got, want)
	}
	if status, _ := h.get("/nothing"); status != 404 {
		t.Errorf("status %d, want 404", status)
	}
	if got, want := j.take(), []string{"serve Log", "serve Begin", "serve Second", "serve First"}; !slices.Equal(got, want) {
		t.Errorf("served %q, want %q", got, want)
	}
	old := h.s.current.Load()
	h.reload()
	<-old.closed
	got := slices.DeleteFunc(j.take(), func(e string) bool { return !strings.HasPrefix(e, "close") })
	if want := []string{"close First", "close Second", "close Begin", "close Log"}; !slices.Equal(got, want) {
		t.Errorf("closed %q, want %q", got, want)
	}
}
