package all_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

var update = flag.Bool("update", false, "write docs/iis-map.md anew")

const mapFile = "../../docs/iis-map.md"

// TestIISMap holds docs/iis-map.md to the declarations.
func TestIISMap(t *testing.T) {
	cat, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	modules := cat.Modules()
	schema, err := wshost.Schema(modules, modules, cat.Known())
	if err != nil {
		t.Fatal(err)
	}
	got := iisMap(cat, schema, schemaOfIIS(t))
	if *update {
		if err := os.WriteFile(mapFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(mapFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("docs/iis-map.md is not what the sections declare: run go generate ./features/all")
	}
}

// A mapWriter writes the map.
type mapWriter struct {
	strings.Builder
}

func (b *mapWriter) line(format string, args ...any) {
	fmt.Fprintf(b, format+"\n", args...)
}

func iisMap(cat *features.Catalog, schema *config.Schema, iis map[string][]string) string {
	b := &mapWriter{}
	b.line("# Map of the configuration\n")
	b.line("Every section of `applicationHost.config` and `web.config` that this version knows, with its attributes and what they do here.")
	b.line("Written from the declarations of the sections by `go generate ./features/all`; a test fails when it is stale. For a file of")
	b.line("your own ask `rolemgr config check web.config`, for what counts at a URL `rolemgr config show URL`.\n")
	b.line("In the last column \"honoured\" means that it has the effect it has on IIS, as far as the page of the feature")
	b.line("(`rolemgr show NAME`) does not say otherwise; \"partly\" names what is missing. Both are proven: a test serves every one of")
	b.line("these attributes with two values and fails when the answer is the same. `add (entry)` is an entry of the list of its element; key attributes make it unique.\n")
	b.line("## Sections that can be used")
	owners := cat.Owners()
	for _, s := range schema.Sections() {
		b.section(cat, owners[s.Path], s)
	}
	var ignored []config.Known
	b.line("\n## Sections that are known and cannot be used\n")
	b.line("A file that holds one is answered with error 500.19, unless the row says when it is accepted. None of their attributes")
	b.line("has an effect.\n")
	b.line("| Section | Feature | Why, and what instead | Attributes |\n|---|---|---|---|")
	for _, k := range schema.Known() {
		if k.Ignored {
			ignored = append(ignored, k)
			continue
		}
		feature := "-"
		if k.Feature != "" {
			feature = k.Title
		}
		why := k.Reason
		if k.Judge != nil { // so says the default of each of them
			why += "; accepted when " + k.Judge(func(string) string { return "" }).NoEffect
		}
		b.line("| `%s` | %s | %s | %s |", k.Path, cell(feature), cell(why), attributesBelow(iis, k.Path))
	}
	b.line("\n## Sections that are passed over\n")
	b.line("They are accepted with all that is below them, never read and never printed.\n")
	b.line("| Section | Why | Attributes |\n|---|---|---|")
	for _, k := range ignored {
		b.line("| `%s` | %s | %s |", k.Path, cell(k.Reason), attributesBelow(iis, k.Path))
	}
	return b.String()
}

func (b *mapWriter) section(cat *features.Catalog, owner features.ID, s config.Section) {
	b.line("\n### %s\n", s.Path)
	by := "The host itself"
	if u, ok := cat.Unit(owner); ok {
		by = fmt.Sprintf("%s, `rolemgr install %s`", u.Title, owner)
	}
	where := "every file"
	switch s.AllowDefinition {
	case config.AppHostOnly:
		where = "`applicationHost.config`, outside of location tags of sites"
	case config.MachineToApplication:
		where = "`applicationHost.config` and the `web.config` of a site or an application"
	}
	if s.OverrideModeDefault == config.Deny && s.AllowDefinition != config.AppHostOnly {
		where += "; a `web.config` only where `applicationHost.config` unlocks it"
	}
	b.line("%s. May stand in %s.", by, where)
	if len(s.LockAttributes) > 0 {
		b.line("Only `applicationHost.config` may set `%s`.", strings.Join(s.LockAttributes, "`, `"))
	}
	b.line("\n| Element | Attribute | Type | Default | Here |\n|---|---|---|---|---|")
	b.element(s.Element, s.Element.Name, "")
}

func (b *mapWriter) element(e config.Element, path, idle string) {
	if idle == "" {
		idle = e.NoEffect
	}
	if len(e.Attributes) == 0 || e.Judge != nil {
		here := effect(idle)
		if e.Judge != nil {
			here += "; depends on the entry, see `rolemgr config check`"
		}
		b.line("| `%s` | | | | %s |", path, here)
	}
	for _, a := range e.Attributes {
		here := effect(cmp.Or(idle, a.NoEffect))
		if a.Partly != "" && idle == "" {
			here = "partly: " + cell(a.Partly)
		}
		b.line("| `%s` | `%s` | %s | %s | %s |", path, a.Name, cell(typeOf(a)), code(a.Default), here)
	}
	if e.AllowUnrecognizedAttributes {
		b.line("| `%s` | any other | string | | %s |", path, effect(idle))
	}
	for _, k := range e.Elements {
		b.element(k, path+"/"+k.Name, idle)
	}
	if c := e.Collection; c != nil {
		b.element(c.Add, path+"/"+c.Add.Name+" (entry)", idle)
	}
}

func effect(why string) string {
	if why == "" {
		return "honoured"
	}
	return "without effect: " + cell(why)
}

func typeOf(a config.Attribute) string {
	text := string(a.Type)
	if len(a.Values) > 0 {
		names := make([]string, len(a.Values))
		for i, v := range a.Values {
			names[i] = v.Name
		}
		text += ": " + strings.Join(names, ", ")
	}
	for _, p := range []struct {
		on   bool
		text string
	}{{a.Key, "key"}, {a.Required, "required"}, {a.Secret, "secret"}, {a.TimeFormat != config.HMS, string(a.TimeFormat)}} {
		if p.on {
			text += ", " + p.text
		}
	}
	return text
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + cell(text) + "`"
}

// cell keeps a text from ending its cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}
