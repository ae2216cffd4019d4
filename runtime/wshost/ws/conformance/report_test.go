package conformance

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// TestIdentitiesAreStable compares the cases with the list that was published: a number keeps its meaning for ever, and
// new cases come at the end of their section. UPDATE=1 writes the list anew.
func TestIdentitiesAreStable(t *testing.T) {
	var got strings.Builder
	seen := map[string]bool{}
	for _, c := range Cases() {
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
		if len(c.Sends()) == 0 || len(c.Expects()) == 0 || c.Title == "" || c.Group == "" {
			t.Errorf("%s does not say what it sends and expects", c.ID)
		}
		fmt.Fprintf(&got, "%s %s: %s\n", c.ID, c.Group, c.Title)
	}
	const list = "testdata/cases.txt"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(list, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the cases are not those of %s: write it anew if none of the old ones has changed", list)
	}
}

func TestJudgeIsIndependent(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			p := strings.Trim(i.Path.Value, `"`)
			if strings.Contains(p, "wshost/ws") && !strings.HasSuffix(p, "/frame") && !strings.HasSuffix(p, "/handshake") {
				t.Errorf("%s imports %s, which is under test", name, p)
			}
		}
	}
}

func TestReports(t *testing.T) {
	const some = "closing handshake,opening handshake"
	r, again := judged(t, "any code", some, 2*time.Second, 32), judged(t, "any code", some, 2*time.Second, 32)
	again.Agent, again.Target = r.Agent, r.Target // the port differs
	var one, two, text, html bytes.Buffer
	if err := errors.Join(r.WriteJSON(&one), again.WriteJSON(&two), r.WriteText(&text, false), r.WriteHTML(&html)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("two runs give different reports")
	}
	var back Report
	if err := json.Unmarshal(one.Bytes(), &back); err != nil || back.Cases != r.Cases || back.Counts[Failed] != 17 {
		t.Errorf("read back: %v, %d cases, %v", err, back.Cases, back.Counts)
	}
	if n := strings.Count(text.String(), "\nFAILED"); n != 17 || !strings.Contains(text.String(), "breach by the peer: close frame with code 5000") {
		t.Errorf("%d failures in\n%s", n, &text)
	}
	page := html.String()
	for _, bad := range []string{"<script", "http://", "https://", "ZgotmplZ", "<no value>"} {
		if strings.Contains(strings.ReplaceAll(page, "https://rolemgr-conformance.invalid", ""), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if n := strings.Count(page, "<details"); n != r.Cases {
		t.Errorf("the page has %d of %d cases", n, r.Cases)
	}
	if r.Passed(false) || r.Passed(true) || !(&Report{Counts: map[Outcome]int{NonStrict: 1}}).Passed(false) ||
		(&Report{Counts: map[Outcome]int{NonStrict: 1}}).Passed(true) {
		t.Error("Passed is wrong")
	}
}

func TestChoose(t *testing.T) {
	for match, want := range map[string]bool{"": true, "6455-5.4-*": true, "FRAGMENTATION": true, "!echo": true, "fragmentation,!6455-5.4-01": false, "echo": false} {
		cases, err := Choose(Server, match)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range cases {
			found = found || c.ID == "6455-5.4-01"
		}
		if found != want {
			t.Errorf("%q chooses 6455-5.4-01: %v", match, found)
		}
	}
	if _, err := Choose(Client, "no such case"); !errors.Is(err, ErrNoCase) {
		t.Errorf("no such case: %v", err)
	}
}

func TestServerThatIsNone(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1/", "ws://", "ws://127.0.0.1:1/", "ws://a b/"} {
		if r, err := Run(t.Context(), Options{URL: url, Deadline: time.Second}); err == nil || r != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestEncodings(t *testing.T) {
	s := &session{role: frame.Server}
	for _, c := range []struct {
		f    fr
		want string
	}{
		{fr{op: frame.Text, body: lit("Hello")}, "\x81\x05Hello"}, // RFC 6455, section 5.7
		{fr{op: frame.Text, more: true, body: lit("Hel")}, "\x01\x03Hel"},
		{fr{op: frame.Ping, rsv: 5, form: 2, body: lit("x")}, "\xd9\x7e\x00\x01x"},
		{fr{op: frame.Binary, says: 1 << 63, form: 8}, "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"},
	} {
		if got := c.f.encode(s); string(got) != c.want {
			t.Errorf("%v: % x, want % x", c.f, got, c.want)
		}
	}
	b := []byte("Hello, masked world")
	mask([4]byte{1, 2, 3, 4}, b)
	frame.Mask([4]byte{1, 2, 3, 4}, 0, b)
	if string(b) != "Hello, masked world" {
		t.Errorf("masked twice: %q", b)
	}
}

// FuzzDeflate holds our compressor and our walk through a stream to the standard library.
func FuzzDeflate(f *testing.F) {
	f.Add([]byte("Hello Hello Hello"), uint8(8))
	f.Add(distances().bytes()[:20000], uint8(9))
	f.Add(bytes.Repeat([]byte("a"), 1000), uint8(15))
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), uint8(10))
	f.Fuzz(func(t *testing.T, p []byte, bits uint8) {
		window := 1 << (8 + bits%8)
		d, in := &deflater{window: window, takeover: true}, &inflater{window: window, takeover: true}
		for range 2 {
			got, err := in.message(d.compress(p))
			if err != nil || !bytes.Equal(got, p) {
				t.Fatalf("%d bytes came back as %d: %v", len(p), len(got), err)
			}
		}
		out, _, final, err := walk(append(bytes.Clone(p), 0, 0, 0xff, 0xff), nil)
		std, stdErr := io.ReadAll(flate.NewReader(bytes.NewReader(append(bytes.Clone(p), 0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff))))
		if err == nil && !final && (stdErr != nil || !bytes.Equal(out, std)) {
			t.Fatalf("read %d bytes where the standard library reads %d: %v", len(out), len(std), stdErr)
		}
	})
}
