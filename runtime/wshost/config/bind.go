package config

import (
	"cmp"
	"fmt"
	"strings"
)

// A file is a document whose elements have been assigned to sections. It is immutable.
type file struct {
	doc    *document
	server bool // applicationHost.config or a drop-in
	dropIn bool
	// fault makes every URL that the file concerns fail.
	faults []*Error
	// uses are the sections that the file contains, in its order.
	uses []use
	// declared are the sections and groups that <configSections> of this file and of those above names without
	// anybody knowing them.
	declared *declared
	// rules are what <configSections> says of sections of the schema; only files of the server level have them.
	rules []rule
	// own are the sections that <configSections> of this file declares without anybody knowing them.
	own   map[string]place
	count int // faults so far
}

// A use is one appearance of a section in a file.
type use struct {
	sec   *sectionDecl
	n     *node
	loc   *location // nil outside location tags
	fault *Error    // instead of sec and n: something that cannot be used
}

// path is the folded URL path that the use is for, relative to its file, "" for the level of the file.
func (u *use) path() string {
	if u.loc == nil {
		return ""
	}
	return u.loc.path
}

// bind assigns the elements of a document to sections.
func bind(doc *document, server, dropIn bool, above *declared) *file {
	f := &file{doc: doc, server: server, dropIn: dropIn, declared: above, own: map[string]place{}}
	root := doc.root
	if root.name != "configuration" {
		f.fault(root.start, "", fmt.Sprintf("the root element is <%s>", root.name), "the root element of a configuration file is <configuration>")
		return f
	}
	f.noText(root, "")
	for _, a := range root.attrs {
		if !strings.Contains(a.name, ":") {
			f.fault(a.start, "", fmt.Sprintf("<configuration> has no attribute %q", a.name), "delete the attribute")
		}
	}
	for _, n := range root.kids {
		if n.name == "configSections" {
			f.declare(n, "")
		}
	}
	for _, n := range root.kids {
		if f.count >= maxFaults {
			break
		}
		switch n.name {
		case "configSections":
		case "location":
			if loc := f.location(n); loc != nil {
				f.noText(n, "")
				f.group(n, "", loc)
			}
		default:
			f.element(n, n.name, nil)
		}
	}
	f.repeated()
	return f
}

func (f *file) fault(off int, section, message, hint string) {
	if f.tooMany() {
		return
	}
	f.faults = append(f.faults, f.doc.fault(off, HResultMalformed, section, message, hint))
}

func (f *file) noText(n *node, section string) {
	if n.text >= 0 {
		f.fault(n.text, section, fmt.Sprintf("there is text inside <%s>", n.name), "delete the text, or make it a comment")
	}
}

func (f *file) group(n *node, path string, loc *location) {
	for _, k := range n.kids {
		if f.count < maxFaults {
			f.element(k, join(path, k.name), loc)
		}
	}
}

// element assigns one element that is a section or a group of sections.
func (f *file) element(n *node, path string, loc *location) {
	s := f.doc.schema
	if sec := s.section(path); sec != nil {
		f.uses = append(f.uses, use{sec: sec, n: n, loc: loc})
		return
	}
	known, isKnown := s.knownAt(path)
	switch {
	case s.isGroup(path), !isKnown && f.declared.group(path):
		f.noText(n, path)
		for _, a := range n.attrs {
			hint := cmp.Or(transformHint(a.name), "delete the attribute")
			f.unusable(loc, f.doc.fault(a.start, HResultMalformed, path, fmt.Sprintf("the section group %q has no attribute %q", path, a.name), hint))
		}
		f.group(n, path, loc)
	case isKnown && (known.Ignored || known.harmless(n, path) != ""):
	case isKnown:
		if !f.server || len(n.attrs) > 0 || len(n.kids) > 0 {
			f.unusable(loc, notUsable(n, path, known))
		}
	case f.declared.section(path):
	default:
		f.unusable(loc, f.unknown(n, path))
	}
}

// unknown is the fault of an element that is no section.
func (f *file) unknown(n *node, path string) *Error {
	s := f.doc.schema
	parent := path[:max(0, strings.LastIndexByte(path, '/'))]
	message, hint := fmt.Sprintf("unknown section %q", path), "delete it, or install the feature that it belongs to"
	near := didYouMean(n.name, s.names(parent))
	switch {
	case path == "location", path == "configSections":
		message, hint = fmt.Sprintf("<%s> inside a location tag", n.name), "write it directly inside <configuration>"
	case near != "":
		message, hint = message+near, ""
	case parent == "":
		hint = cmp.Or(s.home(n.name), "a section of the application is declared in <configSections>; those of the web server are written inside <system.webServer>")
	default:
		hint = cmp.Or(s.home(n.name), hint)
	}
	return n.place().fault(HResultMalformed, path, message, hint)
}

// unusable records a fault that concerns only the URLs of its location tag.
func (f *file) unusable(loc *location, err *Error) {
	if !f.tooMany() {
		f.uses = append(f.uses, use{loc: loc, fault: err})
	}
}

// tooMany counts faults. One too many makes the file as a whole unusable, since the rest is not looked at.
func (f *file) tooMany() bool {
	f.count++
	if f.count == maxFaults {
		f.faults = append(f.faults, f.doc.fault(f.doc.root.start, HResultMalformed, "", "the file has too many faults to tell them all", "mend those that are told first"))
	}
	return f.count >= maxFaults
}

func notUsable(n *node, path string, k Known) *Error {
	err := n.place().fault(HResultMalformed, path, "", "")
	if k.Feature == "" {
		err.Message = fmt.Sprintf("section %q cannot be used: %s", path, k.Reason)
		err.Hint = "delete the section"
		return err
	}
	title := k.Title
	if title == "" {
		title = k.Feature
	}
	err.Feature = k.Feature
	err.Message = fmt.Sprintf("section %q belongs to the feature %q, which is not installed", path, title)
	if k.Reason != "" {
		err.Message = fmt.Sprintf("section %q belongs to the feature %q, which is not available: %s", path, title, k.Reason)
		err.Hint = "delete the section"
		return err
	}
	err.Hint = "install it with: rolemgr install " + k.Feature
	return err
}

// repeated finds sections that appear twice for the same path: bare, in a location tag of the file's own level, or in
// two location tags.
func (f *file) repeated() {
	type key struct {
		path string
		sec  int
	}
	seen := map[key]int{}
	for i := range f.uses {
		u := &f.uses[i]
		if u.fault != nil {
			continue
		}
		k := key{u.path(), u.sec.id}
		line, double := seen[k]
		if !double {
			seen[k] = f.doc.line(u.n.start) + 1
			continue
		}
		if f.tooMany() {
			return
		}
		where := "at the level of this file"
		if k.path != "" {
			where = fmt.Sprintf("for the path %q", u.loc.written)
		}
		u.fault = u.n.place().fault(HResultDuplicate, u.sec.Path,
			fmt.Sprintf("section %q appears twice %s, first in line %d", u.sec.Path, where, line), "join the two")
	}
}
