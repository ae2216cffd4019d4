package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

// configEditCommands are the commands that look at single settings and change them.
func configEditCommands(c *cli) []*cobra.Command {
	return []*cobra.Command{
		newConfigGetCommand(c), newConfigSetCommand(c), newConfigUnsetCommand(c), newConfigAddCommand(c), newConfigRemoveCommand(c), newConfigClearCommand(c),
		newConfigLockCommand(c, config.Deny), newConfigLockCommand(c, config.Allow),
	}
}

// setOptions are those of the commands that write settings.
type setOptions struct {
	confOptions
	site, commit string
}

func (o *setOptions) addFlags(cmd *cobra.Command) {
	o.confOptions.addFlags(cmd)
	cmd.Flags().StringVar(&o.site, "site", "", "the site, or a path of it, that the setting is for: NAME[/PATH] (default: the whole server)")
	cmd.Flags().StringVar(&o.commit, "commit", "", "where it is written: site (its web.config; the default with --site) or apphost (a location tag of applicationHost.config)")
}

// pathHelp tells how elements are named on the command line.
const pathHelp = `
A SECTION is named whole, as system.webServer/webSocket, or by its last names, as webSocket. An element below it follows
after a slash, and an entry of a collection has its key in brackets:

  staticContent/clientCache
  staticContent/mimeMap[fileExtension=.json]
  httpErrors/error[statusCode=404,subStatusCode=-1]

Without --site a setting is for the whole server and stands in applicationHost.config. With --site it stands in the
web.config of that path, or with --commit apphost in a location tag of applicationHost.config. What would be at fault is
refused before anything is written; the rest of the file stays byte for byte as it is; the file before is kept in
config/previous below the home folder.`

func newConfigSetCommand(c *cli) *cobra.Command {
	o := setOptions{}
	cmd := &cobra.Command{
		Use:   "set SECTION ATTRIBUTE=VALUE...",
		Short: "Set attributes of a section",
		Long:  "Set attributes of a section, of an element of it, or of an entry of a collection.\n" + pathHelp,
		Example: `  rolemgr config set webSocket enabled=false --site "Default Web Site/chat"
  rolemgr config set staticContent/clientCache cacheControlMode=UseMaxAge cacheControlMaxAge=7.00:00:00
  rolemgr config set staticContent/mimeMap[fileExtension=.json] mimeType=application/json --site 1`,
		Args: argCount(2, -1, "a section and ATTRIBUTE=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error { return runConfigSet(cmd.Context(), c, args, o) },
	}
	o.addFlags(cmd)
	return cmd
}

func runConfigSet(ctx context.Context, c *cli, args []string, o setOptions) error {
	values, err := assignments(args[1:])
	if err != nil {
		return err
	}
	return c.editSection(ctx, args[0], o, func(w *sectionEdit) error {
		for i, v := range values {
			a, err := accept(w.path.element, v)
			if err != nil {
				return err
			}
			values[i].name = a.Name
		}
		if w.path.entry != nil && !w.doc.Has(w.at) {
			return w.setNewEntry(values)
		}
		for _, v := range values {
			if err := w.doc.Set(w.at, v.name, v.value); err != nil {
				return &usageError{err.Error(), ""}
			}
		}
		return nil
	})
}

// sectionEdit is a change of one element of a section in one file.
type sectionEdit struct {
	tree  *confTree
	place confPlace
	path  *confPath
	doc   *edit.Document
	at    edit.Path
	eff   *config.Effective // nil when the configuration there is at fault
}

// editSection changes a section in the file of --site and --commit.
func (c *cli) editSection(ctx context.Context, typed string, o setOptions, change func(*sectionEdit) error) error {
	return c.editConfig(ctx, o.confOptions, func(s *confTree) (*confEdit, error) {
		p, err := s.path(typed)
		if err != nil {
			return nil, err
		}
		if p.attribute != "" {
			return nil, &usageError{fmt.Sprintf("%q names an attribute", typed), fmt.Sprintf("give it as an argument of its own: %s", p.attribute)}
		}
		place, err := s.place(o.site, o.commit)
		if err != nil {
			return nil, err
		}
		before, doc, err := place.document()
		if err != nil {
			return nil, err
		}
		w := &sectionEdit{tree: s, place: place, path: p, doc: doc, at: p.in(doc, place.location)}
		if name, ok := doc.Get(doc.Place(place.location, p.section), "configSource"); ok {
			return nil, &hintedError{fmt.Errorf("section %q of %q is kept in a file of its own, %q", p.section, place.file, name), "change it there"}
		}
		if w.eff, err = place.effective(s.tree); err != nil {
			w.eff = nil // the change may be what mends it; validation tells
		}
		if err := change(w); err != nil {
			return nil, err
		}
		return &confEdit{place: place, before: before, after: doc}, nil
	})
}

// inherited returns the element as it holds at the place without what the file says of it now.
func (w *sectionEdit) inherited() (config.Node, bool) {
	if w.eff == nil {
		return config.Node{}, false
	}
	return w.path.node(w.eff)
}

// setNewEntry writes an entry that the file does not have. One that comes from a file above is taken out first and
// written again with what is new: two with one key would be a fault.
func (w *sectionEdit) setNewEntry(values []assignment) error {
	step := w.path.steps[len(w.path.steps)-1]
	parent := w.at[:len(w.at)-1]
	merged := map[string]string{}
	old, replaces := w.inherited()
	if replaces {
		if err := w.takeOut(old, parent, step); err != nil {
			return err
		}
		for _, v := range old.Values() {
			if v.Set {
				merged[v.Attribute.Name] = v.Text
			}
		}
	}
	for _, v := range values {
		merged[v.name] = v.value
	}
	for _, k := range step.Keys {
		delete(merged, k.Name)
	}
	for _, a := range w.path.element.Attributes {
		if v, ok := merged[a.Name]; ok {
			step.Keys = append(step.Keys, edit.Key{Name: a.Name, Value: v})
			delete(merged, a.Name)
		}
	}
	var extra []string
	for name := range merged {
		extra = append(extra, name)
	}
	slices.Sort(extra)
	for _, name := range extra {
		step.Keys = append(step.Keys, edit.Key{Name: name, Value: merged[name]})
	}
	add := w.doc.Add
	if replaces {
		add = w.doc.Append
	}
	if err := add(parent, step); err != nil {
		return &usageError{err.Error(), ""}
	}
	return nil
}

// takeOut writes the directive that removes an entry of a file above.
func (w *sectionEdit) takeOut(old config.Node, parent edit.Path, step edit.Step) error {
	c := w.path.entry
	pos, _ := old.Written()
	where := fmt.Errorf("the entry %s comes from %s", entryName(old), pos)
	if c.Remove == "" {
		return &hintedError{where, "change it there: entries of this collection cannot be taken out below"}
	}
	for _, sub := range old.Elements() {
		if _, written := sub.Written(); written {
			return &hintedError{fmt.Errorf("%w and has elements of its own", where), "change it there, or write the whole entry here by hand"}
		}
	}
	step.Name = c.Remove
	if w.doc.Has(parent.Then(step)) {
		return nil
	}
	return w.doc.Append(parent, step)
}
