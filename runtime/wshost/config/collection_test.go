package config

import (
	"fmt"
	"strings"
	"testing"
)

type mimeMaps struct {
	Items []struct {
		Ext  string `config:"fileExtension"`
		Type string `config:"mimeType"`
	} `config:",collection"`
}

func TestCollections(t *testing.T) {
	static := func(inner string) string { return ws("<staticContent>" + inner + "</staticContent>") }
	mime := func(ext, typ string) string { return `<mimeMap fileExtension="` + ext + `" mimeType="` + typ + `"/>` }
	remove := func(ext string) string { return `<remove fileExtension="` + ext + `"/>` }
	base := static(mime(".a", "1") + mime(".b", "2"))
	dup := func(pos, hint string) fault {
		return fault{HResultDuplicate, pos, "is already in the collection", "", hint}
	}
	for name, c := range map[string]struct {
		dropIn, host, site string
		want               string
		err                fault
	}{
		"append":                   {"", base, static(mime(".c", "3")), "[{.a 1} {.b 2} {.c 3}]", fault{}},
		"remove in any case":       {"", base, static(remove(".A")), "[{.b 2}]", fault{}},
		"remove what is not there": {"", base, static(remove(".z")), "[{.a 1} {.b 2}]", fault{}},
		"remove and add":           {"", base, static(remove(".a") + mime(".a", "9")), "[{.b 2} {.a 9}]", fault{}},
		"clear and add":            {"", base, static("<clear/>" + mime(".a", "9")), "[{.a 9}]", fault{}},
		"clear forgets own adds":   {"", base, static(mime(".c", "3") + "<clear/>"), "[]", fault{}},
		"add, remove own":          {"", base, static(mime(".c", "3") + remove(".c")), "[{.a 1} {.b 2}]", fault{}},
		"duplicate of inherited":   {"", base, static(mime(".B", "2")), "", dup("root/web.config:1:49", `<remove fileExtension=".B" />`)},
		"duplicate in one file":    {"", base, static(mime(".c", "3") + mime(".c", "3")), "", dup("root/web.config:1:", "delete one of the two")},
		"drop-in repeated":         {base, base, "", "[{.a 1} {.b 2}]", fault{}},
		"drop-in contradicted":     {base, static(mime(".a", "9")), "", "", dup("apphost:1:", "<remove")},
		"drop-in overridden":       {base, static(remove(".a") + mime(".a", "9")), "", "[{.b 2} {.a 9}]", fault{}},
		"drop-in is no excuse":     {base, "", base, "", dup("root/web.config:1:", "<remove")},
		"mergeAppend=false":        {"", base, ws(`<staticContent mergeAppend="false">` + mime(".c", "3") + mime(".d", "4") + "</staticContent>"), "[{.c 3} {.d 4} {.a 1} {.b 2}]", fault{}},
		"remove with more":         {"", base, static(`<remove fileExtension=".a" mimeType="1"/>`), "", fault{HResultMalformed, "root/", `<remove> has no attribute "mimeType"`, "", ""}},
		"remove without key":       {"", base, static(`<remove/>`), "", fault{HResultMalformed, "root/", `<remove> needs the attribute "fileExtension"`, "", ""}},
		"clear with attribute":     {"", base, static(`<clear x="1"/>`), "", fault{HResultMalformed, "root/", `<clear> has no attribute "x"`, "", ""}},
		"clear with content":       {"", base, static(`<clear><x/></clear>`), "", fault{HResultMalformed, "root/", "<clear> must be empty", "", ""}},
		"required missing":         {"", base, static(`<mimeMap fileExtension=".c"/>`), "", fault{HResultMalformed, "root/", `<mimeMap> needs the attribute "mimeType"`, "", ""}},
		"another directive":        {"", base, static(`<add fileExtension=".c"/>`), "", fault{HResultMalformed, "root/", "<staticContent> has no element <add>", "", ""}},
		"near miss":                {"", base, static(`<mimemap/>`), "", fault{HResultMalformed, "root/", `did you mean "mimeMap"?`, "", ""}},
		"child element twice":      {"", "", static(`<clientCache/><clientCache/>`), "", fault{HResultDuplicate, "root/", "<clientCache> appears twice", "", ""}},
	} {
		files := map[string]string{"apphost": c.host}
		if c.dropIn != "" {
			files["features/x.config"] = c.dropIn
		}
		if c.site != "" {
			files["root/web.config"] = c.site
		}
		w := newWorld(t, files)
		w.check(name, "/", c.err)
		if c.err.message != "" {
			continue
		}
		e, err := w.open().Effective("Site", "/")
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode[mimeMaps](e, "system.webServer/staticContent")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(m.Items); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestKeptAnswersOfHas asks for more names than answers are kept, twice.
func TestKeptAnswersOfHas(t *testing.T) {
	var entries strings.Builder
	for i := range maxAsked {
		fmt.Fprintf(&entries, `<add name="m%d"/>`, 2*i)
	}
	e, err := newWorld(t, map[string]string{"apphost": ws("<modules>" + entries.String() + "</modules>")}).open().Server()
	if err != nil {
		t.Fatal(err)
	}
	st := e.state("system.webServer/modules")
	for round := range 2 {
		for i := range 2 * maxAsked {
			if got := e.Has("system.webServer/modules", fmt.Sprintf("m%d", i)); got != (i%2 == 0) {
				t.Errorf("round %d: Has(m%d) = %v", round, i, got)
			}
			if kept, most := len(*st.asked.Load()), min(i+1, maxAsked); round == 0 && kept != most || kept > maxAsked {
				t.Fatalf("round %d: %d answers are kept after %d", round, kept, i+1)
			}
		}
	}
}

func TestCollectionKeys(t *testing.T) {
	errors := func(inner string) string { return ws("<httpErrors>" + inner + "</httpErrors>") }
	const e404 = `<error statusCode="404" path="p"/>`
	modules := func(inner string) string { return ws("<modules>" + inner + "</modules>") }
	w := newWorld(t, map[string]string{"apphost": errors(e404+`<error statusCode="404" subStatusCode="3" path="q"/>`) + modules(`<add name="A"/><add name="a"/>`)})
	e, err := w.open().Server()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"404,-1": true, "404,3": true, "404,8": false, "404": false} {
		if got := e.Has("system.webServer/httpErrors", key); got != want {
			t.Errorf("Has(%q) = %v", key, got)
		}
	}
	if !e.Has("system.webServer/modules", "a") || e.Has("system.webServer/modules", "B") || e.Has("system.webServer/webSocket", "a") || e.Has("none", "a") {
		t.Error("Has")
	}
	for name, c := range map[string]struct {
		inner string
		want  fault
	}{
		"same with the default written": {e404 + `<error statusCode="404" subStatusCode="-1" path="x"/>`, fault{HResultDuplicate, "root/", `statusCode="404" subStatusCode="-1" is already`, "", ""}},
		"numbers, not spellings":        {e404 + `<error statusCode="0404" path="x"/>`, fault{HResultDuplicate, "root/", "already", "", ""}},
		"removed by the default":        {e404 + `<remove statusCode="404"/>` + e404, fault{}},
		"removed with the default":      {e404 + `<remove statusCode="404" subStatusCode="-1"/>` + e404, fault{}},
		"other sub-status stays":        {e404 + `<remove statusCode="404" subStatusCode="2"/>` + e404, fault{HResultDuplicate, "root/", "already", "", ""}},
	} {
		newWorld(t, map[string]string{"root/web.config": errors(c.inner)}).check(name, "/", c.want)
	}
}
