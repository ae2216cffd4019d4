package all_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// unset is the value of a proof that leaves the attribute, or the directive, out.
const unset = "(unset)"

// A proof shows that one attribute is honoured: the same request to two sites that differ in nothing but this attribute
// is answered differently, each time exactly as it says.
type proof struct {
	// of names the attribute below its section, "files/add@value"; "files#remove", "files#clear" and "files#first" are what
	// its collection can do.
	of string
	// in is the section with a § where the attribute stands: <staticContent><clientCache §/></staticContent>. "" is the
	// elements that lead there and nothing else. For a directive the § is the directive.
	in string
	// with and without are the values; for a directive its element.
	with, without string
	// ask is the request: its first line, or a path for GET, and fields of the header. "" is /a.txt.
	ask string
	// see is what is looked at beside the status: nothing, fields of the header, "field NAME" (is it there), "body", "has TEXT" (in
	// the body), "log" (what was logged), "lines" (how many lines) or "logs" (into which files).
	see string
	// want and otherwise are what is seen with and without.
	want, otherwise string
	// do, where a request and its answer do not show it, does something and says what happened.
	do func(*variant) string
	// atop puts the section into the location tag of applicationHost.config, where the stock locks do not hold.
	atop bool
	// beside is configuration of other sections that both have.
	beside string
	// server is configuration of other sections that only applicationHost.config may hold.
	server string
	// wait asks again until the answer is what it is to be: a file is compressed for its first visitors at some time.
	wait bool
	// by is "package Test", where only a test of its own can show it: time, chiefly. Whoever writes one has seen it fail
	// with the attribute ignored.
	by string
}

// proofs are those of one section.
type proofs struct {
	section string
	// own gives every variant a host of its own, whose applicationHost.config holds the section: for what is the server's.
	own bool
	// beside is configuration of other sections that all have.
	beside string
	cases  []proof
}

// proven are the proofs of all sections.
func proven() []proofs {
	return slices.Concat(coreProofs(), documentProofs(), errorProofs(), filterProofs(), compressionProofs(), rewriteProofs(), outboundProofs(),
		socketProofs(), siteProofs(), serverProofs(), platformProofs(), nodeProofs(), gatewayProofs(), secureProofs(), proxyProofs())
}

// TestEveryHonouredAttributeIsProven demands a proof of everything that docs/iis-map.md calls honoured or partly so.
func TestEveryHonouredAttributeIsProven(t *testing.T) {
	claimed := claims(t)
	have := map[string]bool{}
	for _, g := range proven() {
		for i := range g.cases {
			id := g.section + "/" + g.cases[i].of
			if _, ok := claimed[id]; !ok {
				t.Errorf("%s: proven, and not honoured by docs/iis-map.md", id)
			}
			have[id] = true
			if at := g.cases[i].by; at != "" && !testExists(t, at) {
				t.Errorf("%s: there is no test %q", id, at)
			}
		}
	}
	for _, id := range sortedKeys(claimed) {
		if !have[id] {
			t.Errorf("%s: docs/iis-map.md says that it is honoured, and nothing fails when it is ignored: write a proof", id)
		}
	}
	if len(claimed) < 250 {
		t.Errorf("only %d attributes are honoured: the test looks in the wrong place", len(claimed))
	}
}

func sortedKeys(m map[string]config.Attribute) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func proofSchema(t *testing.T) *config.Schema {
	t.Helper()
	cat, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	schema, err := wshost.Schema(cat.Modules(), cat.Modules(), cat.Known())
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// claims lists what is honoured: attributes, and what collections can do.
func claims(t *testing.T) map[string]config.Attribute {
	out := map[string]config.Attribute{}
	for _, s := range proofSchema(t).Sections() {
		claim(out, s.Element, s.Path+"/")
	}
	return out
}

func claim(out map[string]config.Attribute, e config.Element, path string) {
	if e.NoEffect != "" {
		return
	}
	for _, a := range e.Attributes {
		if a.NoEffect == "" {
			out[path+"@"+a.Name] = a
		}
	}
	slash := path
	if !strings.HasSuffix(path, "/") {
		slash += "/"
	}
	for _, k := range e.Elements {
		claim(out, k, slash+k.Name)
	}
	c := e.Collection
	if c == nil || c.Add.NoEffect != "" {
		return
	}
	claim(out, c.Add, slash+c.Add.Name)
	for what, has := range map[string]bool{"#remove": c.Remove != "", "#clear": c.Clear != "", "#first": c.Prepend} {
		if has {
			out[path+what] = config.Attribute{}
		}
	}
}

// testExists reports whether a package has a test: "runtime/wshost TestMaxConnections".
func testExists(t *testing.T, at string) bool {
	dir, name, _ := strings.Cut(at, " ")
	files, err := filepath.Glob(filepath.Join("../..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name {
				return true
			}
		}
	}
	return false
}

// TestProofTexts holds the proofs themselves to what they promise: two texts that differ in one attribute of one element.
func TestProofTexts(t *testing.T) {
	g := &proofs{section: "system.webServer/defaultDocument"}
	for _, c := range []struct {
		of, in, with, without string
		texts                 [2]string // none for a proof that is refused
	}{
		{"@enabled", "", "a<b", unset, [2]string{`<defaultDocument enabled="a&lt;b"/>`, `<defaultDocument />`}},
		{"files/add@value", "", "a", "b", [2]string{`<defaultDocument><files><add value="a"/></files></defaultDocument>`, `<defaultDocument><files><add value="b"/></files></defaultDocument>`}},
		{"files#clear", `<defaultDocument><files>§</files></defaultDocument>`, "<clear/>", unset, [2]string{`<defaultDocument><files><clear/></files></defaultDocument>`, `<defaultDocument><files></files></defaultDocument>`}},
		{"@enabled", `<defaultDocument><files §/></defaultDocument>`, "a", "b", [2]string{}},
		{"files#clear", `<defaultDocument>§<files/></defaultDocument>`, "<clear/>", unset, [2]string{}},
		{"@enabled", `<defaultDocument/>`, "a", "b", [2]string{}},
		{"@enabled", `<defaultDocument § §/>`, "a", "b", [2]string{}},
	} {
		with, without, err := g.texts(&proof{of: c.of, in: c.in, with: c.with, without: c.without})
		if got := [2]string{with, without}; got != c.texts || (err == nil) != (with != "") {
			t.Errorf("%s in %q: %q %v, want %q", c.of, c.in, got, err, c.texts)
		}
	}
	if testExists(t, "features/all TestProofText") || !testExists(t, "features/all TestProofTexts") {
		t.Error("tests are not found by their name")
	}
}
