package main

import (
	"fmt"
	"io"
	"strings"
)

// fewEntries is how many entries of a list that features brought are shown where everything is. Those of people are
// shown all.
const fewEntries = 12

// writeConfigShow prints the sections. Where all of them are asked for, those that nobody wrote are only named, and of
// long lists that features brought the first entries are shown.
func writeConfigShow(w io.Writer, r configShow, whole bool) {
	fmt.Fprintf(w, "Site %q, path %s", r.Site, r.Path)
	if r.Physical != "" {
		fmt.Fprintf(w, ", on disk %s", r.Physical)
	}
	fmt.Fprintln(w)
	p := configPrinter{w: w, whole: whole}
	var defaults []string
	for _, s := range r.Sections {
		if !s.Written && !whole {
			defaults = append(defaults, s.Section)
			continue
		}
		fmt.Fprintf(w, "\n%s", s.Section)
		if s.Feature != "" {
			fmt.Fprintf(w, "  (%s)", s.Feature)
		}
		fmt.Fprintln(w)
		if s.Locked {
			fmt.Fprintf(w, "  locked for files of lower levels: %s\n", s.LockAt)
		}
		p.content(*s.Element, "  ")
	}
	if len(defaults) > 0 {
		fmt.Fprintf(w, "\nWritten nowhere, with their defaults: %s\n", strings.Join(defaults, ", "))
	}
}

// A configPrinter prints elements.
type configPrinter struct {
	w     io.Writer
	whole bool
}

// line prints a text with its origin in a column of its own.
func (p configPrinter) line(text string, origin originShow, noEffect string) {
	if noEffect != "" {
		noEffect = "  without effect: " + noEffect
	}
	fmt.Fprintf(p.w, "%s  %s%s\n", pad(text, 56), origin, noEffect)
}

func (p configPrinter) content(e elementShow, indent string) {
	for _, a := range e.Attributes {
		p.line(fmt.Sprintf("%s%s = %q", indent, a.Name, a.Value), a.Origin, a.NoEffect)
	}
	p.locks(e, indent)
	for _, k := range e.Elements {
		p.line(fmt.Sprintf("%s<%s>", indent, k.Name), k.Origin, k.NoEffect)
		p.content(k, indent+"  ")
	}
	brought, cut := 0, 0
	for _, k := range e.Entries {
		if strings.HasPrefix(k.Origin.File, "config/features.d/") {
			if brought++; brought > fewEntries && !p.whole {
				cut++
				continue
			}
		}
		p.entry(k, indent)
	}
	if cut > 0 {
		fmt.Fprintf(p.w, "%s... and %d more that features brought; --section shows them all\n", indent, cut)
	}
}

// entry prints an entry of a list in one line: what is written in it, for what is not is the same in all.
func (p configPrinter) entry(e elementShow, indent string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s<%s", indent, e.Name)
	for _, a := range e.Attributes {
		if a.Origin.File != "default" {
			fmt.Fprintf(&b, " %s=%q", a.Name, a.Value)
		}
	}
	p.line(b.String()+">", e.Origin, e.NoEffect)
	p.locks(e, indent+"  ")
	for _, k := range e.Elements {
		if k.Origin.File == "default" {
			continue
		}
		p.line(fmt.Sprintf("%s  <%s>", indent, k.Name), k.Origin, k.NoEffect)
		p.content(k, indent+"    ")
	}
	for _, k := range e.Entries {
		p.entry(k, indent+"  ")
	}
}

func (p configPrinter) locks(e elementShow, indent string) {
	for _, l := range e.Locks {
		what := l.Kind + " " + strings.Join(l.Names, ", ")
		switch {
		case l.Kind == "item":
			what = "this"
		case l.Except:
			what = "all " + l.Kind + " but " + strings.Join(l.Names, ", ")
		}
		p.line(fmt.Sprintf("%slocked for lower levels: %s", indent, what), l.Origin, "")
	}
}
