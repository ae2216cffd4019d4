package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// checkResult is what `rolemgr config check --json` prints. Version 1 has had version, ok, path and faults from the
// beginning; the rest came later and took nothing away.
type checkResult struct {
	Version int    `json:"version"`
	OK      bool   `json:"ok"` // this server takes the files as they are
	Path    string `json:"path"`
	// Faults are all that this server would answer with 500.19, sections that need a feature or are not supported included.
	Faults   []fault     `json:"faults"`
	Summary  string      `json:"summary"`
	Files    []string    `json:"files"`
	Skipped  []string    `json:"skipped"` // folders that were not looked into
	Server   checkServer `json:"server"`
	Counts   checkCounts `json:"counts"`
	Needs    []checkNeed `json:"needs"`
	Findings []finding   `json:"findings"`
	Notes    []string    `json:"notes"`

	php []checkPlace // programs of PHP in the folder of the site
}

// checkServer is the server at hand.
type checkServer struct {
	Home      string        `json:"home"`
	Installed []features.ID `json:"installed"`
	// Assumed are the features that nothing-installed is judged with: the default services of the role.
	Assumed []features.ID `json:"assumed"`
}

// checkCounts counts elements by what becomes of them, with the worst of their attributes. Faults counts faults, which
// may be several in one element.
type checkCounts struct {
	Elements     int `json:"elements"`
	Honoured     int `json:"honoured"`
	NoEffect     int `json:"no_effect"` // elements and attributes
	Ignored      int `json:"ignored"`
	NeedsFeature int `json:"needs_feature"`
	Unsupported  int `json:"unsupported"`
	Faults       int `json:"faults"`

	byFeature map[string]int
}

// checkNeed is a feature that the files use.
type checkNeed struct {
	Feature   features.ID  `json:"feature"`
	Title     string       `json:"title"`
	Installed bool         `json:"installed"` // recorded on the server at hand
	Command   string       `json:"command"`
	Places    []checkPlace `json:"places"`
}

// checkPlace is where a feature is used.
type checkPlace struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Name   string `json:"name"`
}

// finding is one element or attribute and what becomes of it.
type finding struct {
	File    string             `json:"file"`
	Line    int                `json:"line"`
	Column  int                `json:"column"`
	Kind    config.FindingKind `json:"kind"`
	Name    string             `json:"name"`
	Section string             `json:"section,omitempty"`
	Verdict config.Verdict     `json:"verdict"`
	Reason  string             `json:"reason,omitempty"`
	Feature string             `json:"feature,omitempty"` // that owns it or is needed
	Command string             `json:"command,omitempty"` // what installs the feature, for needs-feature
	Code    string             `json:"code,omitempty"`    // the HRESULT that IIS would show, for faults: "0x8007000d"
	Hint    string             `json:"hint,omitempty"`

	source   config.Excerpt
	examined bool           // a fault of what is said, not of how it is written
	inner    bool           // what stands around it has the same verdict for the same reason
	worst    config.Verdict // with that of its attributes, where it is a fault
}

// fault is a fault of a configuration file, as version 1 has told it from the beginning.
type fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Code    string `json:"code"`
	Section string `json:"section,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Feature string `json:"feature,omitempty"` // id of the feature that is missing
}

// check judges a file, or every web.config of a folder.
func (j *judge) check(path string) (checkResult, error) {
	res := checkResult{
		Version: 1, Path: path, Faults: []fault{}, Files: []string{}, Skipped: []string{}, Needs: []checkNeed{}, Findings: []finding{}, Notes: []string{},
		Server: checkServer{Home: j.home, Installed: append([]features.ID{}, j.installed...), Assumed: []features.ID{}},
		Counts: checkCounts{byFeature: map[string]int{}},
	}
	info, err := os.Stat(path)
	if err != nil {
		return res, fmt.Errorf("check the configuration: %w", err)
	}
	root, err := filepath.Abs(path)
	if err != nil {
		return res, fmt.Errorf("check the configuration: %w", err)
	}
	s := shown{root: root, path: path}
	list := config.Listing{Files: []string{root}}
	folder := filepath.Dir(root)
	if info.IsDir() {
		list, folder = config.WebConfigs(root), root
	}
	for _, e := range list.Errors {
		res.add(s, []config.Finding{{Pos: e.Pos, Kind: config.OfPlace, Verdict: config.Faulty, Reason: e.Message, Fault: e, Parent: -1}})
	}
	for _, dir := range list.Skipped {
		res.Skipped = append(res.Skipped, s.file(dir))
	}
	for _, name := range list.Files {
		res.Files = append(res.Files, s.file(name))
		res.add(s, j.inspect(folder, name))
	}
	if name := filepath.Join(folder, "index.php"); info.IsDir() && isFile(name) {
		res.php = []checkPlace{{File: s.file(name), Name: "PHP"}}
		if !j.have[phpFeature] {
			res.Notes = append(res.Notes, s.file(name)+" is a program of PHP, which the feature FastCGI runs: rolemgr install "+phpFeature)
		}
	}
	res.needs(j)
	if len(j.installed) == 0 {
		for _, u := range j.cat.Units() {
			if j.have[u.ID] && !u.Group {
				res.Server.Assumed = append(res.Server.Assumed, u.ID)
			}
		}
	}
	if j.note != "" {
		res.Notes = append(res.Notes, j.note)
	}
	res.OK = res.Counts.Faults+res.Counts.Unsupported+res.Counts.NeedsFeature == 0
	res.Summary = res.summary()
	return res, nil
}

// phpFeature runs the programs of PHP of sites that leave the mapping to their server.
const phpFeature = "fastcgi"

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// add takes over the findings of one file, in the order of their places.
func (r *checkResult) add(s shown, found []config.Finding) {
	rows := make([]finding, len(found))
	files := map[string]int{}
	for i, fd := range found {
		f := s.finding(fd)
		if p := fd.Parent; p >= 0 {
			f.inner = found[p].Verdict == fd.Verdict && found[p].Reason == fd.Reason && found[p].Feature == fd.Feature ||
				fd.Kind == config.OfAttribute && fd.Verdict == config.NeedsFeature // it is its element that needs it
			if fd.Kind == config.OfAttribute && fd.Verdict == config.Faulty {
				rows[p].worst = config.Faulty
			}
		}
		if _, seen := files[f.File]; !seen {
			files[f.File] = i
		}
		rows[i] = f
	}
	slices.SortStableFunc(rows, func(a, b finding) int {
		return cmp.Or(files[a.File]-files[b.File], cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	for _, f := range rows {
		r.Counts.count(f)
		r.fault(f)
	}
	r.Findings = append(r.Findings, rows...)
}

// finding turns a finding into what is printed.
func (s shown) finding(fd config.Finding) finding {
	f := finding{
		File: s.file(fd.Pos.File), Line: fd.Pos.Line, Column: fd.Pos.Column, Kind: fd.Kind, Name: fd.Name, Section: fd.Section,
		Verdict: fd.Verdict, Reason: s.text(fd.Reason), Feature: fd.Feature, worst: fd.Verdict, examined: fd.Examined,
	}
	if f.Verdict == config.NeedsFeature {
		f.Command = "rolemgr install " + f.Feature
	}
	if e := fd.Fault; e != nil {
		f.File, f.Line, f.Column = s.file(e.Pos.File), e.Pos.Line, e.Pos.Column
		f.Code, f.Hint, f.source = fmt.Sprintf("%#08x", e.HResult), s.text(e.Hint), e.Source
	}
	return f
}

func (n *checkCounts) count(f finding) {
	if f.Verdict == config.Faulty {
		n.Faults++
	}
	if f.Verdict == config.WithoutEffect && !f.inner {
		n.NoEffect++
	}
	if !f.Kind.IsElement() {
		return
	}
	n.Elements++
	switch f.worst {
	case config.Honoured:
		n.Honoured++
	case config.Ignored:
		n.Ignored++
	case config.NeedsFeature:
		n.NeedsFeature++
		n.byFeature[f.Feature]++
	case config.Unsupported:
		n.Unsupported++
	}
}

// fault adds what this server would answer with 500.19.
func (r *checkResult) fault(f finding) {
	if f.Verdict != config.Faulty && f.Kind != config.OfSection {
		return // the host takes the entry: it does not do what it says, that is all
	}
	out := fault{File: f.File, Line: f.Line, Column: f.Column, Code: f.Code, Section: f.Section, Message: f.Reason, Hint: f.Hint}
	switch f.Verdict {
	case config.Faulty:
	case config.NeedsFeature:
		out.Feature, out.Code = f.Feature, fmt.Sprintf("%#08x", config.HResultMalformed)
		out.Message = fmt.Sprintf("%q needs the feature %q, which is not installed", f.Name, f.Feature)
		out.Hint = "install it with: " + f.Command
	case config.Unsupported:
		out.Feature, out.Code = f.Feature, fmt.Sprintf("%#08x", config.HResultMalformed)
		out.Message = fmt.Sprintf("%q cannot be used here: %s", f.Name, f.Reason)
	default:
		return
	}
	r.Faults = append(r.Faults, out)
}

// needs gathers the features that are used, in display order, with every place that is no part of another.
func (r *checkResult) needs(j *judge) {
	places := map[features.ID][]checkPlace{}
	for _, f := range r.Findings {
		id := features.ID(f.Feature)
		if id == "" || f.inner || !f.Kind.IsElement() || f.Verdict == config.Unsupported {
			continue
		}
		if own := j.owners[f.Section]; f.Kind == config.OfElement && own == id {
			continue // its section is there already
		}
		places[id] = append(places[id], checkPlace{f.File, f.Line, f.Column, f.Name})
	}
	if len(places[phpFeature]) == 0 && r.php != nil {
		places[phpFeature] = r.php
	}
	for _, u := range j.cat.Units() {
		if at := places[u.ID]; at != nil {
			r.Needs = append(r.Needs, checkNeed{
				Feature: u.ID, Title: u.Title, Installed: slices.Contains(j.installed, u.ID), Command: "rolemgr install " + string(u.ID), Places: at,
			})
		}
	}
}

// summary is the verdict in one line.
func (r *checkResult) summary() string {
	n := r.Counts
	head := r.Path
	if len(r.Files) != 1 || r.Files[0] != r.Path {
		head += fmt.Sprintf(" (%s)", plural(len(r.Files), "web.config"))
	}
	var parts []string
	switch {
	case n.Elements > 0:
		parts = append(parts, fmt.Sprintf("%d of %s honoured", n.Honoured, plural(n.Elements, "element")))
	case n.Faults == 0:
		parts = append(parts, "nothing in it is for this server")
	}
	var ids []string
	for id := range n.byFeature {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(n.byFeature[b]-n.byFeature[a], strings.Compare(a, b)) })
	for _, id := range ids {
		verb := "need"
		if n.byFeature[id] == 1 {
			verb = "needs"
		}
		parts = append(parts, fmt.Sprintf("%d %s %s", n.byFeature[id], verb, id))
	}
	for _, p := range []struct {
		n    int
		what string
	}{{n.Unsupported, "not supported"}, {n.Ignored, "ignored"}, {n.NoEffect, "without effect"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if n.Faults > 0 {
		parts = append(parts, plural(n.Faults, "fault"))
	}
	return head + ": " + strings.Join(parts, "; ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, ".config") {
		return fmt.Sprintf("%d %s files", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// shown writes paths below the checked one as the person wrote it.
type shown struct{ root, path string }

func (s shown) file(name string) string {
	if rel, err := filepath.Rel(s.root, name); err == nil && filepath.IsLocal(rel) {
		return filepath.Join(s.path, rel)
	}
	return name
}

// text does the same for places in a message.
func (s shown) text(message string) string {
	dir, as := s.root, s.path
	if filepath.Base(dir) == filepath.Base(as) && strings.HasSuffix(strings.ToLower(dir), ".config") {
		dir, as = filepath.Dir(dir), filepath.Dir(as)
	}
	as = strings.TrimPrefix(as+"/", "./")
	return strings.ReplaceAll(message, strings.TrimSuffix(dir, "/")+"/", as)
}
