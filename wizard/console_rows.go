package wizard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
)

// sign says how something is, with a glyph and a colour.
type sign uint8

const (
	noSign sign = iota
	good
	warned
	failed
)

// crow is a row of a page of Server Manager: cells in columns, or one text.
type crow struct {
	cells []string
	sign  sign
	head  bool    // a heading
	wrap  bool    // a text that may need more lines
	act   tea.Msg // what Enter does; nil when it cannot be pressed
}

// tile is a box of the dashboard.
type tile struct {
	title string
	count string
	rows  []crow
}

func heading(texts ...string) crow { return crow{cells: texts, head: true} }
func text(s string) crow           { return crow{cells: []string{s}, wrap: true} }
func blank() crow                  { return crow{cells: []string{""}} }

// items are the rows of the current place that can be pressed, in order.
func (c *console) items() []crow {
	var out []crow
	add := func(rows []crow) {
		for _, r := range rows {
			if r.act != nil {
				out = append(out, r)
			}
		}
	}
	if c.info.at.IsZero() {
		return nil // nothing is known and nothing shown yet
	}
	if c.place == atDashboard {
		for _, t := range c.tiles() {
			add(t.rows)
		}
		return out
	}
	add(c.rows())
	return out
}

// sideways goes to the same row of the tile beside.
func (c *console) sideways(k string) {
	if c.place != atDashboard {
		return
	}
	at := c.cursor
	tiles := c.tiles()
	for i, t := range tiles {
		n := len(t.rows)
		if at >= n {
			at -= n
			continue
		}
		to := i - 1
		if k == "right" {
			to = i + 1
		}
		if to < 0 || to >= len(tiles) {
			return
		}
		c.cursor = min(at, len(tiles[to].rows)-1)
		for _, before := range tiles[:to] {
			c.cursor += len(before.rows)
		}
		return
	}
}

// tiles are the dashboard.
func (c *console) tiles() []tile {
	i := &c.info
	var out []tile
	if i.stateErr == nil && len(i.state.Features) == 0 {
		out = append(out, tile{"Quick start", "", []crow{
			{cells: []string{"Add roles and features"}, act: openWizardMsg{Add}},
			{cells: []string{"Look at this server"}, act: goMsg{atLocal}},
		}})
	}
	manage := crow{cells: []string{"Manageability", "online"}, sign: good, act: goMsg{atLocal}}
	if i.stateErr != nil {
		manage.cells[1], manage.sign = "not readable", failed
	}
	events := crow{cells: []string{"Events", "none new"}, sign: good, act: goMsg{atLog}}
	switch {
	case i.failures > 0:
		events.cells[1], events.sign = count(i.failures, "error", "errors"), failed
	case i.warnings > 0:
		events.cells[1], events.sign = count(i.warnings, "warning", "warnings"), warned
	}
	services := crow{cells: []string{"Services", "running"}, sign: good, act: goMsg{atLocal}}
	if i.hostErr != nil {
		services.cells[1], services.sign = "not running", warned
	}
	sockets := crow{cells: []string{"Sockets", thousands(i.sockets())}, act: goMsg{atConnections}}
	requests := crow{cells: []string{"Requests", thousands(int(i.host.Requests))}, act: goMsg{atSites}}
	best := crow{cells: []string{"Best practices", "none"}, sign: good, act: goMsg{atInstalled}}
	if n := len(i.drifted()) + len(i.faults); n > 0 {
		best.cells[1], best.sign = thousands(n)+" found", warned
		if len(i.drifted()) == 0 {
			best.act = goMsg{atCheck}
		}
	}
	for range i.roles {
		out = append(out, tile{"IIS", "1", []crow{manage, events, services, sockets, best}})
	}
	return append(out,
		tile{"Local Server", "1", []crow{manage, events, services, requests, best}},
		tile{"All Servers", "1", []crow{{cells: manage.cells, sign: manage.sign, act: goMsg{atAll}}, events, services, sockets, best}})
}

// rows are the current place, but for the dashboard.
func (c *console) rows() []crow {
	switch c.place {
	case atLocal:
		return c.localRows()
	case atAll:
		return c.allRows()
	case atRole:
		return append(c.siteRows(), append([]crow{blank()}, c.installedRows()...)...)
	case atInstalled:
		return c.installedRows()
	case atSites:
		return c.siteRows()
	case atConnections:
		return c.connectionRows()
	case atLog:
		return c.logRows()
	case atCheck:
		return c.checkRows()
	case atNotifications:
		return c.noticeRows()
	}
	return nil
}

func (c *console) localRows() []crow {
	i, srv := &c.info, c.o.Local
	row := func(name, value string) crow { return crow{cells: []string{name, value}} }
	level, changed := i.state.Level, "never"
	if level == "" {
		level = "8.0"
	}
	if i.state.Serial > 0 {
		changed = fmt.Sprintf("%s (serial %d)", ago(i.state.Written, i.at), i.state.Serial)
	}
	out := []crow{
		heading("Properties"), row("Computer name", srv.Name), row("IP addresses", srv.Address), row("Operating system", srv.System),
		row("Home folder", srv.Home), row("Server level", "IIS "+level), row("Last change", changed), row("rolemgr", c.o.Version),
		blank(), heading("Services"),
	}
	if i.hostErr != nil {
		return append(out, crow{cells: []string{"wshost", "not running"}, sign: warned},
			text("\"rolemgr serve\" runs it. Features can be added and removed all the same."))
	}
	return append(out, crow{cells: []string{"wshost", fmt.Sprintf("running, process %d, generation %d", i.host.PID, i.host.Generation)}, sign: good},
		row("Started", ago(i.host.Started, i.at)), row("Requests", thousands(int(i.host.Requests))), row("Live sockets", thousands(i.sockets())),
		row("Modules", fmt.Sprint(len(i.host.Modules))))
}

func (c *console) allRows() []crow {
	status, s := "Online", good
	if c.info.stateErr != nil {
		status, s = "Not readable", failed
	}
	return []crow{
		heading("Server Name", "IP Address", "Manageability", "Last Update"),
		{cells: []string{c.o.Local.Name, c.o.Local.Address, status, c.info.at.Format("15:04:05")}, sign: s, act: goMsg{atLocal}},
	}
}

func (c *console) installedRows() []crow {
	i := &c.info
	out := []crow{heading("Roles and Features", "State", "Version")}
	if len(i.state.Features) == 0 {
		return append(out, text("Nothing is installed yet."), blank(),
			crow{cells: []string{"Add roles and features"}, act: openWizardMsg{Add}})
	}
	bad := map[features.ID]bool{}
	for _, f := range i.drifted() {
		bad[f.Unit] = true
	}
	recorded := map[features.ID]state.Feature{}
	for _, f := range i.state.Features {
		recorded[features.ID(f.ID)] = f
	}
	for _, u := range c.o.Catalog.Units() {
		f, ok := recorded[u.ID]
		if !ok {
			continue
		}
		delete(recorded, u.ID)
		r := crow{cells: []string{strings.Repeat("  ", c.o.Catalog.Depth(u.ID)) + u.Title, "Installed", f.Version}, sign: good}
		if bad[u.ID] {
			r.cells[1], r.sign = "Drifted", warned
		}
		out = append(out, r)
	}
	for _, f := range i.state.Features {
		if _, left := recorded[features.ID(f.ID)]; left {
			out = append(out, crow{cells: []string{f.ID, "Unknown to this version", f.Version}, sign: warned})
		}
	}
	return append(out, driftRows(i.drifted())...)
}

// driftRows name the files that are not as recorded, and the way out.
func driftRows(files []target.FileCheck) []crow {
	if len(files) == 0 {
		return nil
	}
	out := []crow{blank(), heading("Not as recorded", "File")}
	for _, f := range files {
		out = append(out, crow{cells: []string{upperFirst(string(f.State)), f.Path}, sign: warned})
	}
	return append(out, text("Adding the feature again repairs its files: rolemgr install NAME."))
}

func (c *console) siteRows() []crow {
	i := &c.info
	out := []crow{heading("Site", "State", "Bindings")}
	if i.hostErr != nil {
		return append(out, text("No host is running: "+i.hostErr.Error()+". \"rolemgr serve\" runs it."))
	}
	for _, s := range i.host.Sites {
		r := crow{cells: []string{s.Name, s.State, strings.Join(s.Bindings, ", ")}, sign: good}
		if s.State != "Started" {
			r.sign = warned
		}
		out = append(out, r)
	}
	if len(i.host.Sites) == 0 {
		out = append(out, text("There are no sites."))
	}
	return out
}

func (c *console) connectionRows() []crow {
	i := &c.info
	out := []crow{heading("Remote", "Path", "Since", "In", "Out")}
	switch {
	case i.hostErr != nil:
		return append(out, text("No host is running. \"rolemgr serve\" runs it."))
	case len(i.conns) == 0:
		return append(out, text("No socket is open."))
	}
	for _, n := range i.conns {
		out = append(out, crow{cells: []string{
			harmless(n.Remote), harmless(n.Path), ago(n.Since, i.at), thousands(int(n.MessagesIn)), thousands(int(n.MessagesOut)),
		}})
	}
	return out
}

func (c *console) logRows() []crow {
	section := func(title string, lines []string, most int) []crow {
		out := []crow{heading(title)}
		if len(lines) == 0 {
			return append(out, text("Nothing was written yet."))
		}
		for _, l := range slices.Backward(lines[max(len(lines)-most, 0):]) {
			r := text(l)
			switch {
			case strings.Contains(l, " level=ERROR "):
				r.sign = failed
			case strings.Contains(l, " level=WARN "):
				r.sign = warned
			}
			out = append(out, r)
		}
		return out
	}
	out := section("Host log, newest first", c.info.log, 100)
	return append(append(out, blank()), section("Access log, newest first", c.info.access, 100)...)
}

func (c *console) checkRows() []crow {
	i := &c.info
	out := []crow{heading("Configuration check")}
	switch {
	case i.faultsErr != nil:
		return append(out, crow{cells: []string{upperFirst(i.faultsErr.Error())}, sign: failed, wrap: true})
	case len(i.faults) == 0:
		return append(out, crow{cells: []string{"No faults in the configuration of the sites"}, sign: good})
	}
	for _, f := range i.faults {
		out = append(out, crow{cells: []string{harmless(f)}, sign: warned, wrap: true})
	}
	return out
}

// ago writes a time as people say it: relative when it is recent.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "never"
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	}
	return t.Format("2006-01-02 15:04")
}
