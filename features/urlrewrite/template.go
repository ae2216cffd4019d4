package urlrewrite

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxNesting is how deep functions and maps may stand in one another.
const maxNesting = 16

// The kinds of the parts of a template.
type partKind string

const (
	partLiteral   partKind = "literal"
	partVariable  partKind = "variable"
	partRule      partKind = "R"
	partCondition partKind = "C"
	partLower     partKind = "ToLower"
	partEncode    partKind = "UrlEncode"
	partDecode    partKind = "UrlDecode"
	partHTML      partKind = "HtmlEncode"
	partMap       partKind = "map"
)

// A template is a text with {VARIABLE}, {R:1}, {C:1}, {ToLower:...} and {MapName:key} in it.
type template struct {
	written string
	parts   []part
}

type part struct {
	kind partKind
	text string // the literal, or the name of the variable or map, in the case that look-ups want
	n    int    // which group
	arg  []part // of a function or map
}

// parseTemplate reads a template. A brace that closes nothing stands for itself; real files have some.
func parseTemplate(written string) (template, error) {
	parts, err := parseParts(written, 0)
	if err != nil {
		return template{}, fmt.Errorf("%q cannot be read: %w", written, err)
	}
	return template{written, parts}, nil
}

// prefix returns the literal text that the template begins with.
func (t *template) prefix() string {
	if len(t.parts) > 0 && t.parts[0].kind == partLiteral {
		return t.parts[0].text
	}
	return ""
}

func parseParts(s string, depth int) ([]part, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("its braces are nested deeper than %d", maxNesting)
	}
	var parts []part
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			return append(parts, part{kind: partLiteral, text: s}), nil
		}
		if open > 0 {
			parts = append(parts, part{kind: partLiteral, text: s[:open]})
		}
		end := closing(s[open:])
		if end < 0 {
			return nil, errors.New(`a "{" is never closed`)
		}
		p, err := parseReference(s[open+1:open+end], depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
		s = s[open+end+1:]
	}
	return parts, nil
}

// closing returns where the brace at the beginning of s is closed, -1 when nowhere.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// parseReference reads what stands between two braces. A name that no variable has is a variable without value:
// {REQUEST_URL} and {{REQUEST_FILENAME}} are found in real files, and IIS serves them.
func parseReference(s string, depth int) (part, error) {
	name, arg, ok := strings.Cut(s, ":")
	if !ok || strings.ContainsAny(name, "{}") {
		return part{kind: partVariable, text: strings.ToUpper(s)}, nil
	}
	p := part{}
	switch strings.ToLower(name) {
	case "r", "c":
		p.kind = partRule
		if strings.EqualFold(name, "c") {
			p.kind = partCondition
		}
		n, err := strconv.ParseUint(arg, 10, 7)
		if err != nil {
			return p, fmt.Errorf("{%s} needs the number of a group, as in {%s:1}", s, name)
		}
		p.n = int(n)
		return p, nil
	case "tolower":
		p.kind = partLower
	case "urlencode":
		p.kind = partEncode
	case "urldecode":
		p.kind = partDecode
	case "htmlencode":
		p.kind = partHTML
	default:
		p.kind, p.text = partMap, strings.ToLower(name)
	}
	var err error
	p.arg, err = parseParts(arg, depth+1)
	return p, err
}
