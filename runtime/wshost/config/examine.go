package config

import (
	"cmp"
	"slices"
)

// A remark is a Remark with its place in a document.
type remark struct {
	Remark
	section string
	at      place
}

// fault returns the fault that the remark tells, nil when it tells none.
func (r remark) fault() *Error {
	if r.Fault == "" {
		return nil
	}
	return r.at.fault(HResultMalformed, r.section, r.Fault, r.Hint)
}

// examine asks the owners of the sections that are written what they think of them.
func (e *Effective) examine(alone bool) []remark {
	var out []remark
	for _, st := range e.sections {
		if st.sec.Examine == nil || !st.written {
			continue
		}
		said := st.sec.Examine(e, alone)
		if len(said) == 0 {
			continue
		}
		places := map[Pos]*element{}
		st.root.eachWritten(func(el *element) { places[el.at.pos()] = el })
		for _, r := range said {
			if el := places[r.At]; el != nil {
				out = append(out, remark{r, st.sec.Path, el.placeOf(r.Attribute)})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b remark) int {
		p, q := a.at.pos(), b.at.pos()
		return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
	})
	return out
}

// Refused returns the faults that the owners of sections answer the requests of the URL with 500.19 for, in the order of
// the files' names and then of places.
func (e *Effective) Refused() []*Error {
	return faultsOf(e.examine(false))
}

// Remarks returns what the owners of sections say of what is written for the URL, in the order of Refused. At of each is the
// place of its attribute, when it is about one that is written.
func (e *Effective) Remarks() []Remark {
	var out []Remark
	for _, r := range e.examine(false) {
		r.At = r.at.pos()
		out = append(out, r.Remark)
	}
	return out
}

// faultsOf returns the faults among remarks.
func faultsOf(remarks []remark) []*Error {
	var errs []*Error
	for _, r := range remarks {
		if e := r.fault(); e != nil {
			errs = append(errs, e)
		}
	}
	return errs
}

// eachWritten visits the element and all in it that a file has written.
func (e *element) eachWritten(visit func(*element)) {
	if e == nil || e.at.doc == nil {
		return
	}
	visit(e)
	for _, k := range e.kids {
		k.eachWritten(visit)
	}
	for _, item := range e.items {
		item.eachWritten(visit)
	}
}

// placeOf returns the place of an attribute, or of the element when it is not written there.
func (e *element) placeOf(attribute string) place {
	if i, ok := e.decl.attrs[attribute]; ok && e.vals[i].at.doc != nil {
		return e.vals[i].at
	}
	return e.at
}
