package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/spf13/cobra"
)

// settingResult is what `rolemgr config get --json` prints.
type settingResult struct {
	Version  int            `json:"version"`
	Section  string         `json:"section"`
	Site     string         `json:"site,omitempty"`
	URL      string         `json:"url,omitempty"`
	Locked   bool           `json:"locked"` // files below may not contain the section
	LockedBy string         `json:"locked_by,omitempty"`
	Element  settingElement `json:"element"`
}

// settingElement is an element as it holds.
type settingElement struct {
	Name       string           `json:"name"`
	Attributes []setting        `json:"attributes"`
	Elements   []settingElement `json:"elements"`
	Entries    []settingElement `json:"entries"`
}

// setting is an attribute as it holds. A secret has no value.
type setting struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Value  string `json:"value"`
	Secret bool   `json:"secret,omitempty"`
	Origin string `json:"origin,omitempty"` // "file:line:column", "" for the default
}

func newConfigGetCommand(c *cli) *cobra.Command {
	site := ""
	cmd := &cobra.Command{
		Use:   "get SECTION[/@ATTRIBUTE]",
		Short: "Show a section, or one attribute, as it holds",
		Long: `Show a section, or one attribute of it, as it holds for the server or with --site for a URL of a site: everything that
the files on the way say, with the place that says it.

A SECTION is named whole or by its last names; an element or an entry of a collection may follow.`,
		Example: `  rolemgr config get webSocket
  rolemgr config get webSocket/@enabled --site "Default Web Site/chat"
  rolemgr config get staticContent/mimeMap[fileExtension=.json]/@mimeType`,
		Args: argCount(1, 1, "a section"),
		RunE: func(cmd *cobra.Command, args []string) error { return runConfigGet(cmd.Context(), c, args[0], site) },
	}
	cmd.Flags().StringVar(&site, "site", "", "the site, or a path of it, whose configuration is shown: NAME[/PATH] (default: the whole server)")
	return cmd
}

func runConfigGet(ctx context.Context, c *cli, typed, site string) error {
	s, err := c.openConfig(ctx)
	if err != nil {
		return err
	}
	p, err := s.path(typed)
	if err != nil {
		return err
	}
	commit := ""
	if site != "" {
		commit = commitAppHost // the URL need not be there to have a configuration
	}
	place, err := s.place(site, commit)
	if err != nil {
		return err
	}
	eff, err := place.effective(s.tree)
	if err != nil {
		return err
	}
	n, ok := p.node(eff)
	if !ok {
		return &usageError{fmt.Sprintf("there is no entry %q", typed), fmt.Sprintf("\"rolemgr config get %s\" shows the entries", p.section)}
	}
	res := settingResult{Version: 1, Section: p.section, Site: place.site, URL: place.url, Element: settingOf(n)}
	by, locked := eff.Locked(p.section)
	if res.Locked = locked; locked {
		res.LockedBy = by.String()
	}
	if p.attribute != "" {
		return c.printSetting(res, p.attribute)
	}
	return c.print(res, func(w io.Writer) { writeSetting(w, res) })
}

// printSetting prints one attribute: as text its value alone, for scripts.
func (c *cli) printSetting(res settingResult, name string) error {
	var one []setting
	for _, a := range res.Element.Attributes {
		if a.Name == name {
			one = append(one, a)
		}
	}
	if len(one) == 0 { // of an element that takes any
		return &usageError{fmt.Sprintf("<%s> has no attribute %q", res.Element.Name, name), ""}
	}
	res.Element.Attributes, res.Element.Elements, res.Element.Entries = one, []settingElement{}, []settingElement{}
	if one[0].Secret {
		c.note("note: %q is a secret and is not shown", name)
	}
	return c.print(res, func(w io.Writer) { fmt.Fprintln(w, one[0].Value) })
}

func settingOf(n config.Node) settingElement {
	out := settingElement{Name: n.Declaration().Name, Attributes: []setting{}, Elements: []settingElement{}, Entries: []settingElement{}}
	for _, v := range n.Values() {
		a := setting{Name: v.Attribute.Name, Type: string(v.Attribute.Type), Value: v.Text, Secret: v.Attribute.Secret}
		if v.Set {
			a.Origin = v.Pos.String()
		}
		if a.Secret {
			a.Value = ""
		}
		out.Attributes = append(out.Attributes, a)
	}
	for _, k := range n.Elements() {
		out.Elements = append(out.Elements, settingOf(k))
	}
	for _, e := range n.Entries() {
		out.Entries = append(out.Entries, settingOf(e))
	}
	return out
}

func writeSetting(w io.Writer, r settingResult) {
	fmt.Fprintln(w, r.Section)
	if r.Locked {
		by := r.LockedBy
		if by == "" {
			by = "by default"
		} else {
			by = "by " + by
		}
		fmt.Fprintf(w, "locked %s: web.config files may not contain it\n", by)
	}
	writeSettings(w, r.Element, "  ")
}

func writeSettings(w io.Writer, e settingElement, indent string) {
	for _, a := range e.Attributes {
		value, origin := fmt.Sprintf("%q", a.Value), a.Origin
		if a.Secret {
			value = "(secret)"
		}
		if origin == "" {
			origin = "default"
		}
		fmt.Fprintf(w, "%s%s=%s  (%s)\n", indent, a.Name, value, origin)
	}
	for _, k := range e.Elements {
		fmt.Fprintf(w, "%s%s\n", indent, k.Name)
		writeSettings(w, k, indent+"  ")
	}
	for _, k := range e.Entries {
		writeEntry(w, k, indent)
	}
}

// writeEntry shows an entry on one line with what is written of it, and below it only the elements that are written.
func writeEntry(w io.Writer, e settingElement, indent string) {
	line, origin := "<"+e.Name, ""
	for _, a := range e.Attributes {
		if a.Origin == "" {
			continue
		}
		value := fmt.Sprintf("%q", a.Value)
		if a.Secret {
			value = "(secret)"
		}
		line += " " + a.Name + "=" + value
		if origin == "" {
			origin = "  (" + a.Origin + ")"
		}
	}
	fmt.Fprintf(w, "%s%s>%s\n", indent, line, origin)
	for _, k := range e.Elements {
		if k.written() {
			writeEntry(w, k, indent+"  ")
		}
	}
	for _, k := range e.Entries {
		writeEntry(w, k, indent+"  ")
	}
}

// written reports whether anything of an element is said by a file.
func (e settingElement) written() bool {
	if len(e.Entries) > 0 || slices.ContainsFunc(e.Elements, settingElement.written) {
		return true
	}
	return slices.ContainsFunc(e.Attributes, func(a setting) bool { return a.Origin != "" })
}
