package state

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// locate fills in the line and column of a value ("feature[2].file[0].path") or, when the file does not have it, of
// the nearest table around it. The decoder gives positions only for its own errors, not for ours.
func locate(data []byte, e *FormatError, where string) *FormatError {
	positions := positions(data)
	for where != "" {
		if p, ok := positions[where]; ok {
			e.Line, e.Column = p.Line, p.Column
			return e
		}
		where = where[:max(strings.LastIndexByte(where, '.'), 0)]
	}
	return e
}

// positions returns where the values and tables of a file are. Inline tables are not looked into.
func positions(data []byte) map[string]unstable.Position {
	found := make(map[string]unstable.Position)
	counts := make(map[string]int) // elements so far of each array of tables
	table := ""
	var p unstable.Parser
	p.Reset(data)
	for p.NextExpression() {
		expr := p.Expression()
		var key []string
		var at unstable.Range
		for it := expr.Key(); it.Next(); {
			if at.Length == 0 {
				at = it.Node().Raw
			}
			key = append(key, string(it.Node().Data))
		}
		if len(key) == 0 {
			continue
		}
		name := strings.Join(key, ".")
		switch expr.Kind {
		case unstable.ArrayTable:
			// The file of a feature belongs to the last feature seen.
			parent := indexed(key[:len(key)-1], counts)
			path := parent + key[len(key)-1]
			table = fmt.Sprintf("%s[%d]", path, counts[path])
			counts[path]++
			name = table
		case unstable.Table:
			table = indexed(key[:len(key)-1], counts) + key[len(key)-1]
			name = table
		default:
			if table != "" {
				name = table + "." + name
			}
		}
		found[name] = p.Shape(at).Start
	}
	return found
}

// indexed returns the path of a table with the numbers of the current elements: "feature[2]."
func indexed(key []string, counts map[string]int) string {
	path := ""
	for _, k := range key {
		path += k
		if n := counts[path]; n > 0 {
			path = fmt.Sprintf("%s[%d]", path, n-1)
		}
		path += "."
	}
	return path
}
