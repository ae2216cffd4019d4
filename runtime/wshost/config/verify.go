package config

import (
	"cmp"
	"maps"
	"slices"
)

// Verify says what the module of a section makes of it as it holds for a URL, where neither the declaration nor a Judge
// can tell: what only shows when several elements or sections are seen together, or when a value is compiled. The host
// never asks it; its modules refuse a request by themselves.
type Verify func(*Effective) []Remark

// Remark is what a Verify says of an element or attribute, by where it was written.
type Remark struct {
	At        Pos
	Fault     *Error    // what the module answers with 500.19; it may leave Pos and Source out
	Judgement Judgement // without a fault
}

// Verify returns what the modules of the sections make of the configuration, in the order of the files' names and then
// of places. Sections that are written nowhere are not looked at.
func (e *Effective) Verify() []Remark {
	var out []Remark
	for i, sec := range e.schema.sections {
		if sec.Verify == nil || !e.sections[i].written {
			continue
		}
		for _, r := range sec.Verify(e) {
			if r.Fault != nil {
				fault := *r.Fault
				fault.Section = cmp.Or(fault.Section, sec.Path)
				if fault.Pos.Line == 0 {
					fault.Pos = r.At
				}
				r.Fault = &fault
			}
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Remark) int {
		return cmp.Or(cmp.Compare(a.At.File, b.At.File), cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	return out
}

// faultsOf returns the faults among remarks.
func faultsOf(remarks []Remark) []*Error {
	var errs []*Error
	for _, r := range remarks {
		if r.Fault != nil {
			errs = append(errs, r.Fault)
		}
	}
	return errs
}

// withSource returns the error with the lines of the document that it is about.
func (d *document) withSource(e *Error) *Error {
	if e.Source.Lines != nil || e.Pos.File != d.file || e.Pos.Line < 1 || e.Pos.Line > len(d.starts) {
		return e
	}
	shown := *e
	shown.Source = d.excerpt(min(d.starts[e.Pos.Line-1]+max(e.Pos.Column-1, 0), len(d.src)), len(d.src), 0)
	return &shown
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

// judgements returns what remarks say of places beside faults.
func judgements(remarks []Remark) map[Pos]Judgement {
	said := map[Pos]Judgement{}
	for _, r := range remarks {
		if r.Fault == nil {
			said[r.At] = r.Judgement
		}
	}
	return said
}
