package main

import (
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/features"
)

func levelNames() []string {
	var names []string
	for _, l := range features.Levels() {
		names = append(names, string(l))
	}
	return names
}

// parseLevel reads a level as typed; "8" is "8.0".
func parseLevel(typed string) (features.Level, error) {
	if typed == "" {
		return "", nil
	}
	for _, l := range []features.Level{features.Level(typed), features.Level(typed + ".0")} {
		if l.Valid() {
			return l, nil
		}
	}
	return "", &usageError{fmt.Sprintf("unknown server level %q", typed), "the levels are " + strings.Join(levelNames(), ", ")}
}
