package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// checkSites looks at the configuration of the sites of the server, as config check does: each file in its place, with what
// the files above it lock and list. It tells what the server does not take as it is, one line for each.
func (c *cli) checkSites(ctx context.Context) ([]string, error) {
	j, err := c.newJudge(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	if j.note != "" {
		out = append(out, j.note)
	}
	told := map[string]bool{}
	for _, dir := range j.siteFolders() {
		res, err := j.check(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a site without its folder answers 404, and nothing in it is wrong
		}
		if err != nil {
			return nil, err
		}
		for _, f := range res.Findings {
			if line := c.problemLine(f); line != "" && !told[line] {
				told[line] = true
				out = append(out, line)
			}
		}
	}
	return out, nil
}

// siteFolders returns the folders that the sites of the server are served from, or where that is not known the one that
// holds them all on a new server. Folders below another one are part of it.
func (j *judge) siteFolders() []string {
	dirs := []string{filepath.Join(j.home, "sites")}
	if j.tree != nil {
		for _, s := range j.tree.Sites() {
			for _, a := range s.Applications {
				for _, v := range a.VirtualDirs {
					dirs = append(dirs, v.PhysicalPath)
				}
			}
		}
	}
	slices.Sort(dirs)
	var out []string
	for _, dir := range dirs {
		if !slices.ContainsFunc(out, func(above string) bool {
			rel, err := filepath.Rel(above, dir)
			return err == nil && filepath.IsLocal(rel)
		}) {
			out = append(out, dir)
		}
	}
	return out
}

// problemLine tells a finding that this server does not take as it is in one line, "" for any other.
func (c *cli) problemLine(f finding) string {
	if f.inner {
		return ""
	}
	switch f.Verdict {
	case config.Faulty, config.Unsupported:
		return fmt.Sprintf("%s: %s%s", f.place(), about(f), f.Reason)
	case config.NeedsFeature:
		return fmt.Sprintf("%s: %s needs %s: %s", f.place(), f.Name, c.title(features.ID(f.Feature)), f.Command)
	}
	return ""
}
