package edit

import (
	"maps"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// Validate returns the faults that a text would bring to a configuration in place of a file: those that the tree has with
// it and not without it. The file may be applicationHost.config or a web.config, also one that does not exist yet. The
// sites are those whose folders are looked through.
func Validate(o config.Options, file string, text []byte, sites ...string) []*config.Error {
	had := map[fault]int{}
	for _, e := range faults(o, sites) {
		had[faultOf(e)]++
	}
	o.Instead = maps.Clone(o.Instead)
	if o.Instead == nil {
		o.Instead = map[string][]byte{}
	}
	o.Instead[file] = text
	var brought []*config.Error
	for _, e := range faults(o, sites) {
		if had[faultOf(e)]--; had[faultOf(e)] < 0 {
			brought = append(brought, e)
		}
	}
	return brought
}

// A fault is what makes two faults the same although the text between them has moved.
type fault struct{ file, section, message string }

// faultOf leaves numbers out: messages name lines, which move.
func faultOf(e *config.Error) fault {
	message := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, e.Message)
	return fault{e.Pos.File, e.Section, message}
}

// faults returns everything that is wrong with the server level and the sites.
func faults(o config.Options, sites []string) []*config.Error {
	t, err := config.Open(o)
	if err != nil {
		if e, ok := err.(*config.Error); ok {
			return []*config.Error{e}
		}
		return []*config.Error{{Message: err.Error()}}
	}
	var all []*config.Error
	if _, err := t.Server(); err != nil {
		if e, ok := err.(*config.Error); ok {
			all = append(all, e)
		}
	}
	for _, name := range sites {
		all = append(all, t.CheckSite(name)...)
	}
	return all
}
