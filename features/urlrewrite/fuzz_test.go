package urlrewrite

import (
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// noFiles are the files of a site that has none.
type noFiles struct{}

func (noFiles) Open(string) (*os.File, error)    { return nil, fs.ErrNotExist }
func (noFiles) Stat(string) (fs.FileInfo, error) { return nil, fs.ErrNotExist }
func (noFiles) Physical(urlPath string) string   { return "/srv" + strings.TrimSuffix(urlPath, "/") }
func request(path, query string) *subject {
	r := &http.Request{Method: "GET", Host: "www.example.com", Proto: "HTTP/1.1", Header: http.Header{"Cookie": {"a=b"}}, URL: &url.URL{Path: path, RawQuery: query}}
	return newSubject(r, &module.Request{Files: noFiles{}})
}

// fuzzed makes a rule of texts.
func fuzzed(match, input, pattern, target, kind, syntax string) *ruleConfig {
	e := &ruleConfig{Name: "r", On: true, Syntax: syntax}
	e.Match.URL, e.Match.IgnoreCase = match, true
	e.Conditions.Grouping, e.Conditions.TrackAll = matchAll, true
	e.Conditions.Entries = []conditionConfig{
		{Input: input, Type: typePattern, Pattern: pattern, IgnoreCase: true}, {Input: input, Type: typeFile, Negate: true},
	}
	e.Action.Type, e.Action.URL, e.Action.AppendQuery, e.Action.Redirect = kind, target, true, redirectFound
	return e
}

// FuzzRules holds any rule that compiles to ending quickly, and to what leaves it being a path, a query string or a
// Location that can stand in a header.
func FuzzRules(f *testing.F) {
	f.Add("^(.*)$", "{URL}", ".*", "/x/{R:1}?{C:1}", "/a/b", "q=1", false, byte(0))
	f.Add("(a+)+$", "{ToLower:{QUERY_STRING}}", "(x*)*y", "{UrlEncode:{R:0}}", "/"+strings.Repeat("a", 40)+"!", strings.Repeat("x", 40), true, byte(0))
	f.Add("*/*", "{m:{R:1}}", "?*", "../{R:1}", "/a/b", "", false, byte(1))
	f.Add("a", "{{URL}}", "{", "//{UNENCODED_URL}", "/a", "\r\n", true, byte(2))
	f.Add(`[^]\u0041\cA[]`, "{", `[[:alpha:]]\`, "http://{HTTP_HOST}/{R:0}#x", "/%41?", "%zz", true, byte(0))
	f.Add("", "{R:99}", "(?i)", `\\{UrlDecode:%5c%0a}`, "//", "", true, byte(0))
	f.Fuzz(func(t *testing.T, match, input, pattern, target, path, query string, redirect bool, syntax byte) {
		kind := actionRewrite
		if redirect {
			kind = actionRedirect
		}
		e := fuzzed(match, input, pattern, target, kind, [...]string{syntaxECMAScript, syntaxWildcard, syntaxExact}[syntax%3])
		r, ce := e.compile(false)
		if ce != nil {
			return
		}
		p, problem := clean(path, "/")
		if problem != "" || len(path) > 4096 || len(query) > 2048 {
			return
		}
		query = escapeUnsafe(query, `"<>#`) // net/http takes no white space in a request line
		start := time.Now()
		w := &walker{subject: request(p, query), section: sectionRules, maps: &mapsConfig{}, verdict: verdict{kind: actionNone}, trace: &Trace{}}
		w.apply(r)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("took %v", d)
		}
		if !strings.HasPrefix(w.path, "/") || strings.Contains(w.path, "/../") || strings.ContainsAny(w.path, "\x00\r\n") {
			t.Errorf("path %q", w.path)
		}
		if w.verdict.kind == actionRewrite && w.verdict.failure == nil {
			if _, err := url.ParseRequestURI(w.path); !strings.ContainsAny(w.path, "%?") && err != nil {
				t.Errorf("path %q: %v", w.path, err)
			}
			if strings.ContainsAny(w.query, "\r\n \"<>#") {
				t.Errorf("query %q", w.query)
			}
		}
		if l := w.verdict.url; w.verdict.kind == actionRedirect {
			for i := range len(l) {
				if l[i] <= ' ' || l[i] >= 0x7f || l[i] == '\\' {
					t.Fatalf("Location %q", l)
				}
			}
			if _, _, absolute := cutScheme(l); !absolute && !strings.HasPrefix(target, "//") && (strings.HasPrefix(l, "//") || !strings.HasPrefix(l, "/")) {
				t.Errorf("Location %q of the target %q", l, target)
			}
		}
	})
}

// FuzzTags holds the reader of HTML to giving back what it was given when nothing is changed, and to ending.
func FuzzTags(f *testing.F) {
	for _, s := range []string{`<a href="x">`, `<a href=x/><b`, `<!-- <a href=x> --><script src=a>"</a>"</script>`, `<a href='`, `< a href="x">`, `<a =x ==y ">`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		calls := 0
		same, err := rewriteTags(doc, func(_, _, v string) (string, error) { calls++; return v, nil })
		if err != nil || same != doc {
			t.Errorf("%q became %q, %v", doc, same, err)
		}
		if calls > len(doc) {
			t.Errorf("%d attributes in %d bytes", calls, len(doc))
		}
		again := 0
		changed, _ := rewriteTags(doc, func(_, _, v string) (string, error) { return v + `"'>`, nil })
		if _, err := rewriteTags(changed, func(_, _, v string) (string, error) { again++; return v, nil }); err != nil || again != calls {
			t.Errorf("%q has %d attributes, %q has %d", doc, calls, changed, again)
		}
	})
}

// Patterns that make other engines try every way to split the text take no longer here than others.
func TestCatastrophicPatterns(t *testing.T) {
	for _, p := range []string{`^(a+)+$`, `^(a|a)*$`, `^(a|aa)+$`, `(.*a){25}`, `^([a-z]+.?)+/$`} {
		r, ce := fuzzed(p, "{URL}", "(x+x+)+y", "/hit", actionRewrite, syntaxECMAScript).compile(false)
		if ce != nil {
			t.Fatal(ce)
		}
		start := time.Now()
		w := &walker{subject: request("/"+strings.Repeat("a", 4000)+"!", ""), section: sectionRules, maps: &mapsConfig{}}
		w.apply(r)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s took %v", p, d)
		}
	}
}

// Every name that is suggested is one that has a value.
func TestVariableNames(t *testing.T) {
	x := &examiner{}
	for _, name := range variableNames() {
		if why := x.unknown(name); why != "" {
			t.Error(why)
		}
	}
}
