package staticcontent

import (
	"net/http"
	"testing"
	"time"
)

func TestTypeOf(t *testing.T) {
	x := newMimeIndex(&staticConfig{MimeMaps: []mimeMap{
		{".txt", "txt"}, {".config", "config"}, {".dll.config", "dll"}, {".IVF", "ivf"}, {".gz", "gz"},
	}})
	for name, want := range map[string]string{
		"a.txt": "txt", "A.TXT": "txt", "a.b.txt": "txt", ".txt": "txt", "a.ivf": "ivf",
		"a.dll.config": "dll", "a.exe.config": "config", "dll.config": "config", "a.tar.gz": "gz",
		"a": "", "a.": "", "a.txt.": "txt", "": "", ".": "", "a.md": "", "txt": "",
	} {
		if got, ok := x.typeOf(name); got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", name, got, ok, want)
		}
	}
	x["."], x[".*"] = "none", "any"
	for name, want := range map[string]string{"a": "none", "": "none", "a.": "none", "a.md": "any", "a.txt": "txt", ".hidden": "any"} {
		if got, _ := x.typeOf(name); got != want {
			t.Errorf("with wildcards, %q: %q, want %q", name, got, want)
		}
	}
}

// TestExtensionsAsWritten holds what real files write: an entry for names without extension, and one without its dot,
// which fits nothing, as on IIS.
func TestExtensionsAsWritten(t *testing.T) {
	x := newMimeIndex(&staticConfig{MimeMaps: []mimeMap{{".", "none"}, {"json", "json"}, {"*", "star"}, {"", "empty"}}})
	for name, want := range map[string]string{"a": "none", ".well-known": "", "a.json": "", "json": "none", "a.x": "", "": "none"} {
		if got, _ := x.typeOf(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	const want = "Tue, 01 Jan 2030 00:00:00 GMT"
	for written, ok := range map[string]bool{
		want: true, "Tue, 1 Jan 2030 00:00:00 GMT": true, "Tue, 01 Jan 2030 00:00:00 UTC": true, "Tue, 1 Jan 2030 00:00:00 UTC": true,
		"Tue Jan  1 00:00:00 2030": true, "Tuesday, 01-Jan-30 00:00:00 GMT": true,
		"2030-01-01": false, "Tue, 1 Jan 2030 00:00:00 CET": false, "Tue, 1 Jan 2030 00:00:00": false, "Tue, 32 Jan 2030 00:00:00 GMT": false, "tomorrow": false,
	} {
		got, err := parseDate(written)
		if (err == nil) != ok || ok && got.UTC().Format(http.TimeFormat) != want || (checkDate(written) == nil) != ok {
			t.Errorf("%q: %v %v", written, got, err)
		}
	}
	if checkDate("") != nil {
		t.Error("no date is a fault")
	}
}

func TestClientCache(t *testing.T) {
	for _, c := range []struct {
		cache            clientCache
		control, expires string
	}{
		{clientCache{Mode: modeNoControl, MaxAge: time.Hour}, "", ""},
		{clientCache{Mode: modeNoControl, Custom: "public"}, "public", ""},
		{clientCache{Mode: modeDisableCache}, "no-cache", ""},
		{clientCache{Mode: modeUseMaxAge, MaxAge: 31 * 24 * time.Hour}, "max-age=2678400", ""},
		{clientCache{Mode: modeUseMaxAge, MaxAge: 24 * time.Hour, Custom: "public"}, "max-age=86400, public", ""},
		{clientCache{Mode: modeUseExpires, Expires: "Tue, 1 Jan 2030 00:00:00 UTC"}, "", "Tue, 01 Jan 2030 00:00:00 GMT"},
		{clientCache{Mode: modeUseExpires}, "", ""},
		{clientCache{Mode: modeUseMaxAge, Expires: "Tue, 1 Jan 2030 00:00:00 UTC"}, "max-age=0", ""},
	} {
		h := http.Header{}
		c.cache.apply(h)
		if h.Get("Cache-Control") != c.control || h.Get("Expires") != c.expires {
			t.Errorf("%+v: %v", c.cache, h)
		}
	}
}

func TestIndexesAreBounded(t *testing.T) {
	var s mimeIndexes
	first := &staticConfig{MimeMaps: []mimeMap{{".txt", "txt"}}}
	for range maxIndexes * 2 {
		s.get(&staticConfig{})
	}
	if typ, ok := s.get(first).typeOf("a.txt"); !ok || typ != "txt" || len(s.m) > maxIndexes {
		t.Errorf("%q %v with %d indexes", typ, ok, len(s.m))
	}
}
