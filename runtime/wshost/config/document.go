package config

import (
	"bytes"
	"sort"
	"strings"
	"sync"
)

// Ceilings of one configuration file. They keep a hostile or broken file from costing more than it is worth. A web.config
// stays two orders of magnitude below (IIS itself takes 250 KiB of one); an applicationHost.config has some ten elements
// for each site, so there is room for thousands. A file that configSource names counts by itself.
const (
	maxFileSize   = 8 << 20 // bytes
	maxDepth      = 64      // nested elements
	maxElements   = 1 << 16 // elements in one file
	maxAttributes = 128     // attributes of one element, and names in one lock
	maxFaults     = 100     // faults that are told of one file
	maxMessage    = 1000    // bytes of a message, which quotes what was written
)

// A document is a parsed configuration file: its source and its elements with their places.
type document struct {
	file     string
	src      []byte // without byte order mark
	starts   []int  // offset of each line
	root     *node
	schema   *Schema
	comments [][2]int // they may hold anything: what was taken out of the file, passwords with it
	hide     sync.Once
	hidden   [][2]int     // see hide; sorted
	fragment *elementDecl // of the root, when the file holds one section only (configSource)
}

// A node is an element of a document. Offsets are into document.src.
type node struct {
	doc        *document
	name       string // as written, with its prefix
	start, end int
	text       int // offset of the first character data that is not white space, or -1
	attrs      []attr
	kids       []*node
}

// An attr is an attribute as written.
type attr struct {
	name, value              string
	start, valStart, valStop int
}

// A place is a position in a document that has not been turned into line and column yet.
type place struct {
	doc *document
	off int
}

func (n *node) place() place { return place{n.doc, n.start} }

func (n *node) attr(name string) (attr, bool) {
	for _, a := range n.attrs {
		if a.name == name {
			return a, true
		}
	}
	return attr{}, false
}

func (p place) pos() Pos {
	if p.doc == nil {
		return Pos{}
	}
	return p.doc.pos(p.off)
}

func newDocument(file string, src []byte, schema *Schema) *document {
	d := &document{file: file, src: src, schema: schema, starts: []int{0}}
	for i := 0; ; {
		n := bytes.IndexByte(src[i:], '\n')
		if n < 0 {
			return d
		}
		i += n + 1
		d.starts = append(d.starts, i)
	}
}

// line returns the index of the line that holds the offset.
func (d *document) line(off int) int {
	return sort.Search(len(d.starts), func(i int) bool { return d.starts[i] > off }) - 1
}

func (d *document) pos(off int) Pos {
	if off < 0 {
		return Pos{File: d.file}
	}
	l := d.line(off)
	return Pos{File: d.file, Line: l + 1, Column: off - d.starts[l] + 1}
}

// lineSpan returns the offsets of a line without its line end.
func (d *document) lineSpan(l int) (from, to int) {
	from, to = d.starts[l], len(d.src)
	if l+1 < len(d.starts) {
		to = d.starts[l+1] - 1
	}
	if to > from && d.src[to-1] == '\r' {
		to--
	}
	return from, to
}

// fault returns an error at an offset.
func (d *document) fault(off int, hr uint32, section, message, hint string) *Error {
	return &Error{
		Pos: d.pos(off), HResult: hr, Section: section, Message: clip(message), Hint: clip(hint), Source: d.excerpt(off, len(d.src), 0),
	}
}

// clip shortens a message that quotes too much.
func clip(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + masked
}

// fault returns an error at the place.
func (p place) fault(hr uint32, section, message, hint string) *Error {
	if p.doc == nil {
		return &Error{HResult: hr, Section: section, Message: message, Hint: hint}
	}
	return p.doc.fault(p.off, hr, section, message, hint)
}
