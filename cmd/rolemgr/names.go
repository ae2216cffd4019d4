package main

import (
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/spf13/cobra"
)

// ids finds every typed name. All names that nothing has are reported at once.
func (c *cli) ids(names []string) ([]features.ID, error) {
	cat, err := c.catalog()
	if err != nil {
		return nil, err
	}
	var ids []features.ID
	var unknown unknownNames
	for _, name := range names {
		u, err := cat.Find(name)
		if err != nil {
			unknown = append(unknown, err)
			continue
		}
		ids = append(ids, u.ID)
	}
	if len(unknown) > 0 {
		return nil, unknown
	}
	return ids, nil
}

// unknownNames are names that nothing has, one error each.
type unknownNames []error

func (e unknownNames) Error() string {
	var lines []string
	for _, err := range e {
		lines = append(lines, err.Error())
	}
	return strings.Join(lines, "; ")
}

// Unwrap returns the errors of the single names.
func (e unknownNames) Unwrap() []error { return e }

// completeNames offers the ids of the catalogue to the shell.
func (c *cli) completeNames(_ *cobra.Command, _ []string, prefix string) ([]string, cobra.ShellCompDirective) {
	cat, err := c.catalog()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, u := range cat.Units() {
		if strings.HasPrefix(string(u.ID), strings.ToLower(prefix)) {
			names = append(names, string(u.ID)+"\t"+u.Title)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
