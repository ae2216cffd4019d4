package all_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/rolemgr/rolemgr/features"
)

// decoded returns the body of an answer without its content coding.
func decoded(t *testing.T, a answer) string {
	t.Helper()
	var r io.Reader
	var err error
	switch coding := a.header.Get("Content-Encoding"); coding {
	case "":
		return a.body
	case "gzip":
		r, err = gzip.NewReader(strings.NewReader(a.body))
	case "deflate":
		r, err = zlib.NewReader(strings.NewReader(a.body))
	case "br":
		r = brotli.NewReader(strings.NewReader(a.body))
	case "zstd":
		r, err = zstd.NewReader(strings.NewReader(a.body))
	default:
		t.Fatalf("coding %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", a.header.Get("Content-Encoding"), err)
	}
	return string(b)
}

// prose is text that compresses to a part, not to nothing.
func prose(n int) string {
	words := strings.Fields("the server sends every file once and keeps what it has made of it on disk for those who come later")
	rnd := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[rnd.IntN(len(words))] + strconv.Itoa(rnd.IntN(100)) + " ")
	}
	return b.String()[:n]
}

func compressionHost(t *testing.T, ids ...features.ID) *testHost {
	h := startHost(t, newHome(t, append(ids, "web-server-core", "static-content", "default-document", "http-errors", "static-compression")...))
	h.site("a.txt", prose(10000))
	return h
}

// whole asks until the copy is there: on a busy machine the first visitor may not wait long enough.
func (h *testHost) whole(path string, header ...string) answer {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		a := h.get(path, header...)
		if a.header.Get("Content-Encoding") != "" || time.Now().After(deadline) {
			return a
		}
	}
}

func TestStaticCompressionCodings(t *testing.T) {
	h := compressionHost(t)
	text := prose(10000)
	for _, c := range []struct{ accept, coding string }{
		{"br", "br"}, {"gzip", "gzip"}, {"zstd", "zstd"}, {"x-gzip", "gzip"}, {"GZIP", "gzip"},
		{"gzip, deflate, br, zstd", "br"}, {"gzip;q=1, br;q=0.9", "gzip"}, {"gzip;q=0.5, zstd;q=0.8, br;q=0.1", "zstd"},
		{"*", "br"}, {"br;q=0, *", "zstd"}, {"deflate", ""}, {"", ""}, {"identity", ""}, {"gzip;q=0", ""},
		{"identity;q=1, gzip;q=0.5", ""}, {"identity;q=0, gzip;q=0.5", "gzip"},
	} {
		header := []string{"Accept-Encoding: " + c.accept}
		a := h.get("/a.txt", header...)
		if c.coding != "" {
			a = h.whole("/a.txt", header...)
		}
		if a.status != 200 || a.header.Get("Content-Encoding") != c.coding || decoded(t, a) != text {
			t.Errorf("%q: %d %q, want %q", c.accept, a.status, a.header.Get("Content-Encoding"), c.coding)
		}
		if a.header.Get("Vary") != "Accept-Encoding" || a.header.Get("Content-Type") != "text/plain" ||
			a.header.Get("Content-Length") != strconv.Itoa(len(a.body)) || a.header.Get("Last-Modified") == "" {
			t.Errorf("%q: %v", c.accept, a.header)
		}
		if weak := strings.HasPrefix(a.header.Get("ETag"), "W/"); weak != (c.coding != "") || weak == (a.header.Get("Accept-Ranges") != "") {
			t.Errorf("%q: %v", c.accept, a.header)
		}
		head := h.ask("HEAD /a.txt HTTP/1.1\n"+header[0], "")
		for _, f := range []string{"Content-Encoding", "Content-Length", "ETag", "Vary"} {
			if head.header.Get(f) != a.header.Get(f) || head.body != "" {
				t.Errorf("%q, HEAD: %s %q, want %q", c.accept, f, head.header.Get(f), a.header.Get(f))
			}
		}
	}
	if a := h.get("/a.txt"); a.header.Get("Content-Encoding") != "" || a.body != text || a.header.Get("Vary") == "" {
		t.Errorf("without Accept-Encoding: %v", a.header)
	}
}

func TestStaticCompressionSettings(t *testing.T) {
	h := compressionHost(t)
	for name, size := range map[string]int{"2699.txt": 2699, "2700.txt": 2700, "a.js": 5000, "a.png": 5000, "a.json": 5000, "a.svg": 5000, "a.zip": 5000, "0.txt": 0} {
		h.site(name, prose(size))
	}
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	h.site("noise.txt", string(noise))
	const all = "Accept-Encoding: gzip"
	on, off := "gzip", ""
	for _, c := range []struct {
		name, section, path string
		header              []string
		coding              string
		varies              bool
	}{
		{"the smallest", "", "/2700.txt", nil, on, true},
		{"one byte less", "", "/2699.txt", nil, off, false},
		{"another bound", `<httpCompression minFileSizeForComp="2699" />`, "/2699.txt", nil, on, true},
		{"an empty file", `<httpCompression minFileSizeForComp="0" />`, "/0.txt", nil, off, false},
		{"a script", "", "/a.js", nil, on, true},
		{"data", "", "/a.json", nil, on, true},
		{"a drawing", "", "/a.svg", nil, on, true},
		{"an image", "", "/a.png", nil, off, false},
		{"an archive", "", "/a.zip", nil, off, false},
		{"what cannot be compressed", "", "/noise.txt", nil, off, true},
		{"switched off", `<urlCompression doStaticCompression="false" />`, "/a.txt", nil, off, false},
		{"dynamic switched off", `<urlCompression doDynamicCompression="false" />`, "/a.txt", nil, on, true},
		{"a type of the site", `<httpCompression><staticTypes><add mimeType="image/png" enabled="true" /></staticTypes></httpCompression>`, "/a.png", nil, on, true},
		{"a type taken out", `<httpCompression><staticTypes><remove mimeType="text/*" /></staticTypes></httpCompression>`, "/a.txt", nil, off, false},
		{"a type switched off", `<httpCompression><staticTypes><add mimeType="text/plain" enabled="false" /></staticTypes></httpCompression>`, "/a.txt", nil, off, false},
		{"everything", `<httpCompression><staticTypes><add mimeType="*/*" enabled="true" /></staticTypes></httpCompression>`, "/a.zip", nil, on, true},
		{"no schemes", `<httpCompression><clear /></httpCompression>`, "/a.txt", nil, off, false},
		{"a scheme switched off", `<httpCompression><scheme name="gzip" dll="x" doStaticCompression="false" /></httpCompression>`, "/a.txt", nil, off, true},
		{"a scheme of Windows, repeated", `<httpCompression directory="%SystemDrive%\inetpub\temp\IIS Temporary Compressed Files">` +
			`<scheme name="gzip" dll="%Windir%\system32\inetsrv\gzip.dll" /><staticTypes><add mimeType="text/*" enabled="true" /></staticTypes></httpCompression>`, "/a.txt", nil, on, true},
		{"a proxy", "", "/a.txt", []string{"Via: 1.1 x"}, off, true},
		{"a proxy allowed", `<httpCompression noCompressionForProxies="false" />`, "/a.txt", []string{"Via: 1.1 x"}, on, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.webConfig(c.section)
			header := append([]string{all}, c.header...)
			a := h.get(c.path, header...)
			if c.coding != "" {
				a = h.whole(c.path, header...)
			}
			if got := a.header.Get("Content-Encoding"); a.status != 200 || got != c.coding || (a.header.Get("Vary") != "") != c.varies {
				t.Errorf("%d %v", a.status, a.header)
			}
			plain := h.get(c.path)
			if decoded(t, a) != plain.body {
				t.Error("not the file")
			}
		})
	}
	h.webConfig(`<httpCompression noCompressionForHttp10="false" />`)
	for section, want := range map[string]string{"": "", `<httpCompression noCompressionForHttp10="false" />`: "gzip"} {
		h.webConfig(section)
		if a := h.ask("GET /a.txt HTTP/1.0\n"+all, ""); a.header.Get("Content-Encoding") != want {
			t.Errorf("HTTP/1.0 %s: %v", section, a.header)
		}
	}
	h.webConfig(`<httpCompression sendCacheHeaders="true" cacheControlHeader="max-age=5" />`)
	if a := h.whole("/a.txt", all); a.header.Get("Cache-Control") != "max-age=5" || a.header.Get("Expires") != "Wed, 01 Jan 1997 12:00:00 GMT" {
		t.Errorf("cache header: %v", a.header)
	}
	if a := h.get("/a.txt"); a.header.Get("Cache-Control") != "" {
		t.Errorf("cache header of the plain file: %v", a.header)
	}
	h.webConfig(`<httpCompression sendCacheHeaders="true" cacheControlHeader="a&#10;b" />`)
	if a := h.get("/a.txt"); a.named() != "500.19" {
		t.Errorf("a second header line: %s", a.named())
	}
}

func TestStaticCompressionConditionsAndRanges(t *testing.T) {
	h := compressionHost(t)
	const gz = "Accept-Encoding: gzip"
	plain, packed := h.get("/a.txt"), h.whole("/a.txt", gz)
	strong, weak, modified := plain.header.Get("ETag"), packed.header.Get("ETag"), plain.header.Get("Last-Modified")
	if weak != "W/"+strong || packed.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("tags %s %s", strong, weak)
	}
	text := prose(10000)
	for _, c := range []struct {
		name    string
		header  []string
		status  int
		tag     string
		coding  string
		content string
	}{
		{"304 of the copy", []string{gz, "If-None-Match: " + weak}, 304, weak, "", ""},
		{"304 of the plain file", []string{"If-None-Match: " + strong}, 304, strong, "", ""},
		{"304, the plain file is there and the copy would come", []string{gz, "If-None-Match: " + strong}, 304, strong, "", ""},
		{"304 in a list", []string{gz, `If-None-Match: "x", ` + weak}, 304, weak, "", ""},
		{"304 by date", []string{gz, "If-Modified-Since: " + modified}, 304, strong, "", ""},
		{"another tag", []string{gz, `If-None-Match: "x"`}, 200, weak, "gzip", text},
		{"a range", []string{gz, "Range: bytes=2-4"}, 206, strong, "", text[2:5]},
		{"a range of the plain file", []string{gz, "Range: bytes=2-4", "If-Range: " + strong}, 206, strong, "", text[2:5]},
		{"a range of the copy is none", []string{gz, "Range: bytes=2-4", "If-Range: " + weak}, 200, strong, "", text},
		{"If-Match", []string{gz, "If-Match: " + strong}, 200, weak, "gzip", text},
	} {
		a := h.get("/a.txt", c.header...)
		if a.status != c.status || a.header.Get("ETag") != c.tag || a.header.Get("Content-Encoding") != c.coding || decoded(t, a) != c.content || a.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v", c.name, a.status, a.header)
		}
	}
	if a := h.get("/a.txt", gz, `If-Match: "x"`); a.named() != "412.0" || a.header.Get("Content-Encoding") != "" {
		t.Errorf("412: %s %v", a.named(), a.header)
	}
	if a := h.get("/a.txt", gz, "Range: bytes=20000-"); a.named() != "416.0" || a.header.Get("Content-Encoding") != "" {
		t.Errorf("416: %s %v", a.named(), a.header)
	}
	// With noCompressionForRange off, an answer that passes the range over may be compressed, and a part still is not.
	h.webConfig(`<httpCompression noCompressionForRange="false" />`)
	if a := h.get("/a.txt", gz, "Range: bytes=2-4"); a.status != 206 || a.body != text[2:5] {
		t.Errorf("a range, allowed: %d %v", a.status, a.header)
	}
	if a := h.get("/a.txt", gz, "Range: bytes=2-4", `If-Range: "x"`); a.status != 200 || decoded(t, a) != text || a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("a range of another, allowed: %d %v", a.status, a.header)
	}
}

func TestStaticCompressionIsNeverStale(t *testing.T) {
	h := compressionHost(t)
	const gz = "Accept-Encoding: gzip"
	file := filepath.Join(h.home, "sites/default/a.txt")
	fixed := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 20 {
		// The same size and the same time: what a deployment with fixed times leaves.
		text := strings.Repeat(string(rune('a'+i)), 5000)
		tmp := file + ".tmp"
		write(t, tmp, text)
		if err := os.Chtimes(tmp, fixed, fixed); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, file); err != nil {
			t.Fatal(err)
		}
		if a := h.get("/a.txt", gz); decoded(t, a) != text {
			t.Fatalf("change %d is not seen", i)
		}
		if a := h.whole("/a.txt", gz); decoded(t, a) != text {
			t.Fatalf("change %d is not seen later", i)
		}
	}
	copies, err := filepath.Glob(filepath.Join(h.home, "cache/compressed/site-1/*"))
	if err != nil || len(copies) != 1 {
		t.Errorf("%d copies of one file (%v)", len(copies), err)
	}
	if err := os.Chtimes(file, time.Unix(0, 0), time.Unix(0, 0)); err != nil { // which is sent without Last-Modified
		t.Fatal(err)
	}
	if a := h.whole("/a.txt", gz); a.header.Get("Content-Encoding") != "gzip" || a.header.Get("Last-Modified") != "" {
		t.Errorf("a file of 1970: %v", a.header)
	}
}

func TestStaticCompressionFirstVisitors(t *testing.T) {
	h := compressionHost(t)
	h.site("Default.htm", prose(200000))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			req, err := http.NewRequest(http.MethodGet, "http://"+h.addr+"/", nil)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Accept-Encoding", "gzip")
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err == nil && resp.Header.Get("Content-Encoding") == "gzip" {
				var r *gzip.Reader
				if r, err = gzip.NewReader(bytes.NewReader(b)); err == nil {
					b, err = io.ReadAll(r)
				}
			}
			if err != nil || string(b) != prose(200000) {
				t.Errorf("%d bytes: %v", len(b), err)
			}
		})
	}
	all.Wait()
	a := h.whole("/", "Accept-Encoding: gzip")
	copies, _ := filepath.Glob(filepath.Join(h.home, "cache/compressed/site-1/*"))
	if a.header.Get("Content-Encoding") != "gzip" || len(copies) != 1 {
		t.Errorf("%v, copies %v", a.header, copies)
	}
	info, err := os.Stat(filepath.Dir(copies[0]))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may read the copies: %v %v", info.Mode(), err)
	}
}

func TestStaticCompressionWithoutItsFolder(t *testing.T) {
	h := compressionHost(t)
	write(t, filepath.Join(h.home, "cache/compressed"), "a file where the folder should be")
	for range 3 {
		if a := h.get("/a.txt", "Accept-Encoding: gzip"); a.status != 200 || decoded(t, a) != prose(10000) || a.header.Get("Content-Encoding") != "" {
			t.Fatalf("%d %v", a.status, a.header)
		}
	}
	h.stop()
	if n := strings.Count(h.log.String(), "a compressed copy cannot be kept"); n != 1 {
		t.Errorf("told %d times:\n%s", n, h.log)
	}
}
