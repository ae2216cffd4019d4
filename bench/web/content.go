// Package web compares how web servers send static files: rolemgr, nginx, Caddy and Apache, each as an administrator sets
// it up, with the same files, the same rewrite rules and an access log. It starts the servers and runs the rounds; the
// load generator is in package load, page and plot in package report.
package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Level is the level of gzip in every server.
const Level = 6

// A Scenario is a file that is asked for again and again.
type Scenario struct {
	Name   string
	About  string
	Path   string // of the file
	Gzip   bool   // the client takes gzip, and must get it
	Unseen bool   // the client has the file already: If-None-Match, 304
	Rules  bool   // past ten rewrite rules that do not match, by an eleventh that does
	Conns  int
}

// Scenarios returns every scenario, each without the rewrite rules and with them.
func Scenarios() []Scenario {
	files := []Scenario{
		{Name: "1k", About: "a file of 1 KiB", Path: "/1k.bin", Conns: 64},
		{Name: "100k", About: "a file of 100 KiB", Path: "/100k.bin", Conns: 64},
		{Name: "10m", About: "a file of 10 MiB", Path: "/10m.bin", Conns: 16},
		{Name: "gzip", About: "100 KiB of text, compressed by the server", Path: "/text.txt", Gzip: true, Conns: 64},
		{Name: "gzip-file", About: "the same text where the administrator has put a text.txt.gz beside it", Path: "/ready/text.txt", Gzip: true, Conns: 64},
		{Name: "304", About: "If-None-Match of a file of 1 KiB that has not changed", Path: "/1k.bin", Unseen: true, Conns: 64},
	}
	var all []Scenario
	for _, s := range files {
		with := s
		with.Name, with.About, with.Rules = s.Name+"-rules", s.About+", with rewrite rules", true
		all = append(all, s, with)
	}
	return all
}

// url returns the path that is asked for. The last rule leads from one folder that is not there to the file.
func (s Scenario) url() string {
	if s.Rules {
		return "/files" + s.Path
	}
	return s.Path
}

// A rule is a rewrite rule: a regular expression for the path without its first slash, without regard to case as is the
// default of IIS, and where it leads with \1 for the first group.
type rule struct{ pattern, target string }

// rules returns ten rules of the kinds that real sites have, which the requests do not match, and one that they do.
func rules() []rule {
	return []rule{
		{`^blog/([0-9]{4})/([0-9]{2})/(.*)$`, `/articles/\1-\2-\3`},
		{`^products/([^/]+)/([0-9]+)$`, `/shop/item.html`},
		{`^users/([a-z0-9_-]+)/profile$`, `/people/\1.html`},
		{`^(.*)\.php$`, `/gone.html`},
		{`^category/([^/]+)/page/([0-9]+)/?$`, `/list/\1-\2.html`},
		{`^api/v1/(.*)$`, `/api/v2/\1`},
		{`^([a-z]{2})/news/(.*)$`, `/news/\1/\2`},
		{`^download/([0-9]+)/([^/]+)\.zip$`, `/archive/\1.zip`},
		{`^(.+)/amp/?$`, `/\1.html`},
		{`^search/(.+)$`, `/search.html`},
		{`^files/(.+)$`, `/\1`},
	}
}

// group rewrites \1 in the target as a server writes it.
func (r rule) group(prefix, suffix string) string {
	out := r.target
	for _, n := range []string{"1", "2", "3"} {
		out = strings.ReplaceAll(out, `\`+n, prefix+n+suffix)
	}
	return out
}

// fill writes the files into a folder, which every server may read.
func fill(dir string) error {
	text := prose(100 << 10)
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, Level)
	if err != nil {
		return err
	}
	if _, err := z.Write(text); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "ready"), 0o755); err != nil {
		return fmt.Errorf("writing the files: %w", err)
	}
	for name, content := range map[string][]byte{
		"1k.bin": noise(1 << 10), "100k.bin": noise(100 << 10), "10m.bin": noise(10 << 20),
		"text.txt": text, "ready/text.txt": text, "ready/text.txt.gz": packed.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("writing the files: %w", err)
		}
	}
	return nil
}

// noise returns bytes that do not compress, the same at each call.
func noise(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	_, _ = r.Read(b) // never fails
	return b
}

// prose returns text that compresses about as well as that of people: words by Zipf's law.
func prose(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 3000)
	for i := range words {
		w := make([]byte, 2+r.IntN(9))
		for j := range w {
			w[j] = "etaoinshrdlucmfwypvbgkjqxz"[min(r.IntN(26), r.IntN(26))]
		}
		words[i] = string(w)
	}
	zipf := rand.NewZipf(r, 1.1, 3, uint64(len(words)-1))
	var b bytes.Buffer
	for i := 1; b.Len() < n; i++ {
		b.WriteString(words[zipf.Uint64()])
		b.WriteByte(" \n"[min(i%12/11, 1)])
	}
	return b.Bytes()[:n]
}
