package state

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func hash(c string) string { return strings.Repeat(c, 64) }

// full is a state with everything in it, in the order in which it is written.
func full() State {
	at := time.Date(2026, 3, 1, 10, 15, 0, 0, time.UTC)
	return State{
		Serial: 7, Level: "8.0", LastTransaction: "20260301T101500Z-3f9c2b1a", Written: at, WrittenBy: "1.4.0",
		Features: []Feature{
			{ID: "static-content", Reason: "default", Version: "1.3.0", Installed: at.Add(-time.Hour)},
			{ID: "websocket", Reason: "requested", RequiredBy: []string{"a", "b"}, Version: `1.4.0 "beta" \ é`, Installed: at,
				Files: []File{{"config/features.d/websocket.config", hash("a")}, {"logs/x", hash("0")}}},
		},
	}
}

const fullText = header + `schema = 1
serial = 7
level = "8.0"
last_transaction = "20260301T101500Z-3f9c2b1a"
written = 2026-03-01T10:15:00Z
written_by = "1.4.0"

[[feature]]
id = "static-content"
reason = "default"
required_by = []
version = "1.3.0"
installed = 2026-03-01T09:15:00Z

[[feature]]
id = "websocket"
reason = "requested"
required_by = ["a", "b"]
version = "1.4.0 \"beta\" \\ é"
installed = 2026-03-01T10:15:00Z
[[feature.file]]
path = "config/features.d/websocket.config"
sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
[[feature.file]]
path = "logs/x"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
`

func TestEncode(t *testing.T) {
	data, err := Encode(full())
	if err != nil || string(data) != fullText {
		t.Fatalf("%v\n%s\nwant\n%s", err, data, fullText)
	}
	mixed := full()
	f := mixed.Features
	f[0], f[1] = f[1], f[0]
	f[0].RequiredBy = []string{"b", "a"}
	f[0].Files[0], f[0].Files[1] = f[0].Files[1], f[0].Files[0]
	again, err := Encode(mixed)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("another order gives other bytes: %v\n%s", err, again)
	}
	if mixed.Features[0].ID != "websocket" || mixed.Features[0].RequiredBy[0] != "b" {
		t.Error("Encode changed its argument")
	}
}

func TestDecode(t *testing.T) {
	got, err := Decode("state.toml", []byte(fullText))
	if err != nil {
		t.Fatal(err)
	}
	want := full()
	if normal(got) != normal(want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// normal makes empty and nil lists the same, for comparison.
func normal(s State) string { return fmt.Sprintf("%+v", s) }

func TestDecodeRefuses(t *testing.T) {
	replace := func(old, with string) string {
		if !strings.Contains(fullText, old) {
			t.Fatalf("the sample has no %q", old)
		}
		return strings.Replace(fullText, old, with, 1)
	}
	for _, test := range []struct {
		name, text   string
		line, column int
		message      string
	}{
		{"empty", "", 0, 0, "schema"},
		{"no schema", replace("schema = 1\n", ""), 0, 0, "schema"},
		{"schema is text", replace("schema = 1", `schema = "1"`), 3, 1, "schema"},
		{"old schema", replace("schema = 1", "schema = 0"), 3, 1, "schema 0"},
		{"newer schema", "schema = 2\nwritten_by = \"2.7.0\"\nnew_key = {}\n", 1, 1, "rolemgr 2.7.0"},
		{"unknown key", replace("serial = 7", "serial = 7\ncolour = 3"), 5, 1, `"colour"`},
		{"unknown key of a feature", replace("reason = \"default\"", "reason = \"default\"\nx = 1"), 13, 1, `"feature.x"`},
		{"wrong type", replace("serial = 7", `serial = "7"`), 4, 10, "serial"},
		{"negative serial", replace("serial = 7", "serial = -7"), 4, 10, "serial"},
		{"serial missing", replace("serial = 7\n", ""), 0, 0, `"serial"`},
		{"level missing", replace("level = \"8.0\"\n", ""), 0, 0, `"level"`},
		{"transaction missing", replace("last_transaction = \"20260301T101500Z-3f9c2b1a\"\n", ""), 0, 0, `"last_transaction"`},
		{"writer missing", replace("written_by = \"1.4.0\"\n", ""), 0, 0, `"written_by"`},
		{"bad level", replace(`"8.0"`, `"eight"`), 5, 1, `"eight"`},
		{"key twice", replace("serial = 7", "serial = 7\nserial = 8"), 5, 1, "already defined"},
		{"torn in a string", fullText[:strings.Index(fullText, "20260301")+5], 6, 25, "unterminated"},
		{"feature without id", replace("id = \"websocket\"\n", ""), 17, 3, `"id"`},
		{"feature without reason", replace("reason = \"requested\"\n", ""), 17, 3, `"reason"`},
		{"feature without version", replace("version = \"1.3.0\"\n", ""), 10, 3, `"version"`},
		{"file without path", replace("path = \"logs/x\"\n", ""), 26, 3, `"path"`},
		{"file without hash", fullText[:strings.LastIndex(fullText, "sha256")], 26, 3, `"sha256"`},
		{"bad id", replace(`id = "websocket"`, `id = "Web Socket"`), 18, 1, `"Web Socket"`},
		{"bad reason", replace(`"requested"`, `"because"`), 19, 1, `"because"`},
		{"feature twice", replace(`"websocket"`, `"static-content"`), 18, 1, "twice"},
		{"required by twice", replace(`["a", "b"]`, `["a", "a"]`), 20, 1, "twice"},
		{"required by nobody", replace(`["a", "b"]`, `["a", ""]`), 20, 1, "not the id"},
		{"file twice", replace(`"logs/x"`, `"config/features.d/websocket.config"`), 27, 1, "twice"},
		{"absolute path", replace(`"logs/x"`, `"/etc/passwd"`), 27, 1, "absolute"},
		{"path above", replace(`"logs/x"`, `"logs/../../x"`), 27, 1, ".."},
		{"path above at once", replace(`"logs/x"`, `".."`), 27, 1, ".."},
		{"path not plain", replace(`"logs/x"`, `"logs//x"`), 27, 1, "plain"},
		{"path with backslash", replace(`"logs/x"`, `'logs\..\x'`), 27, 1, "plain"},
		{"path with control", replace(`"logs/x"`, `"logs/\u0007"`), 27, 1, "plain"},
		{"path empty", replace(`"logs/x"`, `""`), 27, 1, "empty"},
		{"path of the state", replace(`"logs/x"`, `"state.toml"`), 27, 1, "records"},
		{"path of the journal", replace(`"logs/x"`, `"journal/x"`), 27, 1, "records"},
		{"hash too short", replace(hash("0"), hash("0")[1:]), 28, 1, "SHA-256"},
		{"hash in upper case", replace(hash("a"), hash("A")), 25, 1, "SHA-256"},
		{"hash not hexadecimal", replace(hash("0"), hash("g")), 28, 1, "SHA-256"},
		{"time is text", replace("2026-03-01T09:15:00Z", `"yesterday"`), 15, 13, "installed"},
		{"not text", "schema = 1\nlevel = \"\xff\"\n", 2, 10, "UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Decode("state.toml", []byte(test.text))
			bad := (*FormatError)(nil)
			if !errors.As(err, &bad) {
				t.Fatalf("error %v, want a FormatError", err)
			}
			if bad.Line != test.line || bad.Column != test.column || !strings.Contains(bad.Message, test.message) {
				t.Errorf("%v (line %d, column %d), want line %d, column %d, %q", err, bad.Line, bad.Column, test.line, test.column, test.message)
			}
			if bad.Hint == "" || bad.File != "state.toml" || !strings.HasPrefix(err.Error(), "state.toml:") {
				t.Errorf("hint %q, error %q", bad.Hint, err)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*State){
		"level":     func(s *State) { s.Level = "" },
		"serial":    func(s *State) { s.Serial = 1 << 63 },
		"path":      func(s *State) { s.Features[1].Files[0].Path = "../x" },
		"hash":      func(s *State) { s.Features[1].Files[0].SHA256 = "" },
		"id":        func(s *State) { s.Features[0].ID = "" },
		"line feed": func(s *State) { s.WrittenBy = "1.0\n[[feature]]" },
		"utf-8":     func(s *State) { s.Features[0].Version = "\xff" },
		"year":      func(s *State) { s.Written = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		s := full()
		change(&s)
		if data, err := Encode(s); err == nil {
			t.Errorf("%s: no error\n%s", name, data)
		}
	}
	s := full()
	s.Serial = 1<<63 - 1
	if _, err := Encode(s); err != nil {
		t.Errorf("the largest serial: %v", err)
	}
}

// TestDecodeTorn: a file that was cut is refused, or, where it was cut between two features, has fewer of them; it is
// never read as anything else.
func TestDecodeTorn(t *testing.T) {
	for n := range len(fullText) {
		s, err := Decode("state.toml", []byte(fullText[:n]))
		if err != nil {
			if bad := (*FormatError)(nil); !errors.As(err, &bad) {
				t.Fatalf("cut at %d: %v", n, err)
			}
			continue
		}
		if s.Serial != 7 || s.Level != "8.0" || s.LastTransaction != full().LastTransaction || s.WrittenBy != "1.4.0" {
			t.Errorf("cut at %d it is read as %+v", n, s)
		}
	}
}

// FuzzDecode: no bytes panic; what is accepted can be written, and what was written is read as the same again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(fullText))
	f.Add([]byte("schema = 2\nwritten_by = 'x'\n"))
	f.Add([]byte("schema = 1\nserial = 0\nlevel = '7.5'\nlast_transaction = ''\nwritten_by = ''\nfeature = [{id = 'a', reason = 'default', version = ''}]\n"))
	f.Add([]byte("schema = 1\n[feature]\n[feature.file]\n[[x.y]]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode("f", data)
		if err != nil {
			if bad := (*FormatError)(nil); !errors.As(err, &bad) || bad.Line < 0 || bad.Message == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		written, err := Encode(s)
		if err != nil {
			t.Fatalf("read but not writable: %v\n%+v", err, s)
		}
		again, err := Decode("f", written)
		if err != nil {
			t.Fatalf("written but not readable: %v\n%s", err, written)
		}
		if normal(again) != normal(s) {
			t.Fatalf("%+v\n%+v", again, s)
		}
	})
}
