package config

import (
	"fmt"
	"strings"
)

// A merger lays the elements of one file over the merged state of the files above. It collects every fault and goes
// on, leaving out what is at fault.
type merger struct {
	sec     *sectionDecl
	level   int // of the file: 0 for the server, then 1 plus the depth of the folder
	dropIn  bool
	appHost string
	site    string // whose URLs are merged, "" for the server level
	loc     string // path of the location tag that is merged, as written
	getenv  func(string) string
	errs    []*Error
}

func (m *merger) malformed(at place, message, hint string) {
	m.fault(at, HResultMalformed, message, hint)
}

// fault records a fault, unless there are so many that nobody reads them: the first ones already refuse the section.
func (m *merger) fault(at place, hr uint32, message, hint string) {
	if len(m.errs) < maxFaults {
		m.errs = append(m.errs, at.fault(hr, m.sec.Path, message, hint))
	}
}

// element merges n over base, which may be nil.
func (m *merger) element(base *element, decl *elementDecl, n *node) *element {
	e := newElement(decl)
	if base != nil {
		e = base.clone()
	}
	e.at, e.level, e.loc = n.place(), m.level, m.loc
	if n.text >= 0 {
		m.malformed(place{n.doc, n.text}, fmt.Sprintf("there is text inside <%s>", n.name), "delete the text, or make it a comment")
	}
	if l := base.locked(lockWhole, "", m.level); l != nil {
		m.lockedAt(n.place(), l, fmt.Sprintf("<%s>", n.name))
		return e
	}
	prepend := decl.Collection != nil && decl.Collection.Prepend
	for _, a := range n.attrs {
		switch {
		case isLockAttribute(a.name):
		case a.name == attrMergeAppend && decl.Collection != nil:
			v, err := (&Attribute{Type: Bool}).parse(a.value)
			if err != nil {
				m.malformed(place{n.doc, a.start}, fmt.Sprintf("mergeAppend=%q %v", a.value, err), "")
			}
			prepend = v.num == 0
		default:
			m.attribute(base, e, n, a)
		}
	}
	for i := range decl.Attributes {
		if a := &decl.Attributes[i]; a.Required && !e.vals[i].set {
			if _, tried := n.attr(a.Name); !tried {
				m.malformed(n.place(), fmt.Sprintf("<%s> needs the attribute %q", n.name, a.Name), fmt.Sprintf(`write %s="..."`, a.Name))
			}
		}
	}
	m.children(base, e, n, prepend)
	for _, a := range n.attrs {
		if isLockAttribute(a.name) {
			m.readLock(e, n, a)
		}
	}
	return e
}

func (m *merger) attribute(base, e *element, n *node, a attr) {
	at := place{n.doc, a.start}
	i, ok := e.decl.attrs[a.name]
	if !ok && !e.decl.AllowUnrecognizedAttributes {
		m.malformed(at, fmt.Sprintf("<%s> has no attribute %q%s", n.name, a.name, didYouMean(a.name, e.decl.attributeNames())), transformHint(a.name))
		return
	}
	if l := base.locked(lockAttrs, a.name, m.level); l != nil {
		m.lockedAt(at, l, fmt.Sprintf("attribute %q of <%s>", a.name, n.name))
		return
	}
	if !ok {
		e.setExtra(a)
		return
	}
	v, ok := m.value(&e.decl.Attributes[i], a.value, at)
	if ok {
		e.vals[i] = v
	}
}

func (e *element) setExtra(a attr) {
	kept := make([]attr, 0, len(e.extra)+1)
	for _, old := range e.extra {
		if old.name != a.name {
			kept = append(kept, old)
		}
	}
	e.extra = append(kept, a)
}

// value expands, parses and checks a written value.
func (m *merger) value(a *Attribute, written string, at place) (value, bool) {
	shown := written
	if a.Secret {
		shown = masked
	}
	if a.Expanded {
		written = expand(written, m.getenv)
	}
	v, err := a.parse(written)
	if err == nil && a.Check != nil {
		err = a.Check(written)
	}
	if err != nil {
		m.malformed(at, fmt.Sprintf("%s=%q: %v", a.Name, shown, err), "")
		return value{}, false
	}
	v.set, v.at = true, at
	return v, true
}

// expand replaces %NAME% by the environment. An unknown name stays as it is, as on Windows.
func expand(s string, getenv func(string) string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			return b.String() + s
		}
		j := strings.IndexByte(s[i+1:], '%')
		if j < 0 {
			return b.String() + s
		}
		name := s[i+1 : i+1+j]
		if v := getenv(name); name != "" && v != "" {
			b.WriteString(s[:i] + v)
			s = s[i+j+2:]
			continue
		}
		b.WriteString(s[:i+1+j])
		s = s[i+1+j:]
	}
}

func (m *merger) children(base, e *element, n *node, prepend bool) {
	seen := make([]bool, len(e.decl.kids))
	var c *collector
	for _, k := range n.kids {
		if len(m.errs) >= maxFaults {
			break
		}
		if l := base.locked(lockElems, k.name, m.level); l != nil {
			m.lockedAt(k.place(), l, fmt.Sprintf("element <%s> of <%s>", k.name, n.name))
			continue
		}
		if i, ok := e.decl.elems[k.name]; ok {
			if seen[i] {
				m.fault(k.place(), HResultDuplicate, fmt.Sprintf("<%s> appears twice in <%s>", k.name, n.name), "join the two")
				continue
			}
			seen[i] = true
			e.kids[i] = m.element(e.kids[i], e.decl.kids[i], k)
			continue
		}
		if c == nil && e.decl.Collection != nil {
			c = newCollector(m, e)
		}
		if c == nil || !c.directive(k) {
			near, hint := didYouMean(k.name, e.decl.childNames()), ""
			switch c := e.decl.Collection; {
			case near != "":
			case k.name == "add" && c != nil:
				hint = fmt.Sprintf("the entries of <%s> are written <%s>", n.name, c.Add.Name)
			default:
				hint = n.doc.schema.home(k.name)
			}
			m.malformed(k.place(), fmt.Sprintf("<%s> has no element <%s>%s", n.name, k.name, near), hint)
		}
	}
	if c != nil {
		e.items = c.result(prepend)
	}
}
