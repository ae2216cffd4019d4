//go:build e2e

package spa

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script is the type that the MIME map of IIS has for scripts.
const script = "application/javascript"

// use has a person use an application in a browser. With SPA_PICTURES, a folder, there is a picture of each home page.
func use(t *testing.T, base, title string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	args := []string{"peers/browser.mjs", base, title}
	if dir := os.Getenv("SPA_PICTURES"); dir != "" {
		args = append(args, filepath.Join(dir, strings.NewReplacer(":", "", "/", "").Replace(strings.TrimPrefix(base, "http://"))+".png"))
	}
	out, err := exec.CommandContext(ctx, "node", args...).CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		t.Errorf("%s in Chromium: %v\n%s", base, err, out)
	}
}

// answer is what a request was answered with, encoded as it came.
type answer struct {
	status int
	header http.Header
	body   string
}

// get asks for a URL with fields of a header, given in pairs; nothing is decoded and no redirection followed.
func get(t *testing.T, url string, fields ...string) answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	resp, err := (&http.Client{
		Timeout: patience, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// file reads a file of a build.
func file(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// asset checks all that a browser, a cache and a proxy may ask of a file with a hash in its name.
func asset(t *testing.T, url, want, mime, caching string) {
	t.Helper()
	plain := get(t, url)
	h := plain.header
	if plain.status != http.StatusOK || plain.body != want || h.Get("Content-Type") != mime || h.Get("Cache-Control") != caching || h.Get("Content-Encoding") != "" {
		t.Errorf("%s: %d with %d bytes, want %d; %v", url, plain.status, len(plain.body), len(want), h)
	}
	stamps := [][]string{{"If-None-Match", h.Get("ETag")}, {"If-Modified-Since", h.Get("Last-Modified")}}
	if len(want) > 2700 && !strings.HasPrefix(mime, "image/") { // the default of minFileSizeForComp
		zipped := compressed(t, url, want)
		stamps = append(stamps, []string{"If-None-Match", zipped.Get("ETag"), "Accept-Encoding", "gzip"})
		if zipped.Get("Content-Type") != mime || zipped.Get("Cache-Control") != caching {
			t.Errorf("%s compressed: %v", url, zipped)
		}
		if !strings.Contains(h.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: Vary is %q: a cache may give the one form to whoever wants the other", url, h.Get("Vary"))
		}
	}
	for _, fields := range stamps {
		got := get(t, url, fields...)
		if fields[1] == "" || got.status != http.StatusNotModified || got.body != "" || got.header.Get("Cache-Control") != caching {
			t.Errorf("%s with %q: %d with %d bytes, %v; want 304", url, fields, got.status, len(got.body), got.header)
		}
	}
}

// compressed waits for the copy, which is made beside the first answers, and reads it.
func compressed(t *testing.T, url, want string) http.Header {
	t.Helper()
	deadline := time.Now().Add(patience)
	for _, coding := range []string{"br", "zstd", "gzip"} {
		a := get(t, url, "Accept-Encoding", coding)
		for a.header.Get("Content-Encoding") == "" && time.Now().Before(deadline) {
			a = get(t, url, "Accept-Encoding", coding)
		}
		if a.status != http.StatusOK || a.header.Get("Content-Encoding") != coding || len(a.body) > len(want)/2 || !strings.Contains(a.header.Get("Vary"), "Accept-Encoding") {
			t.Fatalf("%s as %s: %d with %d bytes of %d, %v", url, coding, a.status, len(a.body), len(want), a.header)
		}
		if coding != "gzip" {
			continue
		}
		r, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != want {
			t.Errorf("%s as gzip holds %d bytes, want %d; %v", url, len(b), len(want), err)
		}
		return a.header
	}
	return nil
}

// assets checks the files of a build that fit a pattern; there has to be one.
func assets(t *testing.T, base, dist, pattern, mime, caching string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dist, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no file fits %s: %v", pattern, err)
	}
	for _, path := range paths {
		rel, err := filepath.Rel(dist, path)
		if err != nil {
			t.Fatal(err)
		}
		asset(t, base+filepath.ToSlash(rel), file(t, path), mime, caching)
	}
}

// page checks that a path is answered with the page of the application, which nobody may keep unasked.
func page(t *testing.T, base, dist string, paths ...string) {
	t.Helper()
	want := file(t, dist, "index.html")
	for _, path := range paths {
		a := get(t, base+path)
		h := a.header
		if a.status != http.StatusOK || a.body != want || h.Get("Content-Type") != "text/html" || h.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d with %d bytes, %v; want the page of the application", path, a.status, len(a.body), h)
		}
		if b := get(t, base+path, "If-None-Match", h.Get("ETag")); b.status != http.StatusNotModified {
			t.Errorf("%s asked for again: %d, want 304", path, b.status)
		}
	}
}

// missing checks that paths are answered with a 404 that is not the application and that nobody keeps.
func missing(t *testing.T, base string, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if a := get(t, base+path); a.status != http.StatusNotFound || strings.Contains(a.body, " on rolemgr</title>") || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, %v; want 404\n%.200s", path, a.status, a.header, a.body)
		}
	}
}

func TestReact(t *testing.T) {
	s := serve(t)
	base := s.add(react) + "/"
	use(t, base, react.title)
	const year = "max-age=31536000"
	assets(t, base, react.dist, "assets/*.js", script, year)
	assets(t, base, react.dist, "assets/*.css", "text/css", year)
	assets(t, base, react.dist, "assets/*.svg", "image/svg+xml", year)
	assets(t, base, react.dist, "site.webmanifest", "application/manifest+json", "")
	assets(t, base, react.dist, "users.json", "application/json", "")
	// The rule leaves out what is below /api and /assets, and nothing else.
	page(t, base, react.dist, "", "index.html", "about", "users/7", "users/7?tab=1", "a/b/c", "assetsfoo", "missing.js", "users/j%C3%BCrgen%20x")
	missing(t, base, "assets/index-00000000.js", "assets/missing.css?v=1", "assets/no/such", "api/users", "web.config")
	if a := get(t, base+"robots.txt"); a.status != http.StatusOK || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("robots.txt: %d, %v", a.status, a.header)
	}
	if a := get(t, base+"assets/"); a.status != http.StatusForbidden {
		t.Errorf("the folder of the assets is answered with %d, want 403", a.status)
	}

	// The application of Vue in a path below: its rules take the place of those of the site.
	dist := portal.build(t)
	s.rolemgr("install", "--for", dist)
	s.rolemgr("app", "add", "react/portal", dist)
	below := base + "portal/"
	use(t, below, portal.title)
	assets(t, below, portal.dist, "assets/*.js", script, "max-age=2678400")
	page(t, below, portal.dist, "", "about", "users/7", "assets/no/such")
	missing(t, below, "assets/index-00000000.js", "missing.css")
	page(t, base, react.dist, "about", "portals") // the site around it is as before
}

func TestVue(t *testing.T) {
	s := serve(t)
	base := s.add(vue) + "/"
	use(t, base, vue.title)
	const month = "max-age=2678400"
	assets(t, base, vue.dist, "assets/*.js", script, month)
	assets(t, base, vue.dist, "assets/*.css", "text/css", month)
	assets(t, base, vue.dist, "assets/*.svg", "image/svg+xml", month)
	// The rule leaves out what ends as a script, a style sheet or a picture does, wherever it is.
	page(t, base, vue.dist, "", "index.html", "about", "users/7", "a/b/c", "missing.txt", "assets/no/such", "users/7?file=x.js")
	missing(t, base, "assets/index-00000000.js", "missing.css", "a/b/c.png", "users/x.JSON", "web.config")
}

func TestAngular(t *testing.T) {
	s := serve(t)
	base := s.add(angular) + "/"
	use(t, base, angular.title)
	const week = "max-age=604800"
	assets(t, base, angular.dist, "*.js", script, week)
	assets(t, base, angular.dist, "*.css", "text/css", week)
	assets(t, base, angular.dist, "media/*.svg", "image/svg+xml", week)
	// The first rule takes everything with an extension.
	page(t, base, angular.dist, "", "index.html", "about", "users/7", "a/b/c")
	missing(t, base, "main-00000000.js", "users/john.doe", "media/missing.svg", "web.config")
}

// TestFallbackIsWhatServes is the negative control: without the web.config there are no deep links, and the person in the
// browser notices.
func TestFallbackIsWhatServes(t *testing.T) {
	s := serve(t)
	bare := filepath.Join(t.TempDir(), "bare")
	if err := os.CopyFS(bare, os.DirFS(react.build(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(bare, "web.config")); err != nil {
		t.Fatal(err)
	}
	s.rolemgr("site", "add", bare, "--port", "0")
	base := s.site("bare") + "/"
	missing(t, base, "about", "users/7")
	out, err := exec.Command("node", "peers/browser.mjs", base, react.title).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "404") {
		t.Errorf("in Chromium deep links work without a rule: %v\n%s", err, out)
	}
}
