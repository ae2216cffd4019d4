package config

import (
	"cmp"
	"maps"
	"path"
	"path/filepath"
	"slices"
)

// Inspect reads one configuration file by itself, as CheckFile does, and tells what becomes of every element and
// attribute in it under the schema, in the order of the file. <configuration> and the groups around sections are
// structure and not told, nor is what lies in sections that the schema does not own. Every fault that CheckFile finds is
// a finding, apart from sections that are only known: those are unsupported or need a feature.
func Inspect(path string, schema *Schema) []Finding {
	f, fault := bindFile(path, schema)
	if fault != nil {
		return []Finding{faultFinding(fault)}
	}
	uses := f.usesByNode() // before configSource is followed
	errs, remarks := f.checkAlone()
	return inspect(f, uses, errs, remarks)
}

// Inspect tells what becomes of the web.config at a path, as the function Inspect does, below what the server level and
// the folders above it say: locks and inherited entries count. The folder is that of a URL of a declared site, or else
// root is taken for the folder of a site with nothing of its own; path lies in it. Faults of the files above are not told.
func (t *Tree) Inspect(root, path string) []Finding {
	r, url := t.place(root, filepath.Dir(path))
	levels := t.below(r, url)
	var errs []*Error
	var remarks []remark
	for _, l := range levels {
		errs = append(errs, l.errs...)
		remarks = append(remarks, l.eff.examine(len(l.errs) > 0)...)
	}
	raw, _, err := readFile(path)
	if err != nil {
		return []Finding{faultFinding(unreadable(path, err))}
	}
	doc, fault := parse(path, raw, t.o.Schema)
	if fault != nil {
		return []Finding{faultFinding(fault)}
	}
	f := bind(doc, false, false, levels[0].declared)
	uses := f.usesByNode()
	files := map[string]bool{path: true}
	for _, s := range f.include() {
		files[s.path] = true
	}
	errs = slices.DeleteFunc(unique(errs), func(e *Error) bool { return !files[e.Pos.File] })
	sortErrors(errs)
	return inspect(f, uses, errs, remarks)
}

// sortErrors puts errors in the order of a file.
func sortErrors(errs []*Error) {
	slices.SortStableFunc(errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
}

// below returns the level of a URL path and those of the location tags below it.
func (t *Tree) below(r *siteRoot, url string) []*level {
	l, _ := t.walk(r, url, nil)
	levels := []*level{l}
	for _, deeper := range slices.Sorted(maps.Keys(l.pending)) {
		if under(deeper, fold(url)) {
			inner, _ := t.walk(r, deeper, nil)
			levels = append(levels, inner)
		}
	}
	return levels
}

// place returns the site and the URL path of a folder: of a declared site that holds it, else of one whose folder is root.
func (t *Tree) place(root, dir string) (*siteRoot, string) {
	for _, s := range t.sites {
		r := t.root(s.Name)
		for _, a := range r.apps {
			for _, v := range a.vdirs {
				if rel, err := filepath.Rel(v.dir, dir); err == nil && filepath.IsLocal(rel) {
					return r, path.Join(v.url, filepath.ToSlash(rel))
				}
			}
		}
	}
	site := &siteRoot{base: t.base.copy(), apps: []appRoot{{url: "/", vdirs: []vdirRoot{{url: "/", dir: root, subConfig: true}}}}}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		rel = "."
	}
	return site, path.Join("/", filepath.ToSlash(rel))
}

func faultFinding(e *Error) Finding {
	return Finding{Pos: e.Pos, Kind: OfPlace, Name: e.Section, Section: e.Section, Verdict: Faulty, Reason: e.Message, Fault: e, Parent: -1}
}

// usesByNode returns the indices of the uses by the element that they are.
func (f *file) usesByNode() map[*node]int {
	uses := map[*node]int{}
	for i := range f.uses {
		if f.uses[i].n != nil {
			uses[f.uses[i].n] = i
		}
	}
	return uses
}

// inspect tells what becomes of a file with those faults, and with what the owners of sections say of it.
func inspect(f *file, uses map[*node]int, errs []*Error, remarks []remark) []Finding {
	x := &inspector{f: f, uses: uses, at: map[Pos]*Error{}, told: map[telling]bool{}, examined: map[*Error]bool{}, judged: map[Pos]Judgement{}}
	for _, r := range remarks {
		if e := r.fault(); e != nil && x.f.holds(r.at.doc) {
			x.examined[e] = true
			errs = append(errs, e)
		} else if at := r.at.pos(); e == nil && x.judged[at] == (Judgement{}) {
			x.judged[at] = r.Judgement
		}
	}
	errs = unique(errs)
	sortErrors(errs)
	for _, e := range errs {
		if x.at[e.Pos] == nil {
			x.at[e.Pos] = e
		}
	}
	if f.doc.root.name == "configuration" {
		x.group(f.doc.root, "", -1)
	}
	for _, e := range errs {
		if !x.told[tellingOf(e)] {
			x.add(faultFinding(e))
		}
	}
	for i := range x.out {
		x.out[i].Examined = x.examined[x.out[i].Fault]
	}
	return x.out
}

// holds reports whether a document is the file or one that it includes.
func (f *file) holds(d *document) bool {
	return d == nil || d.file == f.doc.file || slices.ContainsFunc(f.uses, func(u use) bool { return u.n != nil && u.n.doc.file == d.file })
}

// An inspector walks a document beside its declarations.
type inspector struct {
	f    *file
	uses map[*node]int  // by the element in the file, before configSource is followed
	at   map[Pos]*Error // the first fault of each place
	told map[telling]bool
	out  []Finding

	examined map[*Error]bool   // faults that an Examine has found
	judged   map[Pos]Judgement // what an Examine says of elements and attributes
}

// A telling is what makes two errors the same to a reader.
type telling struct {
	pos     Pos
	message string
}

func tellingOf(e *Error) telling { return telling{e.Pos, e.Message} }

// An inner is what the elements of a section have in common.
type inner struct {
	section string
	path    string
	parent  int
	verdict Verdict // of everything in it, unless it is Honoured
	reason  string
	feature bool // a Judge named the feature that the element is for: what its attributes do is that feature's business
}

// add notes a finding, as a fault when there is one at its place. It returns its index.
func (x *inspector) add(fd Finding) int {
	if e := x.at[fd.Pos]; e != nil && !x.told[tellingOf(e)] {
		x.told[tellingOf(e)] = true
		fd.Verdict, fd.Reason, fd.Feature, fd.Fault = Faulty, e.Message, "", e
	}
	x.out = append(x.out, fd)
	return len(x.out) - 1
}

// group walks the elements that may be sections.
func (x *inspector) group(n *node, path string, parent int) {
	for _, k := range n.kids {
		switch {
		case path == "" && k.name == "configSections":
			x.add(Finding{Pos: k.place().pos(), Kind: OfElement, Name: k.name, Verdict: Honoured, Parent: parent})
		case path == "" && k.name == "location":
			x.location(k)
		default:
			x.child(k, join(path, k.name), parent)
		}
	}
}

func (x *inspector) location(n *node) {
	i := x.add(Finding{Pos: n.place().pos(), Kind: OfLocation, Name: "location", Verdict: Honoured, Parent: -1})
	refused := x.out[i].Verdict == Faulty
	for _, a := range n.attrs {
		j := x.add(Finding{Pos: place{n.doc, a.start}.pos(), Kind: OfAttribute, Name: "location/@" + a.name, Verdict: Honoured, Parent: i})
		refused = refused || x.out[j].Verdict == Faulty
	}
	if !refused { // else nothing in it was looked at
		x.group(n, "", i)
	}
}

// child looks at an element that is a section or a group. It decides as (*file).element does.
func (x *inspector) child(n *node, path string, parent int) {
	s := x.f.doc.schema
	fd := Finding{Pos: n.place().pos(), Kind: OfSection, Name: path, Section: path, Parent: parent}
	if s.section(path) != nil {
		x.section(n, fd)
		return
	}
	known, isKnown := s.knownAt(path)
	switch {
	case s.isGroup(path), !isKnown && x.f.declared.group(path):
		x.group(n, path, parent)
		return
	case isKnown && known.Ignored:
		fd.Verdict, fd.Reason = Ignored, known.Reason
	case isKnown && known.harmless(n, path) != "":
		fd.Verdict, fd.Reason = WithoutEffect, known.harmless(n, path)
	case isKnown && x.at[fd.Pos] == nil:
		fd.Verdict, fd.Reason = Ignored, "it is empty"
	case isKnown:
		x.told[tellingOf(x.at[fd.Pos])] = true // that it is not usable is no fault of the file
		fd.Verdict, fd.Reason, fd.Feature = NeedsFeature, known.Title, known.Feature
		if known.Reason != "" {
			fd.Verdict, fd.Reason = Unsupported, known.Reason
		}
	case x.f.declared.section(path):
		fd.Verdict, fd.Reason = Ignored, "it is declared in configSections, for the application"
	default:
		fd.Verdict, fd.Reason = Faulty, "it was not looked at: the file has too many faults"
	}
	x.add(fd)
}

// section looks at a section of the schema; fd is what is known of it so far.
func (x *inspector) section(n *node, fd Finding) {
	use, bound := x.uses[n]
	if !bound { // its location tag or the file is refused
		fd.Verdict, fd.Reason = Faulty, "it was not looked at: the file has too many faults"
		x.add(fd)
		return
	}
	u := &x.f.uses[use]
	if e := u.fault; e != nil { // the section as a whole is refused
		x.told[tellingOf(e)] = true
		fd.Verdict, fd.Reason, fd.Fault = Faulty, e.Message, e
		x.add(fd)
		return
	}
	in := inner{section: fd.Section, path: fd.Name, parent: fd.Parent}
	i, in := x.element(n, &u.sec.root, in, fd)
	if u.n != n { // configSource: what counts is in the other file
		in.parent = i
		x.content(u.n, &u.sec.root, in)
	}
}

// element looks at an element and all in it. It returns the index of its finding and what its content has in common.
func (x *inspector) element(n *node, decl *elementDecl, in inner, fd Finding) (int, inner) {
	fd.Verdict, fd.Reason = in.verdictOf()
	switch {
	case fd.Verdict != Honoured:
	case decl.NoEffect != "":
		fd.Verdict, fd.Reason = WithoutEffect, decl.NoEffect
	case decl.Judge != nil:
		fd.judge(decl.Judge(decl.written(n)))
	}
	if j, ok := x.judged[fd.Pos]; ok && fd.Verdict == Honoured && fd.Feature == "" {
		fd.judge(j)
	}
	in.verdict, in.reason, in.feature = fd.Verdict, fd.Reason, fd.Feature != ""
	if fd.Verdict == Honoured {
		in.reason = "" // a note is about the element itself
	}
	i := x.add(fd)
	in.parent = i
	if e := x.out[i].Fault; e == nil || e.HResult != HResultDuplicate { // a second one is not looked into
		x.content(n, decl, in)
	}
	return i, in
}

// verdictOf returns the verdict of what stands in it.
func (in inner) verdictOf() (Verdict, string) {
	if in.verdict == "" {
		return Honoured, ""
	}
	return in.verdict, in.reason
}

// judge takes over what a Judge says.
func (fd *Finding) judge(j Judgement) {
	switch {
	case j.Unsupported != "":
		fd.Verdict, fd.Reason = Unsupported, j.Unsupported
	case j.NoEffect != "":
		fd.Verdict, fd.Reason = WithoutEffect, j.NoEffect
	default:
		fd.Feature, fd.Reason = j.Feature, j.Note
	}
}

// written returns the attributes of an element as a Judge asks for them.
func (d *elementDecl) written(n *node) func(name string) string {
	return func(name string) string {
		if a, ok := n.attr(name); ok {
			return a.value
		}
		if i, ok := d.attrs[name]; ok {
			return d.defaults[i].text
		}
		return ""
	}
}

// content looks at the attributes and children of an element.
func (x *inspector) content(n *node, decl *elementDecl, in inner) {
	x.attributes(n, decl, in, true)
	for _, k := range n.kids {
		sub := in
		sub.path = join(in.path, k.name)
		fd := Finding{Pos: k.place().pos(), Kind: OfElement, Name: sub.path, Section: in.section, Parent: in.parent}
		c := decl.Collection
		switch i, ok := decl.elems[k.name]; {
		case ok:
			x.element(k, decl.kids[i], sub, fd)
		case c != nil && k.name == c.Add.Name:
			x.element(k, decl.add, sub, fd)
		case c != nil && k.name != "" && (k.name == c.Remove || k.name == c.Clear):
			fd.Verdict, fd.Reason = in.verdictOf()
			sub.parent = x.add(fd)
			x.attributes(k, decl.add, sub, false)
		default:
			fd.Verdict, fd.Reason = Faulty, "it was not looked at: the file has too many faults"
			x.add(fd)
		}
	}
}

// attributes looks at the attributes of an element; own is false for those that only name an entry to remove.
func (x *inspector) attributes(n *node, decl *elementDecl, in inner, own bool) {
	for _, a := range n.attrs {
		fd := Finding{
			Pos: place{n.doc, a.start}.pos(), Kind: OfAttribute, Name: in.path + "/@" + a.name, Section: in.section,
			Parent: in.parent,
		}
		fd.Verdict, fd.Reason = in.verdictOf()
		if i, ok := decl.attrs[a.name]; ok && own && fd.Verdict == Honoured && !in.feature {
			if why := decl.Attributes[i].NoEffect; why != "" && !decl.isDefault(i, a.value) {
				fd.Verdict, fd.Reason = WithoutEffect, why
			}
		}
		if j, ok := x.judged[fd.Pos]; ok && fd.Verdict == Honoured {
			fd.judge(j)
		}
		x.add(fd)
	}
}

// isDefault reports whether a written value is the default of the attribute: nothing is lost when such a one has no effect.
func (d *elementDecl) isDefault(i int, written string) bool {
	v, err := d.Attributes[i].parse(written)
	return err == nil && v.text == d.defaults[i].text
}
