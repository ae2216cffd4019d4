package edit

import "bytes"

// Unset takes an attribute away and reports whether it was there. An element that says nothing any more goes with it.
func (d *Document) Unset(p Path, name string) (bool, error) {
	n := d.lookup(p)
	if n == nil {
		return false, nil
	}
	a := n.attr(name)
	if a == nil {
		return false, nil
	}
	from := len(bytes.TrimRight(d.src[:a.start], " \t\r\n"))
	if err := d.splice(from, a.valStop+1, ""); err != nil {
		return false, err
	}
	return true, d.prune(p, false)
}

// Remove takes an element away and reports whether it was there. Elements around it that say nothing any more go with
// it.
func (d *Document) Remove(p Path) (bool, error) {
	n := d.lookup(p)
	if n == nil || n == d.root {
		return false, nil
	}
	if err := d.cut(n); err != nil {
		return false, err
	}
	return true, d.prune(p[:len(p)-1], true)
}

// prune removes the elements of a path that have neither attributes nor content, from the end. A location tag that held
// something goes with the last of it. lost tells that the last element has lost a child.
func (d *Document) prune(p Path, lost bool) error {
	for ; len(p) > 0; p = p[:len(p)-1] {
		n, left := d.root.find(p)
		if len(left) > 0 {
			continue // two elements of that name were told apart by what is gone
		}
		location := len(p) == 1 && n.name == "location"
		if n.content != n.open || len(n.attrs) > 0 && !location || p[len(p)-1].Section && n.locked() {
			if lost {
				return d.fold(n)
			}
			return nil
		}
		if err := d.cut(n); err != nil {
			return err
		}
		lost = true
	}
	return nil
}

// locked reports whether an element stands in a location tag for the sake of its lock, even when it is empty.
func (n *node) locked() bool {
	for n.parent != nil && n.name != "location" {
		n = n.parent
	}
	return n.attr(attrOverrideMode) != nil || n.attr(attrAllowOverride) != nil
}

// fold lets an element without content close itself.
func (d *Document) fold(n *node) error {
	if n.close < 0 || n.content != n.open || n == d.root {
		return nil
	}
	return d.splice(n.open-1, n.end, d.style.selfClose)
}

// cut takes an element out, with its line when it has one of its own.
func (d *Document) cut(n *node) error {
	from, to := d.extent(n)
	return d.splice(from, to, "")
}

// extent returns what goes with an element: the line end and the indentation before it.
func (d *Document) extent(n *node) (from, to int) {
	from, to = n.start, n.end
	indent, own := d.indent(from)
	if !own {
		return from, to
	}
	rest := d.src[to:]
	if i := bytes.IndexByte(rest, '\n'); i < 0 || len(bytes.TrimSpace(rest[:i])) > 0 {
		return from, to // something else begins on the line
	}
	from -= len(indent)
	if from > 0 {
		from--
	}
	if from > 0 && d.src[from-1] == '\r' {
		from--
	}
	return from, to
}
