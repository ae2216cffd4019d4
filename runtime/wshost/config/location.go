package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A location is a location tag.
type location struct {
	written   string
	path      string // folded, relative to the file, without slashes at its ends; "" for the level of the file
	mode      OverrideMode
	modeAt    place
	noInherit bool // inheritInChildApplications="false"
}

// location reads the attributes of a location tag. It returns nil after a fault.
func (f *file) location(n *node) *location {
	loc := &location{mode: Inherit, modeAt: n.place()}
	before := len(f.faults)
	fault := func(off int, message, hint string) { f.fault(off, "", message, hint) }
	for _, a := range n.attrs {
		truth := strings.EqualFold(a.value, "true")
		if (a.name == "allowOverride" || a.name == "inheritInChildApplications") && !truth && !strings.EqualFold(a.value, "false") {
			fault(a.start, fmt.Sprintf("%s=%q", a.name, a.value), "it must be true or false")
		}
		switch a.name {
		case "path":
			loc.written = a.value
			path, problem := locationPath(a.value, f.server)
			if problem != "" {
				fault(a.start, fmt.Sprintf("the path %q of the location tag %s", a.value, problem), f.pathHint())
			}
			loc.path = path
		case "overrideMode":
			loc.mode, loc.modeAt = OverrideMode(a.value), place{f.doc, a.start}
			if loc.mode != Inherit && loc.mode != Allow && loc.mode != Deny {
				fault(a.start, fmt.Sprintf("overrideMode=%q", a.value), "it must be Inherit, Allow or Deny")
			}
			if old, both := n.attr("allowOverride"); both {
				fault(max(a.start, old.start), "a location tag with both overrideMode and allowOverride", "keep overrideMode; allowOverride is its older spelling")
			}
		case "allowOverride":
			loc.modeAt = place{f.doc, a.start}
			loc.mode = Deny
			if truth {
				loc.mode = Allow
			}
		case "inheritInChildApplications":
			loc.noInherit = !truth
		default:
			fault(a.start, fmt.Sprintf("a location tag has no attribute %q%s", a.name,
				didYouMean(a.name, []string{"path", "overrideMode", "allowOverride", "inheritInChildApplications"})), transformHint(a.name))
		}
	}
	if len(f.faults) > before {
		return nil
	}
	return loc
}

func (f *file) pathHint() string {
	if f.server {
		return `write "Site name", "Site name/folder" or "." for every site`
	}
	return `write it relative to the folder of this file: "folder/file.htm", or "." for the folder itself`
}

// locationPath folds the path of a location tag, or says what is wrong with it.
func locationPath(written string, server bool) (path, problem string) {
	if written == "." || written == "" {
		return "", ""
	}
	switch {
	case len(written) > maxPath/2:
		return "", "is too long"
	case strings.HasPrefix(written, "/"):
		return "", `begins with "/"`
	case strings.ContainsAny(written, "\\\x00"):
		return "", `contains "\"`
	case strings.ContainsAny(written, "?*") && !server:
		return "", `contains "?" or "*"`
	}
	path = strings.TrimSuffix(written, "/")
	for _, segment := range strings.Split(path, "/") {
		switch segment {
		case "":
			return "", `has an empty part`
		case ".", "..":
			return "", fmt.Sprintf("contains %q", segment)
		}
	}
	return fold(path), ""
}

// fold makes names and URL paths comparable: IIS compares them without regard to case. Two strings have the same folded
// form when strings.EqualFold says so; strings.ToLower alone tells forms such as the two small sigmas apart.
func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(foldRune, s)
		}
	}
	return strings.ToLower(s)
}

// foldRune returns the first of the characters that differ only in case, or an ASCII letter's lower case.
func foldRune(r rune) rune {
	if r >= utf8.RuneSelf {
		for first := r; ; {
			if first = unicode.SimpleFold(first); first <= r {
				r = first // SimpleFold goes up, and from the last to the first
				break
			}
		}
	}
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}
