package apply

import (
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

func TestRenewedUnitsGetTheNewVersionAndTheOthersKeepTheirs(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall())
	later := options(home, atomicfile.OS{})
	later.Version = "2.0.0"
	later.Now = func() time.Time { return clock().Add(time.Hour) }
	r, err := Run(t.Context(), secondInstall(), later)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"core": "2.0.0", "static": "1.2.3", "websocket": "2.0.0"}
	for _, f := range r.State.Features {
		at := clock()
		if want[f.ID] == "2.0.0" {
			at = later.Now()
		}
		if f.Version != want[f.ID] || !f.Installed.Equal(at) {
			t.Errorf("%s is recorded as installed by %s at %v, want %s at %v", f.ID, f.Version, f.Installed, want[f.ID], at)
		}
	}
}
