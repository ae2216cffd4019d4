package rolemgr_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

func TestPackagesAreDocumented(t *testing.T) {
	h := loadHouse(t)
	docs := map[string][]string{}
	names := map[string]string{}
	for _, s := range h.files {
		if s.test {
			continue
		}
		names[s.dir] = s.file.Name.Name
		if s.file.Doc == nil {
			continue
		}
		docs[s.dir] = append(docs[s.dir], s.path)
		want := "Package " + s.file.Name.Name + " "
		if s.file.Name.Name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(s.file.Doc.Text(), want) {
			t.Errorf("%s: the package doc must begin with %q", s.path, want)
		}
	}
	for dir, name := range names {
		if len(docs[dir]) != 1 {
			t.Errorf("package %s has %d package docs %v; exactly one file has it", dir, len(docs[dir]), docs[dir])
		}
		if slices.Contains([]string{"util", "utils", "common", "types", "helpers", "manager", "base"}, name) {
			t.Errorf("package %s: %q says nothing of what it holds", dir, name)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	h := loadHouse(t)
	for _, s := range h.files {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) {
					h.checkDoc(t, d, d.Name.Name, d.Doc)
				}
			case *ast.GenDecl:
				h.checkGenDoc(t, d)
			}
		}
	}
}

// checkGenDoc asks for a doc comment on every exported type, and on every exported constant or variable or the group
// it stands in.
func (h *house) checkGenDoc(t *testing.T, d *ast.GenDecl) {
	t.Helper()
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() {
				doc := spec.Doc
				if doc == nil && len(d.Specs) == 1 {
					doc = d.Doc
				}
				h.checkDoc(t, spec, spec.Name.Name, doc)
			}
		case *ast.ValueSpec:
			for _, n := range spec.Names {
				if n.IsExported() && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
					t.Errorf("%s: %s has no doc comment", h.at(n), n.Name)
				}
			}
		}
	}
}

func (h *house) checkDoc(t *testing.T, n ast.Node, name string, doc *ast.CommentGroup) {
	t.Helper()
	if doc == nil || !strings.HasPrefix(doc.Text(), name) && !strings.HasPrefix(doc.Text(), "A "+name) && !strings.HasPrefix(doc.Text(), "Deprecated:") {
		t.Errorf("%s: the doc comment of %s must begin with its name", h.at(n), name)
	}
}

// exportedReceiver reports whether a function is no method or a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func TestExportedConstantsAreExplicit(t *testing.T) {
	h := loadHouse(t)
	for _, s := range h.files {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST || !g.Specs[0].(*ast.ValueSpec).Names[0].IsExported() {
				continue
			}
			ast.Inspect(g, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && id.Name == "iota" {
					t.Errorf("%s: exported constants are explicit values: they may reach disk or wire", h.at(id))
				}
				return true
			})
		}
	}
}

// TestParsersAreFuzzed holds every parser to a native fuzz target.
func TestParsersAreFuzzed(t *testing.T) {
	h := loadHouse(t)
	found := map[string]int{}
	for _, s := range h.files {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz") {
				found[s.dir]++
			}
		}
	}
	for _, dir := range []string{
		"runtime/wshost/ws/frame", "runtime/wshost/ws/handshake", "runtime/wshost/ws/deflate", "runtime/wshost/ws",
		"runtime/wshost/config", "runtime/wshost/config/edit",
		"internal/state", "internal/apply",
	} {
		if found[dir] == 0 {
			t.Errorf("%s has no fuzz target", dir)
		}
	}
}
