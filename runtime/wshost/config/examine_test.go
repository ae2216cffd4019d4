package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// examinedSchema has a list of links, whose owner refuses those that name nothing and calls others without effect.
func examinedSchema(t testing.TB) *Schema {
	t.Helper()
	type links struct {
		Entries []struct {
			At   Pos    `config:",pos"`
			Tag  string `config:",location"`
			Name string `config:"name"`
			To   string `config:"to"`
		} `config:",collection"`
	}
	const path = "system.webServer/links"
	s, err := NewSchema(append(CoreSections(), append(testSections(), Section{
		Path: path, Element: Element{Name: "links", Collection: &Collection{Remove: "remove", Clear: "clear", Add: Element{
			Name: "add", Attributes: []Attribute{{Name: "name", Type: String, Key: true}, {Name: "to", Type: String}, {Name: "log", Type: Bool, Default: "true", NoEffect: "nobody logs"}},
		}}},
		Examine: func(e *Effective, alone bool) []Remark {
			l, err := Decode[links](e, path)
			if err != nil {
				t.Error(err)
				return nil
			}
			var out []Remark
			for _, one := range l.Entries {
				switch {
				case one.To == "(":
					out = append(out, Remark{At: one.At, Fault: "( is never closed", Hint: "close it"})
				case one.To == "":
					out = append(out, Remark{At: one.At, Attribute: "to", Judgement: Judgement{NoEffect: "it leads nowhere"}})
				case one.To == "tag":
					out = append(out, Remark{At: one.At, Judgement: Judgement{Unsupported: "in " + one.Tag}})
				case !alone && !e.Has(path, one.To):
					out = append(out, Remark{At: one.At, Attribute: "to", Judgement: Judgement{NoEffect: "nothing is named " + one.To}})
				}
			}
			return out
		},
	})...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExamine(t *testing.T) {
	w := newWorld(t, map[string]string{
		"root/web.config": ws(`<links><add name="a" to="b"/><add name="b" to="a"/></links>`),
		"root/sub/web.config": "\n" + ws(`<links><add name="c" to="a" log="true"/>
<add name="d" to="("/>
<add name="e" to="" log="false"/>
<add name="f"
to="g"/></links>`) + "\n" + at("Deep/", "", `<links><add name="h" to="tag"/></links>`),
	})
	schema := examinedSchema(t)
	tree, err := Open(Options{AppHost: filepath.Join(w.home, "apphost"), BaseDir: w.home, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(w.home, "root/sub/web.config")
	whole := tree.Inspect(filepath.Join(w.home, "root"), name)
	const known = `2 section links honoured
2 element links/add honoured
2 attribute links/add/@name honoured
2 attribute links/add/@to honoured
2 attribute links/add/@log honoured
3 element links/add fault: ( is never closed
3 attribute links/add/@name honoured
3 attribute links/add/@to honoured
4 element links/add honoured
4 attribute links/add/@name honoured
4 attribute links/add/@to no-effect: it leads nowhere
4 attribute links/add/@log no-effect: nobody logs
5 element links/add honoured
5 attribute links/add/@name honoured
6 attribute links/add/@to no-effect: nothing is named g
7 location location honoured
7 attribute location/@path honoured
7 section links honoured
7 element links/add unsupported: in Deep
7 attribute links/add/@name unsupported: in Deep
7 attribute links/add/@to unsupported: in Deep`
	if got := findings(whole); got != known {
		t.Errorf("with the files above:\n%s", got)
	}
	for _, f := range whole {
		if f.Examined != (f.Verdict == Faulty) {
			t.Errorf("%s: examined %v", f.Name, f.Examined)
		}
		if e := f.Fault; e != nil && (e.Hint != "close it" || e.Section != "system.webServer/links" || e.Pos.Column != 1 || !strings.Contains(strings.Join(e.Source.Lines, ""), `name="d"`)) {
			t.Errorf("%+v", e)
		}
	}
	alone := strings.Replace(known, " no-effect: nothing is named g", " honoured", 1)
	if got := findings(Inspect(name, schema)); got != alone {
		t.Errorf("by itself:\n%s", got)
	}
	if errs := CheckFile(name, schema); len(errs) != 1 || errs[0].Message != "( is never closed" {
		t.Errorf("%v", errs)
	}
	if errs := tree.CheckSite("Site"); len(errs) != 1 || errs[0].Message != "( is never closed" {
		t.Errorf("%v", errs)
	}
	if _, err := tree.Effective("Site", "/sub/"); err != nil {
		t.Errorf("the host asks nobody: %v", err)
	}
}

// bell is a section whose Examine refuses the note "wrong", calls "odd" without effect, and "far" in need of a feature.
func bell() Section {
	return Section{Path: "system.webServer/bell", OverrideModeDefault: Allow, Element: Element{
		Name: "bell", Attributes: []Attribute{{Name: "loud", Type: Bool, Default: "false"}},
		Collection: &Collection{Remove: "remove", Clear: "clear", Add: Element{Name: "note", Attributes: []Attribute{{Name: "name", Type: String, Key: true, Required: true}}}},
	}, Examine: examineBell}
}

func examineBell(e *Effective, _ bool) []Remark {
	n, _ := e.Node("system.webServer/bell")
	at, _ := n.Written()
	var out []Remark
	for _, a := range n.Values() {
		if a.Set {
			out = append(out, Remark{At: at, Attribute: a.Attribute.Name, Judgement: Judgement{NoEffect: "it rings as it likes"}})
		}
	}
	for _, note := range n.Entries() {
		at, _ := note.Written()
		switch note.Values()[0].Text {
		case "wrong":
			out = append(out, Remark{At: at, Fault: "the note is wrong"})
		case "odd":
			out = append(out, Remark{At: at, Judgement: Judgement{NoEffect: "it is odd"}})
		case "far":
			out = append(out, Remark{At: at, Judgement: Judgement{Feature: "ladder"}})
		}
	}
	return out
}

// TestExaminePlaces holds that everyone who looks at a file is told what the owners of its sections make of it: in a tree, by itself, below a
// location tag, in place and with the line, and each file only of what stands in it.
func TestExaminePlaces(t *testing.T) {
	schema, err := NewSchema(append(CoreSections(), bell()), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	host := write("applicationHost.config", `<configuration><system.applicationHost><sites><site name="S" id="1"><application path="/"><virtualDirectory path="/" physicalPath="`+
		dir+`/root"/></application><bindings/></site></sites></system.applicationHost></configuration>`)
	top := write("root/web.config", `<configuration><system.webServer><bell>
<note name="wrong"/>
<note name="odd"/>
</bell></system.webServer><location path="a"><system.webServer><bell loud="true"><clear/>
<note name="far"/></bell></system.webServer></location></configuration>`)
	below := write("root/k/web.config", `<configuration><system.webServer><bell><note name="fine"/></bell></system.webServer></configuration>`)
	tree, err := Open(Options{AppHost: host, BaseDir: dir, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	for name, found := range map[string][]Finding{"in its place": tree.Inspect(filepath.Join(dir, "root"), top), "by itself": Inspect(top, schema)} {
		got := map[string]Finding{}
		for _, f := range found {
			if f.Verdict != Honoured || f.Feature != "" {
				got[strings.TrimPrefix(f.Pos.String(), top)+" "+string(f.Kind)] = f
			}
		}
		wrong, odd, loud, far := got[":2:1 element"], got[":3:1 element"], got[":4:70 attribute"], got[":5:1 element"]
		if wrong.Verdict != Faulty || wrong.Fault == nil || wrong.Fault.Section != "system.webServer/bell" || len(wrong.Fault.Source.Lines) != 3 {
			t.Errorf("%s: wrong: %+v", name, wrong)
		}
		if odd.Verdict != WithoutEffect || odd.Reason != "it is odd" || loud.Verdict != WithoutEffect || far.Feature != "ladder" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, f := range tree.Inspect(filepath.Join(dir, "root"), below) {
		if f.Verdict != Honoured {
			t.Errorf("the folder below: %+v", f)
		}
	}
	if errs := tree.CheckSite("S"); len(errs) != 1 || errs[0].Pos.Line != 2 {
		t.Errorf("the site has the faults %v", errs)
	}
	if errs := CheckFile(top, schema); len(errs) != 1 || errs[0].Pos.Line != 2 {
		t.Errorf("the file has the faults %v", errs)
	}
	if e, err := tree.Effective("S", "/"); err != nil || len(e.Refused()) != 1 || len(e.examine(false)) != 2 {
		t.Errorf("%v: an Examine refused a configuration, or said nothing", err)
	}
}
