package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

func newConfigAddCommand(c *cli) *cobra.Command {
	o := setOptions{}
	cmd := &cobra.Command{
		Use:   "add COLLECTION ATTRIBUTE=VALUE...",
		Short: "Add an entry to a collection",
		Long:  "Add an entry to a collection: a section, or an element of one, that holds entries.\n" + pathHelp,
		Example: `  rolemgr config add staticContent fileExtension=.webmanifest mimeType=application/manifest+json
  rolemgr config add defaultDocument/files value=home.htm --site "Default Web Site"`,
		Args: argCount(2, -1, "a collection and ATTRIBUTE=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error { return runConfigAdd(cmd.Context(), c, args, o) },
	}
	o.addFlags(cmd)
	return cmd
}

func runConfigAdd(ctx context.Context, c *cli, args []string, o setOptions) error {
	values, err := assignments(args[1:])
	if err != nil {
		return err
	}
	return c.editSection(ctx, args[0], o, func(w *sectionEdit) error {
		coll, err := w.collection()
		if err != nil {
			return err
		}
		step, key, err := newEntry(coll.Add, values)
		if err != nil {
			return err
		}
		if old, ok := w.entry(key); ok && !coll.AllowDuplicates {
			if says(old, values) {
				return nil
			}
			pos, _ := old.Written()
			return &hintedError{
				fmt.Errorf("the entry %s is there already, from %s", entryName(old), pos),
				fmt.Sprintf("change it with: rolemgr config set %s/%s[%s] ATTRIBUTE=VALUE", args[0], coll.Add.Name, entryName(old)),
			}
		}
		if err := w.doc.Add(w.at, step); err != nil {
			return &usageError{err.Error(), ""}
		}
		return nil
	})
}

// newEntry is the step that writes an entry, with its attributes in the order of the declaration, and its key.
func newEntry(e config.Element, values []assignment) (step, key edit.Step, err error) {
	step.Name = e.Name
	given := map[string]string{}
	var keys []assignment
	var extra []edit.Key
	for _, v := range values {
		a, err := accept(e, v)
		if err != nil {
			return step, key, err
		}
		if _, double := given[a.Name]; double {
			return step, key, &usageError{fmt.Sprintf("%q is given twice", a.Name), ""}
		}
		given[a.Name] = v.value
		if a.Key {
			keys = append(keys, v)
		}
		if !declared(e, a.Name) {
			extra = append(extra, edit.Key{Name: a.Name, Value: v.value})
		}
	}
	for _, a := range e.Attributes {
		v, ok := given[a.Name]
		if ok {
			step.Keys = append(step.Keys, edit.Key{Name: a.Name, Value: v})
		} else if a.Required {
			return step, key, &usageError{fmt.Sprintf("<%s> needs the attribute %q", e.Name, a.Name), fmt.Sprintf("write %s=VALUE", a.Name)}
		}
	}
	step.Keys = append(step.Keys, extra...)
	if key, err = entryStep(e, e.Name, keys); err != nil && len(keyNames(e)) > 0 {
		return step, key, err
	}
	return step, key, nil
}

func declared(e config.Element, name string) bool {
	for _, a := range e.Attributes {
		if a.Name == name {
			return true
		}
	}
	return false
}

// collection is the collection of the named element.
func (w *sectionEdit) collection() (*config.Collection, error) {
	if c := w.path.element.Collection; c != nil {
		return c, nil
	}
	hint := "set its attributes with \"rolemgr config set\""
	for _, e := range w.path.element.Elements {
		if e.Collection != nil {
			hint = fmt.Sprintf("its entries are in %s/%s", w.path.typed, e.Name)
			break
		}
	}
	return nil, &usageError{fmt.Sprintf("<%s> holds no entries", w.path.element.Name), hint}
}

// entry finds an entry of the named collection as it holds at the place.
func (w *sectionEdit) entry(key edit.Step) (config.Node, bool) {
	n, ok := w.inherited()
	if !ok || len(key.Keys) == 0 {
		return config.Node{}, false
	}
	return child(n, key)
}

// says reports whether an entry has these values already.
func says(n config.Node, values []assignment) bool {
	for _, v := range values {
		found := false
		for _, have := range n.Values() {
			found = found || strings.EqualFold(have.Attribute.Name, v.name) && have.Text == v.value
		}
		if !found {
			return false
		}
	}
	return true
}

// entryName is the key of an entry as it is typed in brackets.
func entryName(n config.Node) string {
	var parts []string
	for _, v := range n.Values() {
		if v.Attribute.Key && !v.Attribute.Secret {
			parts = append(parts, v.Attribute.Name+"="+v.Text)
		}
	}
	return strings.Join(parts, ",")
}

func newConfigRemoveCommand(c *cli) *cobra.Command {
	o := setOptions{}
	cmd := &cobra.Command{
		Use:   "remove COLLECTION KEY=VALUE...",
		Short: "Remove an entry from a collection",
		Long: `Remove an entry from a collection. What the file itself adds is taken out of it; for an entry of a file above the
file gets a <remove>.
` + pathHelp,
		Example: `  rolemgr config remove staticContent fileExtension=.webmanifest
  rolemgr config remove modules name=WebSocketModule --site "Default Web Site/plain"`,
		Args: argCount(2, -1, "a collection and KEY=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error { return runConfigRemove(cmd.Context(), c, args, o) },
	}
	o.addFlags(cmd)
	return cmd
}

func runConfigRemove(ctx context.Context, c *cli, args []string, o setOptions) error {
	values, err := assignments(args[1:])
	if err != nil {
		return err
	}
	return c.editSection(ctx, args[0], o, func(w *sectionEdit) error {
		coll, err := w.collection()
		if err != nil {
			return err
		}
		step, err := entryStep(coll.Add, coll.Add.Name, values)
		if err != nil {
			return err
		}
		gone, err := w.doc.Remove(w.at.Then(step))
		if err != nil {
			return err
		}
		old, there := w.entry(step)
		if gone {
			old, there = w.still(step)
		}
		if !there {
			return w.nothingRemoved(gone, step)
		}
		w.path.entry = coll
		return w.takeOut(old, w.at, step)
	})
}

// still finds an entry that holds although the file does not add it any more.
func (w *sectionEdit) still(step edit.Step) (config.Node, bool) {
	t, err := w.tree.with(w.place.file, w.doc.Bytes())
	if err != nil {
		return config.Node{}, false
	}
	eff, err := w.place.effective(t)
	if err != nil {
		return config.Node{}, false
	}
	n, ok := w.path.node(eff)
	if !ok {
		return n, false
	}
	return child(n, step)
}

func (w *sectionEdit) nothingRemoved(gone bool, step edit.Step) error {
	if gone {
		return nil
	}
	var names []string
	if n, ok := w.inherited(); ok {
		for _, e := range n.Entries() {
			names = append(names, entryName(e))
		}
	}
	var key []string
	for _, k := range step.Keys {
		key = append(key, k.Name+"="+k.Value)
	}
	wanted := strings.Join(key, ",")
	return &usageError{
		fmt.Sprintf("the collection has no entry %s%s", wanted, config.DidYouMean(wanted, names)),
		fmt.Sprintf("\"rolemgr config get %s\" shows the entries", w.path.typed),
	}
}
