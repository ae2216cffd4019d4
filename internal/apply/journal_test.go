package apply

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// sample is a journal of a begin, a done and an end record.
func sample(tb testing.TB) []byte {
	tb.Helper()
	var data []byte
	for _, r := range []record{
		{Type: recordBegin, Begin: &begin{Version: 1, Transaction: "20260301T101500Z-3f9c2b1a", Command: "rolemgr install websocket",
			Plan: secondInstall(), Manifest: []entry{{Path: dropIn("core"), Step: 1, SHA256: hashOf(nil), PreImage: "pre-0001", Mode: 0o644}}}},
		{Type: recordDone, Step: 1},
		{Type: recordEnd, Outcome: "rolled-back"},
	} {
		var err error
		if data, err = appendRecord(data, r); err != nil {
			tb.Fatal(err)
		}
	}
	return data
}

// TestJournalTorn: a journal that was cut anywhere has exactly the records that are whole.
func TestJournalTorn(t *testing.T) {
	data := sample(t)
	whole := bytes.Count(data, []byte("\n"))
	for n := range len(data) + 1 {
		records, good := readRecords(data[:n])
		if want := bytes.Count(data[:n], []byte("\n")); len(records) != want {
			t.Fatalf("cut at %d: %d records, want %d", n, len(records), want)
		}
		if good > n || good != 0 && data[good-1] != '\n' {
			t.Fatalf("cut at %d: %d good bytes", n, good)
		}
		p, err := parseJournal(data[:n])
		if (err == nil) != (len(records) > 0) || p.ended != (len(records) == whole) {
			t.Fatalf("cut at %d: ended %v, error %v", n, p.ended, err)
		}
	}
}

// TestJournalDamaged: a changed byte takes its record and all behind it away.
func TestJournalDamaged(t *testing.T) {
	data := sample(t)
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 0x01
		records, _ := readRecords(bad)
		if want := bytes.Count(data[:i], []byte("\n")); len(records) != want {
			// A digit of the length or of the sum may only change between two ways to write the same number.
			t.Fatalf("byte %d %q -> %q: %d records, want %d", i, data[i], bad[i], len(records), want)
		}
	}
}

func TestJournalRefuses(t *testing.T) {
	for name, r := range map[string]record{
		"no begin":      {Type: recordDone, Step: 1},
		"empty begin":   {Type: recordBegin},
		"newer version": {Type: recordBegin, Begin: &begin{Version: 2, Transaction: "x", WrittenBy: "9.0.0"}},
		"no id":         {Type: recordBegin, Begin: &begin{Version: 1}},
		"outside":       {Type: recordBegin, Begin: &begin{Version: 1, Transaction: "x", Manifest: []entry{{Path: "../etc/passwd"}}}},
		"absolute":      {Type: recordBegin, Begin: &begin{Version: 1, Transaction: "x", Manifest: []entry{{Path: "/etc/passwd"}}}},
		"pre-image":     {Type: recordBegin, Begin: &begin{Version: 1, Transaction: "x", Manifest: []entry{{Path: "a", PreImage: "../a"}}}},
		"pre-image up":  {Type: recordBegin, Begin: &begin{Version: 1, Transaction: "x", Manifest: []entry{{Path: "a", PreImage: ".."}}}},
	} {
		data, err := appendRecord(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseJournal(data)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if name == "newer version" && !strings.Contains(err.Error(), "9.0.0") {
			t.Errorf("%s: %v does not name the writer", name, err)
		}
	}
}

// FuzzJournal: arbitrary bytes never panic, what is accepted is a prefix, and appending after it is read back.
func FuzzJournal(f *testing.F) {
	data := sample(f)
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Add([]byte("ffffffff 00000000 {}\n"))
	f.Add([]byte("00000002 c41ae6ba {}\n"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, good := readRecords(data)
		if good < 0 || good > len(data) {
			t.Fatalf("%d good bytes of %d", good, len(data))
		}
		if p, err := parseJournal(data); err == nil {
			for _, e := range p.begin.Manifest {
				if e.check() != nil {
					t.Fatalf("accepted the entry %+v", e)
				}
			}
		}
		longer, err := appendRecord(bytes.Clone(data[:good]), record{Type: recordEnd, Outcome: "committed"})
		if err != nil {
			t.Fatal(err)
		}
		again, end := readRecords(longer)
		if end != len(longer) || len(again) != len(records)+1 {
			t.Fatalf("%d records after %d, %d bytes of %d", len(again), len(records), end, len(longer))
		}
		if len(records) > 0 && !reflect.DeepEqual(again[:len(records)], records) {
			t.Fatal("the records before are not the same")
		}
	})
}
