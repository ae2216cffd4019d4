package edit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A writer makes random files in one style, with every kind of thing that may stand between elements.
type writer struct {
	r              *rand.Rand
	b              strings.Builder
	nl, unit, self string
	quote          string
	inline         bool
}

func (w *writer) line(depth int, text string) {
	if w.inline {
		w.b.WriteString(text)
		return
	}
	w.b.WriteString(strings.Repeat(w.unit, depth) + text + w.nl)
}

func (w *writer) element(depth int) {
	name := string(rune('a' + w.r.IntN(4)))
	attrs := ""
	for i := range w.r.IntN(3) {
		attrs += fmt.Sprintf(" k%d=%s%d &lt; 2%s", i, w.quote, w.r.IntN(3), w.quote)
	}
	if name == "d" {
		name, attrs = "location", fmt.Sprintf(" path=%sP%d%s", w.quote, w.r.IntN(2), w.quote)
		if w.r.IntN(3) == 0 {
			attrs += " overrideMode=" + w.quote + "Deny" + w.quote
		}
	}
	switch kids := w.r.IntN(4); {
	case name == "location" && (kids == 0 || depth > 4): // one that is empty means nothing, and goes with what is unset in it
		w.line(depth, "<"+name+attrs+"><x"+w.self+"</"+name+">")
	case kids == 0 || depth > 4:
		w.line(depth, "<"+name+attrs+" z="+w.quote+w.quote+w.self)
	default:
		w.line(depth, "<"+name+attrs+">")
		for range kids {
			if w.r.IntN(4) == 0 {
				w.line(depth+1, "<!-- <a> -->")
			}
			w.element(depth + 1)
			if w.r.IntN(6) == 0 && !w.inline {
				w.b.WriteString(w.nl)
			}
		}
		w.line(depth, "</"+name+">")
	}
}

// TestRandomFiles sets attributes in files of every style: what is new is read back, and unset leaves the file as it was.
func TestRandomFiles(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 1))
		pick := func(s ...string) string { return s[r.IntN(len(s))] }
		w := &writer{r: r, nl: pick("\n", "\r\n"), unit: pick("  ", "\t", "    "), self: pick("/>", " />"), quote: pick(`"`, "'"), inline: r.IntN(5) == 0}
		w.b.WriteString(pick("", "\xef\xbb\xbf"))
		w.line(0, "<configuration>")
		for range 1 + r.IntN(4) {
			w.element(1)
		}
		w.line(0, "</configuration>")
		src := []byte(w.b.String())
		d, err := Parse(src)
		if err != nil {
			t.Fatalf("seed %d: %v in\n%s", seed, err, src)
		}
		p := d.Place(pick("", "P0", "P1", "P9"), pick("a", "a/b", "b/c/a", "n/m"))
		if r.IntN(2) == 0 {
			p = p.Then(Step{Name: pick("a", "q")}, named(pick("c", "add"), "k0", pick("0 < 2", "7")))
		}
		if err := d.Set(p, "new", "v & w"); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if v, ok := d.Get(p, "new"); !ok || v != "v & w" {
			t.Fatalf("seed %d: reads %q in\n%s", seed, v, d.Bytes())
		}
		with := d.Bytes()
		added := !bytes.Contains(src, []byte("k0="+w.quote+"7"))
		if _, err := d.Unset(p, "new"); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if last := p[len(p)-1]; len(last.Keys) > 0 && added && last.Keys[0].Value == "7" {
			if _, err := d.Remove(p); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if last := p[len(p)-1]; len(last.Keys) == 0 || last.Keys[0].Value == "7" {
			if !bytes.Equal(d.Bytes(), src) {
				t.Fatalf("seed %d, path %v: was\n%s\nwith it\n%s\nthen\n%s", seed, p, src, with, d.Bytes())
			}
		}
	}
}
