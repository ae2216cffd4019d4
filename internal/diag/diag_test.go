package diag_test

import (
	"encoding/json"
	"testing"

	"github.com/rolemgr/rolemgr/internal/diag"
)

func TestErrorNamesThePosition(t *testing.T) {
	for _, tt := range []struct {
		d    diag.Diagnostic
		want string
	}{
		{diag.Diagnostic{Summary: "it is missing"}, "it is missing"},
		{diag.Diagnostic{Summary: "it is missing", Pos: "web.config:3:7", Hint: "put it back"}, "web.config:3:7: it is missing"},
	} {
		if got := tt.d.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestHasErrors(t *testing.T) {
	for _, tt := range []struct {
		list diag.List
		want bool
	}{
		{nil, false},
		{diag.List{{Severity: diag.Warning}, {Severity: diag.Info}}, false},
		{diag.List{{Severity: diag.Info}, {Severity: diag.Error}}, true},
	} {
		if got := tt.list.HasErrors(); got != tt.want {
			t.Errorf("%v: got %v", tt.list, got)
		}
	}
}

// Programs read these names and values.
func TestJSON(t *testing.T) {
	got, err := json.Marshal(diag.Diagnostic{Severity: diag.Warning, Code: "missing-file", Summary: "s", Pos: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"severity":"warning","code":"missing-file","summary":"s","pos":"p"}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
