package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bell is a section whose Verify refuses the note "wrong", calls "odd" without effect, and "far" in need of a feature.
func bell() Section {
	return Section{Path: "system.webServer/bell", OverrideModeDefault: Allow, Element: Element{
		Name: "bell", Attributes: []Attribute{{Name: "loud", Type: Bool, Default: "false"}},
		Collection: &Collection{Remove: "remove", Clear: "clear", Add: Element{Name: "note", Attributes: []Attribute{{Name: "name", Type: String, Key: true, Required: true}}}},
	}, Verify: verifyBell}
}

func verifyBell(e *Effective) []Remark {
	v, _ := e.Describe("system.webServer/bell")
	var out []Remark
	for _, a := range v.Root.Attributes {
		if a.Written {
			out = append(out, Remark{At: a.Pos, Judgement: Judgement{NoEffect: "it rings as it likes"}})
		}
	}
	for _, n := range v.Root.Entries {
		switch n.Attributes[0].Value {
		case "wrong":
			out = append(out, Remark{At: n.Pos, Fault: &Error{HResult: HResultMalformed, Message: "the note is wrong"}})
		case "odd":
			out = append(out, Remark{At: n.Pos, Judgement: Judgement{NoEffect: "it is odd"}})
		case "far":
			out = append(out, Remark{At: n.Pos, Judgement: Judgement{Feature: "ladder"}})
		}
	}
	return out
}

// TestVerify holds that everyone who looks at a file is told what its modules make of it: in a tree, by itself, below a
// location tag, in place and with the line, and each file only of what stands in it.
func TestVerify(t *testing.T) {
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
	if e, err := tree.Effective("S", "/"); err != nil || len(e.Verify()) != 2 {
		t.Errorf("%v: a Verify refused a configuration, or said nothing", err)
	}
}
