package all_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// old asks for a file until the host must have taken it into memory: what was changed a moment ago it does not keep.
func (h *testHost) old(path string, header ...string) answer {
	h.t.Helper()
	for end := time.Now().Add(150 * time.Millisecond); ; {
		if a := h.whole(path, header...); time.Now().After(end) {
			return a
		}
	}
}

// TestKeptFilesFollowTheirFile changes files, and what stands in their place, that the host has in memory.
func TestKeptFilesFollowTheirFile(t *testing.T) {
	h := compressionHost(t)
	path := filepath.Join(h.home, "sites/default/a.txt")
	gzip := "Accept-Encoding: gzip"
	first, second := prose(10000), prose(9000)
	replaceFile := func(content string) {
		t.Helper()
		write(t, path+".new", content)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	if a := h.old("/a.txt", gzip); decoded(t, a) != first || a.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%d bytes, %v", len(a.body), a.header)
	}
	replaceFile(second)
	if a := h.get("/a.txt"); a.body != second {
		t.Error("the file of before is sent")
	}
	if a := h.get("/a.txt", gzip); decoded(t, a) != second {
		t.Error("the copy of before is sent")
	}
	tag := h.old("/a.txt", gzip).header.Get("ETag")
	if a := h.get("/a.txt", gzip, "If-None-Match: "+tag); a.status != 304 {
		t.Errorf("a file that has not changed: %d", a.status)
	}
	replaceFile(first)
	if a := h.get("/a.txt", gzip, "If-None-Match: "+tag); a.status != 200 || decoded(t, a) != first {
		t.Errorf("a file that has changed: %d", a.status)
	}
	h.old("/a.txt", gzip)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if a := h.get("/a.txt", gzip); a.status != 404 {
		t.Errorf("a file that is gone: %d", a.status)
	}
	outside := filepath.Join(h.home, "outside.txt")
	write(t, outside, "secret")
	if err := os.Symlink(outside, path); err != nil {
		t.Fatal(err)
	}
	if a := h.get("/a.txt", gzip); a.status != 403 {
		t.Errorf("a link that leads out: %d", a.status)
	}
}

// TestKeptRanges sends parts of files that are in memory and of files that are not.
func TestKeptRanges(t *testing.T) {
	h := compressionHost(t)
	for name, size := range map[string]int{"small.bin": 1000, "large.bin": 1 << 20} {
		content := prose(size)
		h.site(name, content)
		for end := time.Now().Add(150 * time.Millisecond); time.Now().Before(end); {
			h.get("/" + name)
		}
		for _, c := range []struct {
			field string
			body  string
		}{{"bytes=0-0", content[:1]}, {"bytes=100-899", content[100:900]}, {"bytes=-10", content[size-10:]}, {"bytes=600-", content[600:]}} {
			if a := h.get("/"+name, "Range: "+c.field); a.status != 206 || a.body != c.body {
				t.Errorf("%s, %s: %d with %d bytes", name, c.field, a.status, len(a.body))
			}
		}
		if a := h.get("/"+name, "Range: bytes=9999999-"); a.status != 416 {
			t.Errorf("%s: a range beyond the end: %d", name, a.status)
		}
	}
}
