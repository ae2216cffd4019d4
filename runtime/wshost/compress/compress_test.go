package compress

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	all := []Coding{Brotli, Zstd, Gzip}
	many := strings.Repeat("x, ", maxElements-1)
	for _, c := range []struct {
		fields []string
		offers []Coding
		want   Coding
	}{
		{nil, all, Identity},
		{[]string{""}, all, Identity},
		{[]string{"gzip"}, nil, Identity},
		{[]string{"gzip"}, all, Gzip},
		{[]string{"gzip, deflate, br"}, all, Brotli},
		{[]string{"gzip", "br"}, all, Brotli},
		{[]string{"deflate"}, all, Identity},
		{[]string{"GZip;Q=0.5"}, all, Gzip},
		{[]string{" gzip ; q=0.5 , br ; q=0.4"}, all, Gzip},
		{[]string{"gzip;q=0.001"}, all, Gzip},
		{[]string{"gzip;q=0.000"}, all, Identity},
		{[]string{"gzip;q=0"}, all, Identity},
		{[]string{"gzip;q=1.000, br;q=0.999"}, all, Gzip},
		{[]string{"*"}, all, Brotli},
		{[]string{"*;q=0"}, all, Identity},
		{[]string{"br;q=0, *"}, all, Zstd},
		{[]string{"*, br;q=0"}, all, Zstd},
		{[]string{"gzip;q=0.3, *;q=0.8"}, all, Brotli},
		{[]string{"gzip;q=0.3, *;q=0.8"}, []Coding{Gzip}, Identity}, // identity is among the rest
		{[]string{"gzip, *;q=0"}, all, Gzip},
		{[]string{"identity"}, all, Identity},
		{[]string{"identity;q=1, gzip;q=0.5"}, all, Identity},
		{[]string{"identity;q=0.5, gzip;q=0.5"}, all, Gzip},
		{[]string{"identity;q=0, gzip;q=0.1"}, all, Gzip},
		{[]string{"identity;q=0"}, all, Identity},
		{[]string{"x-gzip"}, all, Gzip},
		{[]string{"gzip;q=2"}, all, Identity},
		{[]string{"gzip;q=1.001"}, all, Identity},
		{[]string{"gzip;q=0.0001"}, all, Identity},
		{[]string{"gzip;q="}, all, Identity},
		{[]string{"gzip;q"}, all, Identity},
		{[]string{"gzip;q=-1"}, all, Identity},
		{[]string{"gzip;q=.5"}, all, Identity},
		{[]string{"gzip;q=0."}, all, Identity},
		{[]string{"gzip;q=1."}, all, Gzip},
		{[]string{"gzip;q=x, br"}, all, Brotli},
		{[]string{"gzip;level=9"}, all, Gzip},
		{[]string{"gzip;level=9;q=0"}, all, Identity},
		{[]string{",,gzip,,"}, all, Gzip},
		{[]string{";q=1, gzip"}, all, Gzip},
		{[]string{"gz ip"}, all, Identity},
		{[]string{many + "gzip"}, all, Gzip},
		{[]string{"x, " + many + "gzip"}, all, Identity},
	} {
		if got := Choose(c.fields, c.offers); got != c.want {
			t.Errorf("%q of %v: %q, want %q", c.fields, c.offers, got, c.want)
		}
	}
}

// FuzzChoose: whatever is sent, the choice is an offer or identity, is never one that the field refuses by name, and does
// not depend on how elements are spread over fields or written in letters.
func FuzzChoose(f *testing.F) {
	for _, s := range []string{"gzip, deflate, br", "gzip;q=0.5, *;q=0", "identity;q=0", "x-gzip ; q=1.", ",;q=,\t*", "br;q=0;q=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		offers := []Coding{Brotli, Zstd, Gzip, Deflate}
		got := Choose([]string{s}, offers)
		if got != Identity && !slices.Contains(offers, got) {
			t.Fatalf("%q: %q", s, got)
		}
		if ascii := strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0; ascii && Choose([]string{strings.ToUpper(s)}, offers) != got {
			t.Errorf("%q in capitals: another choice", s)
		}
		if Choose(strings.Split(s, ","), offers) != got {
			t.Errorf("%q in several fields: another choice", s)
		}
		if strings.Count(s, ",") < maxElements-8 && Choose([]string{s + ",br;q=0,zstd;q=0,gzip;q=0,x-gzip;q=0,deflate;q=0"}, offers) != Identity {
			t.Errorf("%q and a refusal of every offer: not identity", s)
		}
	})
}

func TestTypes(t *testing.T) {
	types := newTypes([]mimeType{
		{"*/*", false}, {"text/*", true}, {"Text/CSV", false}, {"application/*+json", true}, {"image/*", false}, {"image/svg+xml", true},
		{"application/json; charset=utf-8", true}, {"a/*", true}, {"a/*", false}, {"b/c", false}, {"b/c", true}, {"*/*spread*", true},
	})
	for typ, want := range map[string]bool{
		"text/html": true, "TEXT/HTML; charset=x": true, " text/html ": true, "text/csv": false, "text/csv;x=y": false,
		"application/ld+json": true, "application/json": false, "application/json;charset=utf-8": true,
		"application/json; charset=UTF-8": true, "application/json ; charset=utf-8": true,
		"image/png": false, "image/svg+xml": true, "a/b": false, "b/c": true, "video/mp4": false, "": false, "x/spreadsheet": true,
	} {
		if got := types.Match(typ); got != want {
			t.Errorf("%q: %v", typ, got)
		}
	}
	if newTypes(nil).Match("text/html") {
		t.Error("an empty list matches")
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"*", "", true}, {"**", "abc", true}, {"a*", "abc", true}, {"a*", "b", false}, {"*c", "abc", true}, {"*c", "abcd", false},
		{"a*c*e", "abcde", true}, {"a*c*e", "abde", false}, {"a*bc", "abcbc", true}, {"a*bc", "abcb", false}, {"abc", "ab", false}, {"ab", "abc", false},
		{"*a*a*a*a*b", strings.Repeat("a", 10000), false},
	} {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("%q %q: %v", c.pattern, c.s, got)
		}
	}
}

func TestAddVary(t *testing.T) {
	for _, c := range []struct{ before, after []string }{
		{nil, []string{"Accept-Encoding"}},
		{[]string{"Cookie"}, []string{"Cookie", "Accept-Encoding"}},
		{[]string{"Cookie, accept-encoding"}, []string{"Cookie, accept-encoding"}},
		{[]string{"Cookie", "Accept-Encoding"}, []string{"Cookie", "Accept-Encoding"}},
		{[]string{"*"}, []string{"*"}},
		{[]string{"Accept-Encoding-X"}, []string{"Accept-Encoding-X", "Accept-Encoding"}},
	} {
		h := http.Header{"Vary": slices.Clone(c.before)}
		if AddVary(h); !slices.Equal(h["Vary"], c.after) {
			t.Errorf("%v: %v", c.before, h["Vary"])
		}
	}
}

func TestUntouchable(t *testing.T) {
	for _, c := range []struct {
		name, value string
		want        bool
	}{
		{"Content-Encoding", "gzip", true}, {"Content-Encoding", "identity", false}, {"Content-Encoding", "", false},
		{"Content-Range", "bytes 0-1/2", true}, {"Cache-Control", "private, no-transform", true}, {"Cache-Control", "private", false},
		{"Repr-Digest", "sha-256=:x:", true}, {"Content-Md5", "x", true}, {"Content-Type", "text/html", false},
	} {
		if got := Untouchable(http.Header{c.name: {c.value}}); got != c.want {
			t.Errorf("%s: %s: %v", c.name, c.value, got)
		}
	}
}

func TestDirectory(t *testing.T) {
	for written, want := range map[string]string{
		"": "/own", windowsDirectory: "/own", `C:\inetpub\temp`: "/own", `\\share\x`: "/own", "%TEMP%/x": "/own",
		"/var/cache/x": "/var/cache/x", "copies": "/home/copies", `a\b`: "/home/a/b",
	} {
		if got := (&Settings{c: &httpConfig{Directory: written}}).Directory("/home", "/own"); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

func TestSchemes(t *testing.T) {
	s := newSettings(&httpConfig{MaxDiskMB: 3, LimitDisk: true, Schemes: []scheme{
		{"gzip", true, true, 7, 0}, {"xpress", true, true, 1, 1}, {"br", true, false, 4000000000, 4},
		{"GZIP", true, true, 5, 2}, {"zstd", true, true, 3, 3}, {"zstd", false, true, 3, 3},
	}})
	if !slices.Equal(s.Static.Offers, []Coding{Gzip, Brotli}) || !slices.Equal(s.Dynamic.Offers, []Coding{Gzip, Zstd}) {
		t.Errorf("static %v, dynamic %v", s.Static.Offers, s.Dynamic.Offers)
	}
	if s.Static.Level(Gzip) != 5 || s.Dynamic.Level(Gzip) != 2 || s.Static.Level(Brotli) != maxLevel || s.Static.Level(Deflate) != 0 {
		t.Errorf("levels: the later entry counts")
	}
	if got := s.Unknown(); !slices.Equal(got, []string{"xpress"}) {
		t.Errorf("unknown: %v", got)
	}
	if s.DiskLimit() != 3<<20 || newSettings(&httpConfig{MaxDiskMB: 3}).DiskLimit() != -1 {
		t.Error("disk limit")
	}
}

func TestSettingsAreBounded(t *testing.T) {
	var k Cache
	first := &httpConfig{}
	kept := k.settings(first)
	for range maxSettings - 1 {
		k.settings(&httpConfig{})
	}
	if len(k.m) != maxSettings || k.settings(first) != kept {
		t.Errorf("%d are kept, want %d and the first among them", len(k.m), maxSettings)
	}
	if k.settings(&httpConfig{}); len(k.m) != 1 || k.settings(first) == nil {
		t.Errorf("beyond the bound %d are kept", len(k.m))
	}
}

func BenchmarkChoose(b *testing.B) {
	fields, offers := []string{"gzip, deflate, br, zstd"}, []Coding{Brotli, Zstd, Gzip}
	b.ReportAllocs()
	for b.Loop() {
		Choose(fields, offers)
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 100} {
		entries := []mimeType{{"text/*", true}, {"*/*", false}}
		for i := range n {
			entries = append(entries, mimeType{"application/x" + strconv.Itoa(i), true})
		}
		types := newTypes(entries)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				types.Match("text/html; charset=utf-8")
			}
		})
	}
}
