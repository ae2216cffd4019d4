package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
)

// confTree is the configuration of the server as it is on disk, for the commands that look at it and change it.
type confTree struct {
	options config.Options
	tree    *config.Tree
}

// openConfig reads the configuration under the features that are recorded now.
func (c *cli) openConfig(ctx context.Context) (*confTree, error) {
	schema, err := c.installedSchema(ctx)
	if err != nil {
		return nil, err
	}
	t, err := c.server()
	if err != nil {
		return nil, err
	}
	if err := c.servable(ctx, t); err != nil {
		return nil, err
	}
	s := &confTree{options: config.Options{
		AppHost:   filepath.Join(c.home, "config", "applicationHost.config"),
		DropInDir: filepath.Join(c.home, "config", "features.d"),
		BaseDir:   c.home,
		Schema:    schema,
	}}
	s.tree, err = config.Open(s.options)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// with returns the tree as it would be with a text in place of a file.
func (s *confTree) with(file string, text []byte) (*config.Tree, error) {
	o := s.options
	o.Instead = map[string][]byte{file: text}
	return config.Open(o)
}

// site finds a site by its name, or by its id.
func (s *confTree) site(name string) (config.Site, error) {
	var names []string
	for _, site := range s.tree.Sites() {
		if strings.EqualFold(site.Name, name) {
			return site, nil
		}
		names = append(names, site.Name)
	}
	for _, site := range s.tree.Sites() {
		if fmt.Sprint(site.ID) == name {
			return site, nil
		}
	}
	return config.Site{}, &usageError{fmt.Sprintf("no site is called %q%s", name, config.DidYouMean(name, names)), "\"rolemgr site list\" shows the sites"}
}

// The files that a change can be written to (--commit).
const (
	commitSite    = "site"
	commitAppHost = "apphost"
)

// confPlace is where a change is written, and the URL it is for.
type confPlace struct {
	site     string // "" for the server level
	url      string
	file     string
	location string // path of the location tag, "" for none
}

// place finds the file of a --site and a --commit.
func (s *confTree) place(target, commit string) (confPlace, error) {
	switch commit {
	case "", commitSite, commitAppHost:
	default:
		return confPlace{}, &usageError{fmt.Sprintf("--commit %q is no place to write to", commit), "it is apphost or site"}
	}
	if target == "" {
		if commit == commitSite {
			return confPlace{}, &usageError{"--commit site needs a site", "name it with --site NAME[/PATH]"}
		}
		return confPlace{file: s.options.AppHost}, nil
	}
	name, rest, _ := strings.Cut(target, "/")
	site, err := s.site(name)
	if err != nil {
		return confPlace{}, err
	}
	rest = strings.Trim(rest, "/")
	if decoded, err := url.PathUnescape(rest); err != nil || decoded != rest && strings.ContainsAny(decoded, "\x00/") {
		return confPlace{}, &usageError{fmt.Sprintf("%q is no path of a URL", rest), "write it as in --site \"Default Web Site/images\""}
	}
	p := confPlace{site: site.Name, url: "/" + rest}
	if commit == commitAppHost {
		p.file, p.location = s.options.AppHost, strings.TrimSuffix(site.Name+"/"+rest, "/")
		return p, nil
	}
	return p, s.folder(&p, rest)
}

// folder finds the web.config of a URL path of a site.
func (s *confTree) folder(p *confPlace, rest string) error {
	physical, _, _, ok := s.tree.Map(p.site, p.url)
	if !ok {
		return &usageError{fmt.Sprintf("%q is no path of site %q", p.url, p.site), ""}
	}
	info, err := os.Stat(physical)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &usageError{
			fmt.Sprintf("%q does not exist, so it has no web.config", physical),
			"make the folder, or write a location tag with --commit apphost",
		}
	case err != nil:
		return fmt.Errorf("find the web.config of %q: %w", rest, err)
	case !info.IsDir():
		p.location = filepath.Base(physical)
		physical = filepath.Dir(physical)
	}
	p.file = filepath.Join(physical, "web.config")
	if other := filepath.Join(physical, "Web.config"); !exists(p.file) && exists(other) {
		p.file = other
	}
	return nil
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// effective returns the configuration that holds at the place.
func (p confPlace) effective(t *config.Tree) (*config.Effective, error) {
	if p.site == "" {
		return t.Server()
	}
	return t.Effective(p.site, p.url)
}

// document reads the file of the place for a change. One that does not exist yet is empty.
func (p confPlace) document() (before []byte, d *edit.Document, err error) {
	before, err = os.ReadFile(p.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, edit.Empty(), nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the configuration: %w", err)
	}
	d, err = edit.Parse(before)
	if err != nil {
		hint := fmt.Sprintf("see where with \"rolemgr config check %s\"", p.file)
		if config.CharsetOf(before) == config.UTF16 { // the server reads it
			hint = "every editor can: nothing else of the file need change"
		}
		return nil, nil, &hintedError{fmt.Errorf("%s: %w", p.file, err), hint}
	}
	return before, d, nil
}
