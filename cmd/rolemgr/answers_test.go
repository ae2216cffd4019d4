package main

import (
	"errors"
	"slices"
	"testing"

	"github.com/rolemgr/rolemgr/features"
)

// FuzzAnswers holds the reader of exported files to two things: every refusal is a usage error with a next step, and
// what was read can be written and read again.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"version = 1\nlevel = \"8.0\"\nfeatures = [\"websocket\", 'static-content']\n",
		"version = 1\nfeatures = [\n  \"websocket\", # WebSocket Protocol\n]\n",
		"version = 1\nlevel = \"\\u007f\\n\\\"\"\nfeatures = []\n",
		"version = 1\nfeatures = ['a']\nwithout = ['b', 'c']\n",
		"version = 1\nmanagement_tools = true\nfeatures = ['a']\n",
		"version = 1\nwithout = ['b']\n", "version = 1\nmanagement_tools = 1\nfeatures = ['a']\n",
		"version = 2", "features = 1", "version = 1\nfeatures = [\"a\"", "colour = 1", "[features]", "version = \"1\"", "\xff", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := decodeAnswers("file.toml", b)
		if err != nil {
			var usage *usageError
			if !errors.As(err, &usage) || usage.message == "" || usage.hint == "" {
				t.Fatalf("%T %v; want a usage error with a hint", err, err)
			}
			return
		}
		text := a.encode(func(features.ID) string { return "A Title" })
		again, err := decodeAnswers("again.toml", text)
		if err != nil {
			t.Fatalf("written as %q: %v", text, err)
		}
		if again.Level != a.Level || again.ManagementTools != a.ManagementTools || !slices.Equal(again.Features, a.Features) || !slices.Equal(again.Without, a.Without) {
			t.Fatalf("%+v was written as %q and read as %+v", a, text, again)
		}
	})
}
