package all_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// schemaOfIIS reads what there is on Windows, by section: attributes as "element@attribute", and what collections can do as
// "element#remove".
func schemaOfIIS(t *testing.T) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("testdata/iis-attributes.txt")
	if err != nil {
		t.Fatal(err)
	}
	out, section := map[string][]string{}, ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if attribute, ok := strings.CutPrefix(line, "\t"); ok {
			out[section] = append(out[section], attribute)
		} else if !strings.HasPrefix(line, "#") {
			section = line
			out[section] = nil
		}
	}
	return out
}

// attributesBelow lists the attributes of a section that is not read, or of those in a group that is not.
func attributesBelow(iis map[string][]string, path string) string {
	var all []string
	for section, attributes := range iis {
		below, ok := strings.CutPrefix(section+"/", path+"/")
		for _, a := range attributes {
			if ok && !strings.Contains(a, "#") {
				all = append(all, "`"+strings.TrimPrefix(below+a, "@")+"`")
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestIISMapIsComplete demands that every attribute of IIS is in docs/iis-map.md: with its section, or with the reason why
// its section is not here.
func TestIISMapIsComplete(t *testing.T) {
	schema := proofSchema(t)
	declared := map[string]bool{}
	var note func(e config.Element, path string)
	note = func(e config.Element, path string) {
		for _, a := range e.Attributes {
			declared[path+"@"+a.Name] = true
		}
		for _, k := range e.Elements {
			note(k, path+"/"+k.Name)
		}
		if c := e.Collection; c != nil {
			declared[path+"#"+c.Remove], declared[path+"#"+c.Clear], declared[path+"#first"] = true, true, c.Prepend
			note(c.Add, path+"/"+c.Add.Name)
		}
	}
	usable := map[string]bool{}
	for _, s := range schema.Sections() {
		usable[s.Path] = true
		note(s.Element, s.Path)
	}
	sections, attributes := 0, 0
	for section, all := range schemaOfIIS(t) {
		sections++
		attributes += len(all)
		if !usable[section] {
			if !slices.ContainsFunc(schema.Known(), func(k config.Known) bool { return strings.HasPrefix(section+"/", k.Path+"/") }) {
				t.Errorf("%s: nothing is said of this section", section)
			}
			continue
		}
		for _, a := range all {
			at := strings.IndexAny(a, "@#")
			if id := strings.TrimSuffix(section+"/"+a[:at], "/") + a[at:]; !declared[id] {
				t.Errorf("%s is not declared", id)
			}
		}
	}
	if sections < 45 || attributes < 400 {
		t.Errorf("%d sections, %d attributes: the list is not whole", sections, attributes)
	}
}
