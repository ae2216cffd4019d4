package config

// LockView is a fine-grained lock on an element: for files of lower levels than the one that set it.
type LockView struct {
	Kind   string   // "attributes", "elements" or "item": the element as a whole
	Except bool     // the names are those that stay free
	Names  []string // "*" is all
	Pos    Pos      // where it was set; the zero Pos is the declaration of the section
}

// Locks returns the fine-grained locks on the element.
func (n Node) Locks() []LockView {
	var out []LockView
	if n.e != nil {
		for i := range n.e.locks {
			out = append(out, n.e.locks[i].view())
		}
	}
	return out
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
