package urlrewrite

import (
	"fmt"
	"io"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
	"unicode/utf8"
)

// Matching takes time linear to the text, and linear to the pattern as well: a large one on a long text takes seconds, and
// many searches in one body take a quadratic time. So what rules may spend on a request is limited.
const (
	// maxMatching is how long the rules of one request may match in all, once they have done more than freeWork.
	maxMatching = 5 * time.Second
	// freeWork is how much matching (characters times instructions) is done without looking at the clock. It is less than a
	// second's under any pattern, and more than real rules need for a URL.
	freeWork = 1 << 22
)

// A budget is what is left of the time of one request.
type budget struct {
	work  int
	until time.Time // zero until freeWork is done
}

var errOfTime = fmt.Errorf("matching takes longer than %v: write a narrower pattern", maxMatching)

// spend counts work that is about to be done, and reports whether there is time for it.
func (b *budget) spend(work int) bool {
	b.work += min(work, freeWork+1)
	return b.work <= freeWork || b.left()
}

func (b *budget) left() bool {
	now := time.Now()
	if b.until.IsZero() {
		b.until = now.Add(maxMatching)
	}
	return now.Before(b.until)
}

// A timedText hands a text out until the time is over.
type timedText struct {
	strings.Reader
	budget *budget
	since  int // characters since the clock was looked at
	over   bool
}

func (t *timedText) ReadRune() (rune, int, error) {
	if t.since++; t.since == 16 {
		t.since = 0
		t.over = t.over || !t.budget.left()
	}
	if t.over {
		return 0, 0, io.EOF
	}
	return t.Reader.ReadRune()
}

// search is a regular expression with what one look at a character of a text may cost, and the one that goes on behind a
// match.
type search struct {
	re     *regexp.Regexp
	cost   int
	needle needle
	// next finds the same behind the first character of a text, as its group 1, so that what looks back (^, \b) sees that
	// the text has begun before. It is nil where nothing looks back.
	next *regexp.Regexp
}

// newSearch compiles an expression. again is true when a text may be searched for more than the first match.
func newSearch(expr string, again bool) (*search, error) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	found := findNeedle(parsed)
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	n := len(program.Inst)
	if n > maxProgram {
		return nil, fmt.Errorf("it is too large: %d instructions of at most %d", n, maxProgram)
	}
	s := &search{cost: n * (1 + parsed.MaxCap()/4), needle: found} // an instruction carries the groups along
	if s.re, err = regexp.Compile(expr); err == nil && again && looksBack(parsed) {
		s.next, err = regexp.Compile(`\A(?s:.)(?s:.*?)(` + expr + `)`)
	}
	return s, err
}

// looksBack reports whether an expression tests what stands before it.
func looksBack(e *syntax.Regexp) bool {
	switch e.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	for _, sub := range e.Sub {
		if looksBack(sub) {
			return true
		}
	}
	return false
}

// from returns the places of the first match at or behind an offset, nil for none.
func (s *search) from(text string, off int, b *budget) ([]int, error) {
	if off == 0 && !s.needle.in(text) {
		return nil, nil
	}
	re, start := s.re, off
	if off > 0 && s.next != nil {
		_, width := utf8.DecodeLastRuneInString(text[:off])
		re, start = s.next, off-width
	}
	work := (len(text) - start + 1) * s.cost
	if !b.spend(work) {
		return nil, errOfTime
	}
	var at []int
	if work <= freeWork {
		at = re.FindStringSubmatchIndex(text[start:])
	} else {
		in := &timedText{Reader: *strings.NewReader(text[start:]), budget: b}
		if at = re.FindReaderSubmatchIndex(in); in.over {
			return nil, errOfTime
		}
	}
	if at == nil {
		return nil, nil
	}
	if re != s.re {
		at = at[2:]
	}
	for i := range at {
		if at[i] >= 0 {
			at[i] += start
		}
	}
	return at, nil
}

// all calls found with the places of every match, up to most of them, -1 for all: those that package regexp finds.
func (s *search) all(text string, most int, b *budget, found func(at []int) error) error {
	for off, n, last := 0, 0, -1; off <= len(text) && n != most; {
		at, err := s.from(text, off, b)
		if at == nil || err != nil {
			return err
		}
		again := at[1] == off && at[0] == last // an empty match just behind another is none
		if last = at[1]; at[1] == off {
			_, width := utf8.DecodeRuneInString(text[off:])
			off += max(width, 1)
		} else {
			off = at[1]
		}
		if again {
			continue
		}
		n++
		if err := found(at); err != nil {
			return err
		}
	}
	return nil
}

// groupsAt returns the groups of a match.
func groupsAt(text string, at []int) captures {
	c := make(captures, len(at)/2)
	for i := range c {
		if at[2*i] >= 0 {
			c[i] = text[at[2*i]:at[2*i+1]]
		}
	}
	return c
}
