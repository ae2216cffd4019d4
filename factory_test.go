package rolemgr_test

import (
	"testing"

	"github.com/rolemgr/rolemgr"
	"github.com/rolemgr/rolemgr/internal/state"
)

// TestFactoryState keeps the factory's state.toml from rotting: it is what the package writes for an empty state.
func TestFactoryState(t *testing.T) {
	want, err := state.Encode(state.State{Level: "8.0"})
	if err != nil {
		t.Fatal(err)
	}
	if got := rolemgr.FactoryState(); string(got) != string(want) {
		t.Errorf("state.toml:\n%s\nwant:\n%s", got, want)
	}
}
