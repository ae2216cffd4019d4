package config

import (
	"cmp"
	"slices"
	"strings"
)

// maxExcerptLine is how much of a line an excerpt shows, in bytes.
const maxExcerptLine = 240

const masked = "…"

// excerpt shows the line of an offset and its neighbours. What lies in sections that this host does not own is not
// shown: it may be a secret. From tail on nothing was understood, so nothing is shown but the plain bytes at the offset.
func (d *document) excerpt(off, tail, plain int) Excerpt {
	l := d.line(off)
	first, last := max(l-1, 0), min(l+1, len(d.starts)-1)
	hidden := d.hiddenRanges()
	if tail < len(d.src) {
		hidden = slices.Clip(hidden)
		if plain > 0 && tail <= off {
			if tail < off {
				hidden = append(hidden, [2]int{tail, off})
			}
			tail = off + plain
		}
		hidden = append(hidden, [2]int{tail, len(d.src)})
		sortRanges(hidden)
	}
	e := Excerpt{First: first + 1}
	for i := first; i <= last; i++ {
		from, to := d.lineSpan(i)
		head, rest := "", ""
		if to-from > maxExcerptLine {
			lo := from
			if i == l {
				lo = max(from, min(off-maxExcerptLine/2, to-maxExcerptLine))
			}
			hi := lo + maxExcerptLine
			if lo > from {
				head = masked
			}
			if hi < to {
				rest = masked
			}
			from, to = lo, hi
		}
		e.Lines = append(e.Lines, head+strings.ToValidUTF8(d.show(from, to, hidden), "\uFFFD")+rest)
	}
	return e
}

// show returns the source between two offsets with hidden ranges (sorted by their beginning) replaced.
func (d *document) show(from, to int, hidden [][2]int) string {
	var b strings.Builder
	at := from
	for _, h := range hidden {
		if h[1] <= at {
			continue
		}
		if h[0] >= to {
			break
		}
		if h[0] > at {
			b.Write(d.src[at:h[0]])
		}
		b.WriteString(masked)
		at = min(h[1], to)
	}
	b.Write(d.src[at:to])
	return b.String()
}

func sortRanges(r [][2]int) {
	slices.SortFunc(r, func(a, b [2]int) int { return cmp.Compare(a[0], b[0]) })
}

// hiddenRanges returns the ranges of the source that must not be shown, sorted. While the file is being read they
// grow; the parser asks once, at the fault that ends it.
func (d *document) hiddenRanges() [][2]int {
	d.hide.Do(func() {
		d.hidden = slices.Clone(d.comments)
		switch {
		case d.root == nil:
		case d.fragment != nil && d.root.name != d.fragment.Name: // some other file, which may be full of secrets
			d.hidden = append(d.hidden, [2]int{d.root.start + 1 + len(d.root.name), d.root.end})
		case d.fragment != nil:
			d.hidden = hideSecrets(d.hidden, d.fragment, d.root)
		default:
			d.hidden = hideForeign(d.hidden, d.schema, d.root, "")
		}
		sortRanges(d.hidden)
	})
	return d.hidden
}

// hideForeign hides the sections below parent that the host does not own.
func hideForeign(h [][2]int, s *Schema, parent *node, path string) [][2]int {
	for _, n := range parent.kids {
		sub := join(path, n.name)
		switch {
		case path == "" && n.name == "configSections":
		case path == "" && n.name == "location":
			h = hideForeign(h, s, n, "")
		case s.section(sub) != nil:
			h = hideSecrets(h, &s.section(sub).root, n)
		case s.isGroup(sub):
			h = hideForeign(h, s, n, sub)
		default:
			h = append(h, [2]int{n.start + 1 + len(n.name), n.end})
		}
	}
	return h
}

// hideSecrets hides the values of secret attributes of a section that the host owns.
func hideSecrets(h [][2]int, decl *elementDecl, n *node) [][2]int {
	if !decl.secrets {
		return h
	}
	for _, a := range n.attrs {
		if i, ok := decl.attrs[a.name]; ok && decl.Attributes[i].Secret {
			h = append(h, [2]int{a.valStart, a.valStop})
		}
	}
	for _, k := range n.kids {
		if i, ok := decl.elems[k.name]; ok {
			h = hideSecrets(h, decl.kids[i], k)
		} else if decl.add != nil && k.name == decl.add.Name {
			h = hideSecrets(h, decl.add, k)
		}
	}
	return h
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}
