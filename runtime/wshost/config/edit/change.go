package edit

import (
	"bytes"
	"fmt"
	"strings"
)

// Set gives an attribute a value, and makes the element when it is not there yet.
func (d *Document) Set(p Path, name, value string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, err := escape(value, '"'); err != nil {
		return err
	}
	if err := d.Ensure(p); err != nil {
		return err
	}
	n := d.lookup(p)
	if a := n.attr(name); a != nil {
		if a.value == value {
			return nil
		}
		text, err := escape(value, d.src[a.valStop])
		if err != nil {
			return err
		}
		return d.splice(a.valStart, a.valStop, text)
	}
	quote := d.quote(n)
	text, err := escape(value, quote)
	if err != nil {
		return err
	}
	text = fmt.Sprintf("%s=%c%s%c", name, quote, text, quote)
	if len(n.attrs) == 0 {
		return d.splice(n.nameEnd, n.nameEnd, " "+text)
	}
	last := n.attrs[len(n.attrs)-1]
	before := " "
	if indent, own := d.indent(last.start); own { // one attribute on each line
		before = d.style.lineEnd + indent
	}
	return d.splice(last.valStop+1, last.valStop+1, before+text)
}

// Ensure makes the element of a path, with what is missing of those around it. Keys become attributes.
func (d *Document) Ensure(p Path) error {
	at, left := d.root.find(p)
	if len(left) == 0 {
		return nil
	}
	text, err := d.render(left)
	if err != nil {
		return err
	}
	return d.insert(at, left[0].Name, text)
}

// Add makes a new element behind those like it, even when there is one that is equal.
func (d *Document) Add(parent Path, s Step) error { return d.add(parent, s, s.Name) }

// First makes a new element before everything else in its parent.
func (d *Document) First(parent Path, s Step) error {
	text, err := d.render(Path{s})
	if err != nil {
		return err
	}
	if err := d.Ensure(parent); err != nil {
		return err
	}
	at := d.lookup(parent)
	if len(at.kids) == 0 {
		return d.insert(at, "", text)
	}
	first := at.kids[0].start
	indent, own := d.indent(first)
	if !own {
		return d.splice(first, first, text[0])
	}
	return d.splice(first, first, text[0]+d.style.lineEnd+indent)
}

// Append makes a new element behind everything that its parent holds: the entries of a collection take effect in the
// order of the file.
func (d *Document) Append(parent Path, s Step) error { return d.add(parent, s, "") }

func (d *Document) add(parent Path, s Step, behind string) error {
	text, err := d.render(Path{s})
	if err != nil {
		return err
	}
	if err := d.Ensure(parent); err != nil {
		return err
	}
	return d.insert(d.lookup(parent), behind, text)
}

// block is text of one element on lines of its own, the first without its indentation and the others with only what
// they have beyond it.
type block []string

// render writes the elements of a path, each in the one before.
func (d *Document) render(p Path) (block, error) {
	if err := checkName(p[0].Name); err != nil {
		return nil, err
	}
	tag := "<" + p[0].Name
	quote := d.style.quote
	for _, k := range p[0].Keys {
		if k.Absent || k.Default != "" && k.matches(&node{}) {
			continue
		}
		if err := checkName(k.Name); err != nil {
			return nil, err
		}
		value, err := escape(k.Value, quote)
		if err != nil {
			return nil, err
		}
		tag += fmt.Sprintf(" %s=%c%s%c", k.Name, quote, value, quote)
	}
	if len(p) == 1 {
		return block{tag + d.style.selfClose}, nil
	}
	inner, err := d.render(p[1:])
	if err != nil {
		return nil, err
	}
	lines := block{tag + ">"}
	for _, l := range inner {
		lines = append(lines, d.style.unit+l)
	}
	return append(lines, "</"+p[0].Name+">"), nil
}

// insert puts a block into an element: behind its last child of the same name, else behind everything in it.
func (d *Document) insert(at *node, name string, lines block) error {
	if at.close < 0 {
		return d.unfold(at, lines)
	}
	outer, own := d.indent(at.start)
	after := at.content
	for _, k := range at.kids {
		if k.name == name {
			after = d.restOfLine(k.end, at.content)
		}
	}
	inner := outer + d.style.unit
	if len(at.kids) > 0 {
		last := at.kids[len(at.kids)-1]
		if inner, own = d.indent(last.start); !own {
			return d.splice(after, after, strings.Join(trimmed(lines), ""))
		}
	}
	if !own && at != d.root {
		return d.splice(after, after, strings.Join(trimmed(lines), ""))
	}
	text := d.joined(lines, inner)
	if !bytes.ContainsRune(d.src[after:at.close], '\n') {
		text += d.style.lineEnd + outer
	}
	return d.splice(after, after, text)
}

// unfold gives an element that closes itself content and an end tag.
func (d *Document) unfold(at *node, lines block) error {
	tag := bytes.TrimRight(d.src[at.start:at.open-2], " \t\r\n")
	outer, own := d.indent(at.start)
	text := strings.Join(trimmed(lines), "")
	if own {
		text = d.joined(lines, outer+d.style.unit) + d.style.lineEnd + outer
	}
	return d.splice(at.start, at.end, string(tag)+">"+text+"</"+at.name+">")
}

// joined puts each line on one of its own with an indentation, a line end before the first.
func (d *Document) joined(lines block, indent string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(d.style.lineEnd)
		if l != "" {
			b.WriteString(indent + l)
		}
	}
	return b.String()
}

func trimmed(lines block) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = strings.TrimLeft(l, " \t")
	}
	return out
}

// restOfLine returns the end of what stands behind an offset on its line when that is comments only: they belong to
// what is before them.
func (d *Document) restOfLine(off, limit int) int {
	end := limit
	if i := bytes.IndexByte(d.src[off:limit], '\n'); i >= 0 {
		end = off + i
	}
	rest := bytes.TrimSpace(d.src[off:end])
	if len(rest) == 0 || !bytes.HasPrefix(rest, []byte("<!--")) || !bytes.HasSuffix(rest, []byte("-->")) || bytes.Count(rest, []byte("<!--")) != 1 {
		return off
	}
	return off + bytes.LastIndexByte(d.src[off:end], '>') + 1
}
