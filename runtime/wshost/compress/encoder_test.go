package compress

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// decode reads a stream to its end.
func decode(c Coding, r io.Reader) ([]byte, error) {
	var err error
	switch c {
	case Gzip:
		r, err = gzip.NewReader(r)
	case Deflate:
		r, err = zlib.NewReader(r)
	case Brotli:
		r = brotli.NewReader(r)
	case Zstd:
		var d *zstd.Decoder
		// What browsers hold at most (RFC 8878, section 3.1.1.1.2).
		if d, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20)); err == nil {
			defer d.Close()
			r = d
		}
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func codings() []Coding { return []Coding{Gzip, Deflate, Brotli, Zstd} }

// TestLevels writes through levels at both ends of each range and beyond, twice, so that pooled encoders are used again.
func TestLevels(t *testing.T) {
	var p Pools
	text := []byte(strings.Repeat("Every level gives back what was written. ", 100))
	for _, c := range codings() {
		for _, level := range []int{-1, 0, 1, 4, 9, 10, 11, 12, maxLevel, maxLevel + 1} {
			for round := range 2 {
				var out bytes.Buffer
				e, err := p.Get(c, level, &out)
				if err != nil {
					t.Fatal(err)
				}
				for part := range bytes.SplitSeq(text, []byte(".")) {
					if _, err := e.Write(append(part, '.')); err != nil {
						t.Fatal(err)
					}
				}
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
				if got, err := decode(c, &out); err != nil || !bytes.Equal(got, append(text, '.')) {
					t.Errorf("%s, level %d, round %d: %d bytes, %v", c, level, round, len(got), err)
				}
			}
		}
	}
	if _, err := p.Get("compress", 1, io.Discard); err == nil {
		t.Error("an encoder that there is not")
	}
	if _, err := New(Identity, 1, 1, io.Discard); err == nil {
		t.Error("an encoder that there is not")
	}
}

func TestFilesOfEverySize(t *testing.T) {
	for _, c := range codings() {
		for _, n := range []int{0, 1, 1000, 1 << 10, 1<<10 + 1, 1 << 18, 5 << 20} {
			text := bytes.Repeat([]byte("0123456789abcde\n"), n/16+1)[:n]
			var out bytes.Buffer
			e, err := New(c, 5, int64(n), &out)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Write(text); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if got, err := decode(c, &out); err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s, %d bytes: %d, %v", c, n, len(got), err)
			}
		}
	}
}

// TestFlushSendsEverything: what was written before a flush can be read without anything after it.
func TestFlushSendsEverything(t *testing.T) {
	var p Pools
	for _, c := range codings() {
		for _, level := range []int{0, 4, 9} {
			r, w := io.Pipe()
			e, err := p.Get(c, level, w)
			if err != nil {
				t.Fatal(err)
			}
			lines := make(chan string)
			go func() {
				defer close(lines)
				got, err := decodeLines(c, r, lines)
				if err != nil {
					t.Errorf("%s: %v after %d lines", c, err, got)
				}
			}()
			for i := range 5 {
				line := fmt.Sprintf("event %d\n", i)
				if _, err := io.WriteString(e, line); err != nil {
					t.Fatal(err)
				}
				if err := e.Flush(); err != nil {
					t.Fatal(err)
				}
				if got := <-lines; got != line {
					t.Fatalf("%s, level %d: %q", c, level, got)
				}
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			_ = w.Close()
			for range lines {
				t.Errorf("%s: something after the end", c)
			}
		}
	}
}

func decodeLines(c Coding, r io.Reader, lines chan<- string) (n int, err error) {
	pr, pw := io.Pipe()
	go func() {
		var z io.Reader
		var err error
		switch c {
		case Gzip:
			z, err = gzip.NewReader(r)
		case Deflate:
			z, err = zlib.NewReader(r)
		case Brotli:
			z = brotli.NewReader(r)
		case Zstd:
			z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		}
		if err == nil {
			_, err = io.Copy(pw, z)
		}
		_ = pw.CloseWithError(err)
	}()
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := pr.Read(b); err != nil {
			if err == io.EOF {
				err = nil
			}
			return n, err
		}
		if line = append(line, b[0]); b[0] == '\n' {
			lines <- string(line)
			line, n = line[:0], n+1
		}
	}
}

func TestPoolsAreShared(t *testing.T) {
	var p Pools
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				c := codings()[(i+j)%4]
				text := strings.Repeat(fmt.Sprint(i, j), 300)
				var out bytes.Buffer
				e, err := p.Get(c, 3, &out)
				if err == nil {
					_, _ = io.WriteString(e, text)
					err = e.Close()
				}
				if got, derr := decode(c, &out); err != nil || derr != nil || string(got) != text {
					t.Errorf("%s: %v %v", c, err, derr)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkEncoders(b *testing.B) {
	text := []byte(strings.Repeat("<li><a href=\"/item/42\">An entry of a list like many others</a></li>\n", 300))
	for _, c := range []struct {
		coding Coding
		level  int
	}{{Gzip, 0}, {Gzip, 7}, {Brotli, 0}, {Brotli, 4}, {Zstd, 1}, {Zstd, 3}} {
		b.Run(fmt.Sprintf("%s-%d", c.coding, c.level), func(b *testing.B) {
			var p Pools
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				e, err := p.Get(c.coding, c.level, io.Discard)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = e.Write(text)
				_ = e.Close()
			}
		})
	}
}
