package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/spf13/cobra"
)

// configShow is what `rolemgr config show --json` prints.
type configShow struct {
	Version  int           `json:"version"`
	Site     string        `json:"site"`
	Path     string        `json:"path"`
	Physical string        `json:"physical,omitempty"` // the file or folder on disk
	Sections []sectionShow `json:"sections"`
}

// sectionShow is a section as it counts for the URL.
type sectionShow struct {
	Section string       `json:"section"`
	Feature string       `json:"feature,omitempty"` // that owns it
	Written bool         `json:"written"`           // else everything is a default
	Locked  bool         `json:"locked"`            // files of lower levels may not contain it
	LockAt  *originShow  `json:"locked_at,omitempty"`
	Element *elementShow `json:"element"`
}

// originShow is where something was written: a file with its place, or "default".
type originShow struct {
	File   string `json:"file"` // below the home relative to it; "default" for what the declaration says
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

type elementShow struct {
	Name       string          `json:"name"`
	Origin     originShow      `json:"origin"`
	NoEffect   string          `json:"no_effect,omitempty"`
	Attributes []attributeShow `json:"attributes"`
	Elements   []elementShow   `json:"elements"`
	Entries    []elementShow   `json:"entries"`
	Locks      []lockShow      `json:"locks"`
}

type attributeShow struct {
	Name     string     `json:"name"`
	Value    string     `json:"value"`
	Origin   originShow `json:"origin"`
	Secret   bool       `json:"secret,omitempty"` // the value is masked
	NoEffect string     `json:"no_effect,omitempty"`
}

type lockShow struct {
	Kind   string     `json:"kind"`             // "attributes", "elements", "item"
	Except bool       `json:"except,omitempty"` // the names are those that stay free
	Names  []string   `json:"names"`
	Origin originShow `json:"origin"`
}

func newConfigShowCommand(c *cli) *cobra.Command {
	section := ""
	cmd := &cobra.Command{
		Use:   "show URL",
		Short: "Show the configuration that counts for a URL, with the origin of every value",
		Long: `Show the configuration that counts for a URL, with the file and line that every value and entry comes from.

URL is the address of a page (http://localhost:8080/chat) or the name of a site with a path ("Default Web Site/chat").
The files are read as the server reads them; no server needs to run. Values that are secret are masked. A fault that
would be answered with error 500.19 is told instead.`,
		Example: "  rolemgr config show http://localhost:8080/\n  rolemgr config show \"Default Web Site/chat\" --section webSocket",
		Args:    argCount(1, 1, "a URL, or the name of a site with a path"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConfigShow(cmd.Context(), c, args[0], section)
		},
	}
	cmd.Flags().StringVar(&section, "section", "", "show this section only, in full; the last part of its path is enough")
	return cmd
}

func runConfigShow(ctx context.Context, c *cli, address, section string) error {
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	if err := c.servable(ctx, t); err != nil {
		return err
	}
	r, err := wshost.Read(c.home, c.cat.Modules(), c.cat.Known())
	if err != nil {
		return err
	}
	site, path, err := findURL(r, address)
	if err != nil {
		return err
	}
	e, err := r.Tree.Effective(site, path)
	if err != nil {
		return err
	}
	if refused := e.Refused(); len(refused) > 0 {
		return refused[0]
	}
	paths := e.Sections()
	if section != "" {
		if paths, err = findSection(e.Schema(), section); err != nil {
			return err
		}
	}
	res := configShow{Version: 1, Site: site, Path: path, Sections: []sectionShow{}}
	res.Physical, _, _, _ = r.Tree.Map(site, path)
	owners := c.cat.Owners()
	for _, p := range paths {
		if n, ok := e.Node(p); ok && (section != "" || !strings.HasPrefix(p, "system.applicationHost/")) {
			s := c.showSection(e, p, n)
			s.Feature = string(owners[p])
			res.Sections = append(res.Sections, s)
		}
	}
	return c.print(res, func(w io.Writer) { writeConfigShow(w, res, section != "") })
}

// findURL turns what was typed into a site and a decoded path.
func findURL(r *wshost.Reading, address string) (site, path string, err error) {
	var names []string
	for _, s := range r.Tree.Sites() {
		names = append(names, strconv.Quote(s.Name))
	}
	hint := "the sites are " + strings.Join(names, ", ")
	if strings.Contains(address, "://") {
		u, err := url.Parse(address)
		if err != nil || u.Hostname() == "" {
			return "", "", &usageError{fmt.Sprintf("%q is not a URL", address), "write it as in http://localhost:8080/path"}
		}
		port, _ := strconv.Atoi(u.Port()) // url.Parse lets nothing but digits pass
		if port == 0 {
			port = map[string]int{"https": 443, "wss": 443}[strings.ToLower(u.Scheme)]
		}
		if port == 0 {
			port = 80
		}
		site, ok := r.SiteOf(u.Hostname(), port)
		if !ok {
			return "", "", &hintedError{fmt.Errorf("no site of this server answers %s at port %d", u.Hostname(), port), hint}
		}
		return site, "/" + strings.TrimPrefix(u.Path, "/"), nil
	}
	for _, s := range r.Tree.Sites() {
		if len(address) < len(s.Name) || !strings.EqualFold(address[:len(s.Name)], s.Name) {
			continue
		}
		rest := address[len(s.Name):]
		if (rest == "" || rest[0] == '/') && len(s.Name) > len(site) {
			site, path = s.Name, "/"+strings.TrimPrefix(rest, "/")
		}
	}
	if site == "" {
		return "", "", &usageError{fmt.Sprintf("%q is neither a URL nor begins with the name of a site", address), hint}
	}
	return site, path, nil
}

// findSection finds a section by its path or by its last names, in any case, or all sections of a group.
func findSection(schema *config.Schema, name string) ([]string, error) {
	paths := schema.SectionPaths()
	found := sectionsNamed(paths, name)
	if len(found) > 1 {
		return nil, severalSections(name, found)
	}
	if len(found) == 1 {
		return found, nil
	}
	for _, p := range paths {
		if strings.Contains("/"+strings.ToLower(p), "/"+strings.ToLower(name)+"/") {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, unknownSection(schema, strings.Split(name, "/"))
	}
	return found, nil
}

// origin names a place; paths below the home are told relative to it.
func (c *cli) origin(p config.Pos) originShow {
	if p.File == "" {
		return originShow{File: "default"}
	}
	if rel, err := filepath.Rel(c.home, p.File); err == nil && filepath.IsLocal(rel) {
		p.File = rel
	}
	return originShow{p.File, p.Line, p.Column}
}

func (o originShow) String() string {
	return config.Pos(o).String()
}

func (c *cli) showSection(eff *config.Effective, path string, n config.Node) sectionShow {
	e := c.showElement(n)
	_, written := eff.Origin(path)
	by, locked := eff.Locked(path)
	s := sectionShow{Section: path, Written: written, Locked: locked, Element: &e}
	if locked {
		at := c.origin(by)
		s.LockAt = &at
	}
	return s
}

func (c *cli) showElement(n config.Node) elementShow {
	decl := n.Declaration()
	pos, _ := n.Written()
	e := elementShow{
		Name: decl.Name, Origin: c.origin(pos), NoEffect: decl.NoEffect,
		Attributes: []attributeShow{}, Elements: []elementShow{}, Entries: []elementShow{}, Locks: []lockShow{},
	}
	for _, a := range n.Values() {
		e.Attributes = append(e.Attributes, attributeShow{a.Attribute.Name, a.Shown(), c.origin(a.Pos), a.Attribute.Secret, a.Attribute.NoEffect})
	}
	for _, k := range n.Elements() {
		e.Elements = append(e.Elements, c.showElement(k))
	}
	for _, k := range n.Entries() {
		e.Entries = append(e.Entries, c.showElement(k))
	}
	for _, l := range n.Locks() {
		e.Locks = append(e.Locks, lockShow{l.Kind, l.Except, append([]string{}, l.Names...), c.origin(l.Pos)})
	}
	return e
}
