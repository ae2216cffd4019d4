package staticcontent

import "testing"

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
