package urlrewrite

import (
	"fmt"
	"io/fs"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// conditions are what must hold beside a rule's pattern.
type conditions struct {
	any      bool // one is enough
	trackAll bool
	list     []condition
}

type condition struct {
	input   template
	test    string // Pattern, IsFile or IsDirectory
	pattern pattern
	negate  bool
}

// compileConditions compiles conditions in the pattern syntax of their rule.
func compileConditions(entries []conditionConfig, grouping string, trackAll bool, syntax string) (conditions, *config.Error) {
	c := conditions{any: grouping == matchAny, trackAll: trackAll}
	for _, e := range entries {
		one := condition{test: e.Type, negate: e.Negate}
		input := e.Input
		if input == "" && e.Type != typePattern {
			input = "{REQUEST_FILENAME}" // the default of IIS
		}
		var err error
		if one.input, err = parseTemplate(input); err == nil && e.Type == typePattern {
			one.pattern, err = newPattern(e.Pattern, syntax, e.IgnoreCase)
		}
		if err != nil {
			return c, malformed(e.At, fmt.Errorf("condition: %w", err))
		}
		c.list = append(c.list, one)
	}
	return c, nil
}

// met reports whether the conditions hold, and leaves what they captured in the scope.
func (c *conditions) met(s *scope, step *Step) (bool, error) {
	for i := range c.list {
		held, err := c.list[i].held(s, c.trackAll, step)
		if err != nil {
			return false, err
		}
		if held == c.any {
			return c.any, nil // decided
		}
	}
	return !c.any || len(c.list) == 0, nil
}

func (c *condition) held(s *scope, trackAll bool, step *Step) (bool, error) {
	input, err := s.expand(&c.input)
	if err != nil {
		return false, err
	}
	var groups captures
	var found bool
	switch c.test {
	case typePattern:
		if groups, found, err = c.pattern.match(input, &s.budget); err != nil {
			return false, err
		}
	default:
		found = s.exists(input, c.test == typeDirectory)
	}
	if found && groups != nil && !c.negate {
		if trackAll && len(s.condition) > 0 {
			// {C:0} stays that of the first condition that matched; the groups are counted on.
			s.condition = append(s.condition[:len(s.condition):len(s.condition)], groups[1:]...)
		} else {
			s.condition = groups
		}
	}
	held := found != c.negate
	if step != nil {
		step.Conditions = append(step.Conditions, Condition{
			Input: c.input.written, Value: input, Test: c.test, Pattern: c.pattern.written, Negate: c.negate, Met: held,
		})
	}
	return held, nil
}

// exists reports whether a path on disk is a file or a folder of the site.
func (s *subject) exists(disk string, folder bool) bool {
	url, ok := s.lookUp(disk)
	if !ok {
		return false
	}
	info, err := s.q.Files.Stat(url)
	if err != nil {
		return false
	}
	if folder {
		return info.IsDir()
	}
	return info.Mode()&fs.ModeType == 0
}
