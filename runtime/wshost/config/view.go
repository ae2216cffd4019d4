package config

import "strings"

// Node is an element of a section as it holds for a URL, for people and programs that look at a configuration without
// knowing its sections beforehand.
type Node struct {
	decl *elementDecl
	e    *element
}

// NodeValue is an attribute of a Node.
type NodeValue struct {
	Attribute Attribute
	Text      string // canonical; the default when nobody set it
	Set       bool   // written somewhere
	Pos       Pos    // where, when Set
}

// Shown returns the value as it may be shown: that of a secret is masked.
func (v NodeValue) Shown() string {
	if v.Attribute.Secret && v.Text != "" {
		return masked
	}
	return v.Text
}

// Node returns the root element of a section; false when the schema does not declare it.
func (e *Effective) Node(section string) (Node, bool) {
	st := e.state(section)
	if st == nil {
		return Node{}, false
	}
	return Node{st.root.decl, st.root}, true
}

// Locked reports whether files below this level are kept from containing the section, and where that was said; the
// place is empty for the default of the section.
func (e *Effective) Locked(section string) (by Pos, locked bool) {
	st := e.state(section)
	if st == nil || !st.mode.deny {
		return Pos{}, false
	}
	return st.mode.at.pos(), true
}

// Declaration returns how the schema declares the element.
func (n Node) Declaration() Element { return *n.decl.Element }

// Written reports whether the element was written anywhere, and where last.
func (n Node) Written() (Pos, bool) {
	if n.e == nil || n.e.at.doc == nil {
		return Pos{}, false
	}
	return n.e.at.pos(), true
}

// Values returns the attributes in the order of the declaration.
func (n Node) Values() []NodeValue {
	e := n.e
	if e == nil {
		e = newElement(n.decl)
	}
	var out []NodeValue
	for i, a := range n.decl.Attributes {
		v := e.get(i)
		out = append(out, NodeValue{Attribute: a, Text: v.text, Set: v.set, Pos: v.at.pos()})
	}
	for _, a := range e.extra {
		out = append(out, NodeValue{Attribute: Attribute{Name: a.name, Type: String}, Text: a.value, Set: true, Pos: e.at.pos()})
	}
	return out
}

// Elements returns the child elements in the order of the declaration, those that nobody wrote included.
func (n Node) Elements() []Node {
	var out []Node
	for i, decl := range n.decl.kids {
		kid := Node{decl: decl}
		if n.e != nil {
			kid.e = n.e.kids[i]
		}
		out = append(out, kid)
	}
	return out
}

// Entries returns the entries of the collection in their order.
func (n Node) Entries() []Node {
	if n.e == nil {
		return nil
	}
	var out []Node
	for _, item := range n.e.items {
		out = append(out, Node{item.decl, item})
	}
	return out
}

// SectionPaths returns the paths of the sections that can be used, sorted.
func (s *Schema) SectionPaths() []string {
	var paths []string
	for _, sec := range s.Sections() {
		paths = append(paths, sec.Path)
	}
	return paths
}

// Sections returns the paths of the sections that can be used, sorted.
func (e *Effective) Sections() []string { return e.schema.SectionPaths() }

// Schema returns the declarations that the configuration was read under.
func (e *Effective) Schema() *Schema { return e.schema }

// Declaration returns the root element of a section as declared; false when the schema knows no such section.
func (s *Schema) Declaration(section string) (Element, bool) {
	sec := s.section(section)
	if sec == nil {
		return Element{}, false
	}
	return sec.Element, true
}

// KnownSection says what the schema knows of a section that cannot be used.
func (s *Schema) KnownSection(path string) (Known, bool) { return s.knownAt(path) }

// Accepts reports whether the attribute would take a value as written in a file; the error says what is allowed, in
// words that follow the value.
func (a Attribute) Accepts(written string) error {
	_, err := a.parse(written)
	if err == nil && a.Check != nil {
		err = a.Check(written)
	}
	return err
}

// ShownLines returns the lines of a file as they may be shown to people, with the values of secret attributes and of
// sections that are not this host's left out. Of a file that is not well-formed nothing is shown.
func ShownLines(src []byte, schema *Schema) []string {
	doc, fault := parse("", src, schema)
	if fault != nil {
		return nil
	}
	// Comments are shown, unlike in errors: the file is that of whoever edits it.
	doc.comments = nil
	hidden := doc.hiddenRanges()
	lines := make([]string, len(doc.starts))
	for i := range lines {
		from, to := doc.lineSpan(i)
		lines[i] = strings.ToValidUTF8(doc.show(from, to, hidden), "\uFFFD")
	}
	return lines
}

// DidYouMean returns the end of a message that suggests the nearest of names, "" when none is near.
func DidYouMean(name string, names []string) string { return didYouMean(name, names) }
