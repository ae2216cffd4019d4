package edit

import (
	"fmt"
	"strings"
)

// Override says in a location tag whether lower levels may contain a section: "Allow" or "Deny". The section moves
// there with what is written of it; location is "" for the level of the file. A location tag that holds other sections
// as well is left to them.
func (d *Document) Override(location, section, mode string) error {
	p := d.Place(location, section)
	if !d.Has(p) {
		return d.Ensure(d.overriding(location, section, mode))
	}
	tag := d.lookup(p)
	alone := true
	for tag.parent != nil && tag.parent != d.root {
		tag = tag.parent
		alone = alone && len(tag.kids) == 1
	}
	if tag.name == "location" {
		if old := tag.attr(attrOverrideMode); old != nil && old.value == mode {
			return nil
		}
		if alone {
			return d.setMode(tag, mode)
		}
	}
	return d.move(p, d.overriding(location, section, mode))
}

// overriding is the place of a section in a location tag with that mode and nothing else.
func (d *Document) overriding(location, section, mode string) Path {
	if location == "" {
		location = "."
	}
	tag := locationStep(location)
	tag.Keys = append(tag.Keys, Key{Name: attrOverrideMode, Value: mode}, Key{Name: attrAllowOverride, Absent: true}, Key{Name: attrInherit, Absent: true})
	return Path{tag}.Then(Elements(section)...)
}

// setMode sets the mode of a location tag in whichever spelling it has.
func (d *Document) setMode(tag *node, mode string) error {
	if old := tag.attr(attrAllowOverride); old != nil {
		return d.splice(old.valStart, old.valStop, map[string]string{"Allow": "true", "Deny": "false"}[mode])
	}
	if old := tag.attr(attrOverrideMode); old != nil {
		return d.splice(old.valStart, old.valStop, mode)
	}
	at, quote := tag.nameEnd, d.quote(tag)
	if len(tag.attrs) > 0 {
		at = tag.attrs[len(tag.attrs)-1].valStop + 1
	}
	return d.splice(at, at, fmt.Sprintf(" %s=%c%s%c", attrOverrideMode, quote, mode, quote))
}

// move takes an element to another path, whose last element must not exist.
func (d *Document) move(from, to Path) error {
	n := d.lookup(from)
	text := d.lines(n)
	if err := d.cut(n); err != nil {
		return err
	}
	if err := d.prune(from[:len(from)-1], true); err != nil {
		return err
	}
	outer, inner := to[:len(to)-1], to[len(to)-1]
	at, left := d.root.find(outer)
	if len(left) == 0 {
		return d.insert(at, inner.Name, text)
	}
	lines, err := d.render(left)
	if err != nil {
		return err
	}
	// The innermost element of a rendered path closes itself: that line becomes three.
	i := len(left) - 1
	pad := lines[i][:strings.IndexByte(lines[i], '<')]
	open := strings.TrimSuffix(lines[i], d.style.selfClose) + ">"
	middle := block{open}
	for _, l := range text {
		if l != "" {
			l = pad + d.style.unit + l
		}
		middle = append(middle, l)
	}
	middle = append(middle, pad+"</"+left[i].Name+">")
	return d.insert(at, left[0].Name, append(append(lines[:i:i], middle...), lines[i+1:]...))
}

// lines returns the text of an element as a block.
func (d *Document) lines(n *node) block {
	indent, _ := d.indent(n.start)
	var lines block
	for l := range strings.SplitSeq(string(d.src[n.start:n.end]), "\n") {
		lines = append(lines, strings.TrimPrefix(strings.TrimSuffix(l, "\r"), indent))
	}
	return lines
}
