package config

import (
	"slices"
	"strings"
)

// An element is the merged state of an element. It is immutable once its section is merged: merging a deeper file
// copies what it changes.
type element struct {
	decl   *elementDecl
	vals   []value    // by attribute of the declaration
	kids   []*element // by child element of the declaration; nil when never written
	items  []*element // entries of the collection
	extra  []attr     // unrecognised attributes, where the declaration allows them
	locks  []lock
	key    string // of an entry
	at     place  // where it was last written
	level  int    // of the file that last wrote it: 0 for the server
	loc    string // path of the location tag that last wrote it, as written; "" for the level of the file
	dropIn bool   // an entry that a drop-in has added
}

func newElement(decl *elementDecl) *element {
	return &element{decl: decl, vals: make([]value, len(decl.Attributes)), kids: make([]*element, len(decl.kids))}
}

func (e *element) clone() *element {
	c := *e
	c.vals, c.kids = slices.Clone(e.vals), slices.Clone(e.kids)
	return &c
}

// get returns the value of an attribute, or its default.
func (e *element) get(i int) value {
	if e != nil && e.vals[i].set {
		return e.vals[i]
	}
	return e.decl.defaults[i]
}

// makeKey returns what identifies an entry: its key attributes in canonical form, folded unless case matters.
func (e *element) makeKey() string {
	if len(e.decl.keys) == 1 {
		return e.keyPart(e.decl.keys[0])
	}
	parts := make([]string, len(e.decl.keys))
	for i, k := range e.decl.keys {
		parts[i] = e.keyPart(k)
	}
	return strings.Join(parts, "\x00")
}

func (e *element) keyPart(i int) string {
	text := e.get(i).text
	if e.decl.Attributes[i].CaseSensitive {
		return text
	}
	return fold(text)
}

// describe names an entry for people: `fileExtension=".json"`.
func (e *element) describe() string {
	var parts []string
	for _, k := range e.decl.keys {
		if a := &e.decl.Attributes[k]; !a.Secret {
			parts = append(parts, a.Name+`="`+e.get(k).text+`"`)
		}
	}
	return strings.Join(parts, " ")
}

// equal reports whether two elements hold the same values.
func (e *element) equal(o *element) bool {
	if e == nil || o == nil {
		return e == o
	}
	if len(e.items) != len(o.items) || len(e.extra) != len(o.extra) {
		return false
	}
	for i := range e.vals {
		same := e.get(i).text == o.get(i).text
		if !same && !(e.decl.Attributes[i].Key && e.keyPart(i) == o.keyPart(i)) {
			return false
		}
	}
	for i := range e.kids {
		if !e.kids[i].equal(o.kids[i]) {
			return false
		}
	}
	for i := range e.items {
		if !e.items[i].equal(o.items[i]) {
			return false
		}
	}
	return slices.EqualFunc(e.extra, o.extra, func(a, b attr) bool { return a.name == b.name && a.value == b.value })
}
