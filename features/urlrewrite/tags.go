package urlrewrite

import (
	"slices"
	"strings"
)

// A tagFilter lists the attributes of tags, both in lower case.
type tagFilter map[string][]string

func (f tagFilter) add(tag string, attributes ...string) { f[tag] = append(f[tag], attributes...) }

func (f tagFilter) has(tag, attribute string) bool { return slices.Contains(f[tag], attribute) }

// knownTagAttributes returns the attributes that IIS looks at in a tag of filterByTags.
func knownTagAttributes(name string) []string {
	switch name {
	case "A", "Area", "Base", "Link":
		return []string{"href"}
	case "Form":
		return []string{"action"}
	case "Frame", "IFrame":
		return []string{"src", "longdesc"}
	case "Head":
		return []string{"profile"}
	case "Img":
		return []string{"src", "longdesc", "usemap"}
	case "Input":
		return []string{"src", "usemap"}
	case "Script":
		return []string{"src"}
	}
	return nil
}

// rewriteTags calls change for the value of every attribute of every start tag of an HTML document, and returns the
// document with what it gave in its place. Values are given and taken as they are written, with their character
// references. What is no tag, in comments, scripts and styles, is left alone. It goes over the text once.
func rewriteTags(doc string, change func(tag, attribute, value string) (string, error)) (string, error) {
	var b strings.Builder
	done := 0 // up to where doc has been written to b
	for i := 0; i < len(doc); {
		open := strings.IndexByte(doc[i:], '<')
		if open < 0 {
			break
		}
		i += open
		if strings.HasPrefix(doc[i:], "<!--") {
			i = after(doc, i+4, "-->")
			continue
		}
		if i++; i >= len(doc) || !isLetter(doc[i]) {
			continue
		}
		start := i
		for i < len(doc) && !isSpace(doc[i]) && doc[i] != '>' && doc[i] != '/' {
			i++
		}
		tag := strings.ToLower(doc[start:i])
		for {
			a := nextAttribute(doc, i)
			if i = a.next; a.name == "" {
				break
			}
			if a.from < 0 {
				continue // without a value
			}
			old := doc[a.from:a.to]
			value, err := change(tag, a.name, old)
			if err != nil {
				return "", err
			}
			if value != old {
				b.WriteString(doc[done:a.from])
				b.WriteString(a.quoted(value))
				if done = a.to; b.Len() > maxBody {
					return "", errBody
				}
			}
		}
		if tag == "script" || tag == "style" || tag == "textarea" || tag == "title" {
			i = rawEnd(doc, i, tag)
		}
	}
	b.WriteString(doc[done:])
	return b.String(), nil
}

// An attribute of a tag. An empty name means that the tag has ended.
type tagAttribute struct {
	name     string // in lower case
	from, to int    // of the value, without its quotes; from is -1 when there is none
	quote    byte   // 0 for a value without
	next     int    // where to go on
}

// nextAttribute reads the next attribute from i on.
func nextAttribute(doc string, i int) tagAttribute {
	for i < len(doc) && (isSpace(doc[i]) || doc[i] == '/') {
		i++
	}
	if i >= len(doc) || doc[i] == '>' {
		return tagAttribute{next: min(i+1, len(doc))}
	}
	start := i
	for i++; i < len(doc) && !isSpace(doc[i]) && doc[i] != '=' && doc[i] != '>' && doc[i] != '/'; {
		i++
	}
	a := tagAttribute{name: strings.ToLower(doc[start:i]), from: -1, next: i}
	for i < len(doc) && isSpace(doc[i]) {
		i++
	}
	if i >= len(doc) || doc[i] != '=' {
		return a
	}
	for i++; i < len(doc) && isSpace(doc[i]); {
		i++
	}
	if i < len(doc) && (doc[i] == '"' || doc[i] == '\'') {
		a.quote, a.from = doc[i], i+1
		end := strings.IndexByte(doc[a.from:], a.quote)
		if end < 0 {
			return tagAttribute{next: len(doc)} // cut off: no tag
		}
		a.to, a.next = a.from+end, a.from+end+1
		return a
	}
	a.from = i
	for i < len(doc) && !isSpace(doc[i]) && doc[i] != '>' {
		i++
	}
	a.to, a.next = i, i
	return a
}

// quoted returns a value as it may stand in the place of the old one.
func (a *tagAttribute) quoted(value string) string {
	switch a.quote {
	case '"':
		return strings.ReplaceAll(value, `"`, "&quot;")
	case '\'':
		return strings.ReplaceAll(value, `'`, "&#39;")
	}
	return `"` + strings.ReplaceAll(value, `"`, "&quot;") + `"`
}

// rawEnd returns where the text of an element ends that holds no tags.
func rawEnd(doc string, i int, tag string) int {
	for {
		end := strings.Index(doc[i:], "</")
		if end < 0 {
			return len(doc)
		}
		if i += end; len(doc) >= i+2+len(tag) && strings.EqualFold(doc[i+2:i+2+len(tag)], tag) {
			return i
		}
		i += 2
	}
}

// after returns the place behind the next occurrence of s, or the end.
func after(doc string, i int, s string) int {
	if at := strings.Index(doc[i:], s); at >= 0 {
		return i + at + len(s)
	}
	return len(doc)
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
