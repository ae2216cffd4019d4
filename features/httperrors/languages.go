package httperrors

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Ceilings of what a client's Accept-Language can make the server look for.
const (
	maxLanguages = 8  // languages of one request that are read
	maxFolders   = 20 // folders that are tried for them
)

// candidates returns the paths to try. With a prefix the client's languages come first, then en-US, then none.
func candidates(c entry, acceptLanguage []string) []string {
	file := strings.ReplaceAll(c.Path, `\`, "/")
	if c.Prefix == "" {
		return []string{file}
	}
	prefix := strings.ReplaceAll(c.Prefix, `\`, "/")
	folders := languages(strings.Join(acceptLanguage, ","))
	if !slices.Contains(folders, "en-US") {
		folders = append(folders, "en-US")
	}
	var paths []string
	for _, tag := range append(folders, "") {
		paths = append(paths, path.Join(prefix, tag, file))
	}
	return paths
}

// languages returns the names of folders for the languages of an Accept-Language field, the best first: each as it is
// written, as it is usually written, then ever less exact (RFC 4647, section 3.4). Only letters, digits and hyphens make
// a name.
func languages(field string) []string {
	type wish struct {
		tag string
		q   float64
	}
	var wishes []wish
	for part := range strings.SplitSeq(field, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if k, v, ok := strings.Cut(strings.TrimSpace(params), "="); ok && strings.EqualFold(strings.TrimSpace(k), "q") {
			if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
				q = f
			}
		}
		if tag = strings.TrimSpace(tag); isTag(tag) && q > 0 && len(wishes) < maxLanguages { // q=0 is "not this one"
			wishes = append(wishes, wish{tag, q})
		}
	}
	slices.SortStableFunc(wishes, func(a, b wish) int { return cmp.Compare(b.q, a.q) })
	var folders []string
	for _, w := range wishes {
		for tag := w.tag; tag != ""; tag = tag[:max(0, strings.LastIndexByte(tag, '-'))] {
			for _, name := range [...]string{tag, usual(tag)} {
				if !slices.Contains(folders, name) && len(folders) < maxFolders {
					folders = append(folders, name)
				}
			}
		}
	}
	return folders
}

func isTag(tag string) bool {
	if strings.HasPrefix(tag, "-") {
		return false
	}
	bad := strings.ContainsFunc(tag, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-')
	})
	return tag != "" && !bad
}

// usual writes a tag as RFC 5646, section 2.1.1, recommends: "de-at" as "de-AT", "zh-hant" as "zh-Hant".
func usual(tag string) string {
	parts := strings.Split(strings.ToLower(tag), "-")
	for i, p := range parts {
		switch {
		case i == 0:
		case len(p) == 2:
			parts[i] = strings.ToUpper(p)
		case len(p) == 4:
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}
