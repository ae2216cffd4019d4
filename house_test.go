package rolemgr_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The house tests hold the tree to the habits of docs/architecture.md, section 8. They parse the files themselves:
// the test cache sees what a test reads, not what a child process such as "go list" reads.

const modulePath = "github.com/rolemgr/rolemgr"

const (
	maxFileLines     = 400
	maxTestFileLines = 700
	maxFuncLines     = 80
)

// source is one parsed file of the module.
type source struct {
	path  string // slash-separated, relative to the root
	dir   string // "." for the root
	test  bool
	file  *ast.File
	lines int
}

// house is every file of the module, parsed.
type house struct {
	fset  *token.FileSet
	files []source
}

// loadHouse parses every Go file below the module root, leaving out other modules, testdata and hidden folders.
func loadHouse(t *testing.T) *house {
	t.Helper()
	h := &house{fset: token.NewFileSet()}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules" || isModule(p)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(h.fset, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		p = filepath.ToSlash(p)
		h.files = append(h.files, source{
			path: p, dir: path.Dir(p), test: strings.HasSuffix(p, "_test.go"), file: f,
			lines: h.fset.File(f.Pos()).LineCount(),
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.files) < 20 {
		t.Fatalf("found only %d Go files: the house tests look in the wrong place", len(h.files))
	}
	return h
}

// isModule reports whether a folder holds a module of its own.
func isModule(dir string) bool {
	m, _ := filepath.Glob(filepath.Join(dir, "go.mod"))
	return len(m) > 0
}

// at returns the place of a node for messages.
func (h *house) at(n ast.Node) string {
	p := h.fset.Position(n.Pos())
	return filepath.ToSlash(p.Filename) + ":" + strconv.Itoa(p.Line)
}

// imports returns the imports of a file that are packages of ours, relative to the root.
func (s source) imports() []string {
	var own []string
	for _, i := range s.file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		switch {
		case p == modulePath:
			own = append(own, ".")
		case strings.HasPrefix(p, modulePath+"/"):
			own = append(own, strings.TrimPrefix(p, modulePath+"/"))
		}
	}
	return own
}

func TestFileAndFunctionCeilings(t *testing.T) {
	h := loadHouse(t)
	for _, s := range h.files {
		limit := maxFileLines
		if s.test {
			limit = maxTestFileLines
		}
		if s.lines > limit {
			t.Errorf("%s has %d lines; the ceiling is %d", s.path, s.lines, limit)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if n := h.fset.Position(f.End()).Line - h.fset.Position(f.Pos()).Line + 1; n > maxFuncLines {
				t.Errorf("%s: func %s has %d lines; the ceiling is %d", h.at(f), f.Name.Name, n, maxFuncLines)
			}
		}
	}
}

func TestNoInitAndNoMutablePackageVariables(t *testing.T) {
	h := loadHouse(t)
	for _, s := range h.files {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: func init: build values where they are used", h.at(d))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					h.checkVars(t, s, d)
				}
			}
		}
	}
}

// checkVars allows interface guards, embedded files, error sentinels, and arrays that nothing in the package assigns to.
func (h *house) checkVars(t *testing.T, s source, d *ast.GenDecl) {
	t.Helper()
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for i, name := range v.Names {
			switch {
			case name.Name == "_", isEmbed(d, v):
			case i < len(v.Values) && isErrorSentinel(name.Name, v.Values[i]):
			case isArray(v) && !h.assigned(s.dir, name.Name):
			default:
				t.Errorf("%s: package variable %s: use a constant, a function or a parameter", h.at(name), name.Name)
			}
		}
	}
}

func isEmbed(d *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, g := range []*ast.CommentGroup{d.Doc, v.Doc} {
		if g == nil {
			continue
		}
		for _, c := range g.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

func isErrorSentinel(name string, value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok || !(strings.HasPrefix(name, "Err") || strings.HasPrefix(name, "err")) {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && (pkg.Name == "errors" && sel.Sel.Name == "New" || pkg.Name == "fmt" && sel.Sel.Name == "Errorf")
}

func isArray(v *ast.ValueSpec) bool {
	typ := v.Type
	if len(v.Values) == 1 {
		if lit, ok := v.Values[0].(*ast.CompositeLit); ok {
			typ = lit.Type
		}
	}
	a, ok := typ.(*ast.ArrayType)
	return ok && a.Len != nil
}

// assigned reports whether a file of the package assigns to the name, to an element of it, or takes its address.
func (h *house) assigned(dir, name string) bool {
	found := false
	is := func(e ast.Expr) bool {
		for {
			switch x := e.(type) {
			case *ast.IndexExpr:
				e = x.X
			case *ast.SelectorExpr:
				e = x.X
			case *ast.Ident:
				return x.Name == name
			default:
				return false
			}
		}
	}
	for _, s := range h.files {
		if s.dir != dir {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, l := range n.Lhs {
					found = found || n.Tok != token.DEFINE && is(l)
				}
			case *ast.IncDecStmt:
				found = found || is(n.X)
			case *ast.UnaryExpr:
				found = found || n.Op == token.AND && is(n.X)
			}
			return !found
		})
	}
	return found
}
