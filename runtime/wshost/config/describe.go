package config

// View is a section as it counts for a URL, for people: every value with its origin. Secrets are masked.
type View struct {
	Section string
	Written bool // somewhere; else everything is a default
	// Denied tells that files of lower levels may not contain the section, and DeniedBy where that was said; the zero
	// Pos is the declaration of the section.
	Denied   bool
	DeniedBy Pos
	Root     ElementView
}

// ElementView is an element of a View.
type ElementView struct {
	Name       string
	Pos        Pos // where it was last written; the zero Pos for one that nobody wrote
	NoEffect   string
	Attributes []AttributeView // as declared, then those that the declaration does not name
	Elements   []ElementView   // as declared
	Entries    []ElementView   // of the collection, in the order that counts
	Locks      []LockView
}

// AttributeView is an attribute of a View.
type AttributeView struct {
	Name     string
	Value    string // masked for a secret
	Written  bool   // else Value is the default
	Pos      Pos    // where it was written
	Secret   bool
	NoEffect string
}

// LockView is a fine-grained lock on an element: for files of lower levels than the one that set it.
type LockView struct {
	Kind   string   // "attributes", "elements" or "item": the element as a whole
	Except bool     // the names are those that stay free
	Names  []string // "*" is all
	Pos    Pos      // where it was set; the zero Pos is the declaration of the section
}

// Sections returns the paths of the usable sections, sorted.
func (e *Effective) Sections() []string {
	var paths []string
	for _, sec := range e.schema.Sections() {
		paths = append(paths, sec.Path)
	}
	return paths
}

// Describe returns a section with the origin of everything in it, or false when the schema has no such section.
func (e *Effective) Describe(section string) (View, bool) {
	st := e.state(section)
	if st == nil {
		return View{}, false
	}
	return View{
		Section: section, Written: st.written, Denied: st.mode.deny, DeniedBy: st.mode.at.pos(), Root: st.root.view(st.root.decl),
	}, true
}

// view describes an element, which is nil when nobody wrote it.
func (e *element) view(decl *elementDecl) ElementView {
	if e == nil {
		e = newElement(decl)
	}
	v := ElementView{Name: decl.Name, Pos: e.at.pos(), NoEffect: decl.NoEffect}
	for i := range decl.Attributes {
		a, at := &decl.Attributes[i], e.get(i)
		av := AttributeView{Name: a.Name, Value: at.text, Written: at.set, Secret: a.Secret, NoEffect: a.NoEffect}
		if at.set {
			av.Pos = at.at.pos()
		}
		if a.Secret && at.text != "" {
			av.Value = masked
		}
		v.Attributes = append(v.Attributes, av)
	}
	for _, x := range e.extra {
		v.Attributes = append(v.Attributes, AttributeView{Name: x.name, Value: x.value, Written: true, Pos: e.at.pos()})
	}
	for i, kid := range decl.kids {
		v.Elements = append(v.Elements, e.kids[i].view(kid))
	}
	for _, item := range e.items {
		v.Entries = append(v.Entries, item.view(decl.add))
	}
	for i := range e.locks {
		v.Locks = append(v.Locks, e.locks[i].view())
	}
	return v
}

func (l *lock) view() LockView {
	kind := "attributes"
	switch l.kind {
	case lockElems:
		kind = "elements"
	case lockWhole:
		kind = "item"
	}
	return LockView{Kind: kind, Except: l.except, Names: l.names, Pos: l.at.pos()}
}
