package urlrewrite

import (
	"fmt"
	"strings"
)

// A rewriteMap is a table that templates look values up in.
type rewriteMap struct {
	values   map[string]string
	fold     bool
	fallback string
}

// find looks a key up in a map, which is named in lower case.
func (c *mapsConfig) find(name, key string) (string, error) {
	c.once.Do(c.compile)
	m, ok := c.index[name]
	if !ok {
		return "", fmt.Errorf("there is no rewrite map %q: add it to <rewriteMaps>", name)
	}
	if m.fold {
		key = strings.ToLower(key)
	}
	if v, ok := m.values[key]; ok {
		return v, nil
	}
	return m.fallback, nil
}

// names returns the names of the maps.
func (c *mapsConfig) names() []string {
	var names []string
	for _, e := range c.Entries {
		names = append(names, e.Name)
	}
	return names
}

func (c *mapsConfig) compile() {
	c.index = make(map[string]*rewriteMap, len(c.Entries))
	for _, e := range c.Entries {
		m := &rewriteMap{values: make(map[string]string, len(e.Entries)), fold: e.IgnoreCase, fallback: e.Default}
		for _, kv := range e.Entries {
			k := kv.Key
			if m.fold {
				k = strings.ToLower(k)
			}
			if _, earlier := m.values[k]; !earlier {
				m.values[k] = kv.Value
			}
		}
		c.index[strings.ToLower(e.Name)] = m
	}
}
