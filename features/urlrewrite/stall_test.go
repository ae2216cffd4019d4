package urlrewrite

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// What a request may match in these tests, and what it may take on a busy machine. The real budget is longer.
const (
	shortTime = 100 * time.Millisecond
	slowest   = 3 * time.Second
)

func TestBudget(t *testing.T) {
	b := &budget{}
	if !b.spend(freeWork) || !b.until.IsZero() {
		t.Error("the clock is looked at too early")
	}
	if before := time.Now(); !b.spend(1) || b.until.Before(before.Add(maxMatching)) {
		t.Errorf("%+v", b)
	}
	if b.until = time.Now(); b.spend(1) {
		t.Error("there is no end")
	}
}

// expensive are patterns that take long in proportion to the text, and nothing more than that.
func expensive() []string {
	return []string{`((a?){30}){30}b`, `(a|b|[ab]c){1000}x`, `(x?.?){999}y`, `(.*a){100}`}
}

// TestLargePatternsCannotStall takes the worst rules through long URLs: an answer comes in time, and where it took too long
// it is the failure of the rule.
func TestLargePatternsCannotStall(t *testing.T) {
	conditions := func(e *ruleConfig, n int) *ruleConfig {
		for range n {
			e.Conditions.Entries = append(e.Conditions.Entries, conditionConfig{Input: "{URL}", Type: typePattern, Pattern: expensive()[0], Negate: true})
		}
		return e
	}
	rules := map[string]*ruleConfig{
		"wildcard":               fuzzed(strings.Repeat("*a", 500), "{URL}", "*", "/hit", actionRewrite, syntaxWildcard),
		"wildcard in conditions": fuzzed("*", "{URL}{URL}", strings.Repeat("?*", 300)+"!", "/hit", actionRewrite, syntaxWildcard),
		"many conditions":        conditions(fuzzed("", "{URL}", ".*", "/hit", actionRewrite, syntaxECMAScript), 200),
		"map":                    fuzzed("(.*)", "{m:{URL}}{m:{m:{R:1}}}", expensive()[1], "/hit", actionRewrite, syntaxECMAScript),
	}
	for i, p := range expensive() {
		rules[fmt.Sprint("expression ", i)] = fuzzed(p, "{URL}", p, "/hit", actionRewrite, syntaxECMAScript)
	}
	maps := &mapsConfig{}
	maps.index = map[string]*rewriteMap{"m": {values: map[string]string{}, fallback: strings.Repeat("a", maxExpanded/4)}}
	maps.once.Do(func() {})
	refused := false
	for name, e := range rules {
		r, ce := e.compile(false)
		if ce != nil {
			t.Fatal(name, ce)
		}
		start := time.Now()
		w := &walker{subject: request("/"+strings.Repeat("a", 15<<10), "q="+strings.Repeat("a", 15<<10)), section: sectionRules, maps: maps}
		w.budget.until = time.Now().Add(shortTime)
		for range 20 { // as if the file had the rule often
			if w.apply(r); w.verdict.failure != nil {
				break
			}
		}
		if d := time.Since(start); d > slowest {
			t.Errorf("%s took %v", name, d)
		}
		f := w.verdict.failure
		refused = refused || f != nil
		if f != nil && (f.Status != http.StatusInternalServerError || f.SubStatus != 50 || !strings.Contains(f.Summary, "write a narrower pattern")) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if !refused {
		t.Error("nothing took long: the patterns are no longer expensive")
	}
}

// TestLargeBodiesCannotStall does the same for outbound rules. The searches for "a.*z" go to the end of the body from every
// a, and an engine of linear time is quadratic in their number.
func TestLargeBodiesCannotStall(t *testing.T) {
	for _, p := range append(expensive(), `(?s)a.*z|a`, `\b(a|\W)*z|^a|a`, strings.Repeat(`(a*)`, 100)+"z") {
		for _, tags := range [][]string{nil, {"A"}} {
			e := outRuleConfig{Name: "r", On: true, Syntax: syntaxECMAScript}
			e.Match.Filter, e.Match.Pattern = tags, p
			e.Action.Type, e.Action.Value, e.Action.Replace = actionRewrite, "{R:0}", true
			r, ce := (&outboundConfig{}).compileRule(&e)
			if ce != nil {
				t.Fatal(p, ce)
			}
			body := strings.Repeat("a", maxBody)
			if tags != nil {
				body = strings.Repeat(`<a href="`+strings.Repeat("a", 1000)+`">`, maxBody/1011)
			}
			o := &outWalker{subject: request("/", ""), maps: &mapsConfig{}}
			o.budget.until = time.Now().Add(shortTime)
			start := time.Now()
			_, err := o.changeBody(body, []*outRule{r}, true)
			if d := time.Since(start); d > slowest {
				t.Errorf("%s %v took %v", p, tags, d)
			}
			if err != nil && err != errOfTime {
				t.Errorf("%s: %v", p, err)
			}
		}
	}
}

// A value that becomes longer in every tag does not make a body without end.
func TestTagsStayBounded(t *testing.T) {
	long := strings.Repeat("x", maxExpanded)
	_, err := rewriteTags(strings.Repeat(`<a href=y>`, 1000), func(_, _, _ string) (string, error) { return long, nil })
	if err != errBody {
		t.Errorf("%v", err)
	}
}

// FuzzSearch holds the searches that look at the clock to what package regexp finds.
func FuzzSearch(f *testing.F) {
	for _, c := range [][2]string{{"a*", "baac"}, {`^a|b`, "aab"}, {`\bx|y$`, "x xy\xff x"}, {"", "añb"}, {`(a)|(b)`, "ab"}, {`(?i)ſ|\B`, "Ss\n"}, {`(?m)^.*$`, "a\nb"}} {
		f.Add(c[0], c[1], 3)
	}
	f.Fuzz(func(t *testing.T, expr, text string, most int) {
		s, err := newSearch(expr, true)
		if err != nil || len(text) > 1000 || !utf8.ValidString(expr) {
			return
		}
		if most <= 0 {
			most = -1
		}
		want := s.re.FindAllStringSubmatchIndex(text, most)
		for _, work := range []int{0, freeWork} { // the second is timed from the first search on
			var got [][]int
			timed := *s
			timed.cost += work
			if err := timed.all(text, most, &budget{}, func(at []int) error { got = append(got, at); return nil }); err != nil {
				t.Skip(err)
			}
			if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("%q in %q: %v, package regexp %v", expr, text, got, want)
			}
		}
	})
}
