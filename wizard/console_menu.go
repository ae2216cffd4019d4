package wizard

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// menu is one of the menus of Server Manager.
type menu struct {
	title string
	items []menuItem
}

// menuItem is an entry; why says why it cannot be chosen, "" when it can.
type menuItem struct {
	label string
	act   tea.Msg
	why   string
}

// menuOf returns the menu that a key opens, -1 for none.
func menuOf(k string) int { return strings.Index("mtvh", strings.TrimPrefix(k, "alt+")) }

func (c *console) menus() []menu {
	const single = "rolemgr manages this machine; the wizard also takes other home folders"
	view := menu{title: "View"}
	for _, p := range c.pages() {
		view.items = append(view.items, menuItem{label: c.name(p), act: goMsg{p}})
	}
	view.items = append(view.items,
		menuItem{label: "Notifications", act: goMsg{atNotifications}}, menuItem{label: "Refresh", act: refreshMsg{}})
	return []menu{
		{"Manage", []menuItem{
			{"Add Roles and Features", openWizardMsg{Add}, ""},
			{"Remove Roles and Features", openWizardMsg{Remove}, ""},
			{"Add Servers", nil, single},
			{"Create Server Group", nil, single},
			{"Server Manager Properties", nil, "nothing is refreshed by itself here: F5 refreshes"},
		}},
		{"Tools", []menuItem{
			{"Installed features", goMsg{atInstalled}, ""},
			{"Sites and bindings", goMsg{atSites}, ""},
			{"Live connections", goMsg{atConnections}, ""},
			{"Log", goMsg{atLog}, ""},
			{"Configuration check", goMsg{atCheck}, ""},
		}},
		view,
		{"Help", []menuItem{
			{"Keys", helpMsg{}, ""},
			{"About rolemgr", noteMsg{"About", "rolemgr " + c.o.Version + ", Server Manager for one bundled web server"}, ""},
		}},
	}
}

// menuKey takes a key while a menu is open.
func (c *console) menuKey(k string) tea.Msg {
	menus := c.menus()
	items := menus[c.menu].items
	switch k {
	case "esc":
		c.menu = -1
	case "up":
		c.item = (c.item + len(items) - 1) % len(items)
	case "down":
		c.item = (c.item + 1) % len(items)
	case "left", "shift+tab":
		c.menu, c.item = (c.menu+len(menus)-1)%len(menus), 0
	case "right", "tab":
		c.menu, c.item = (c.menu+1)%len(menus), 0
	case "enter", " ":
		return c.choose(items[c.item])
	default:
		if strings.HasPrefix(k, "alt+") {
			if i := menuOf(k); i >= 0 {
				c.menu, c.item = i, 0
			}
			return nil
		}
		return c.menuLetter(k, items)
	}
	return nil
}

// menuLetter goes to the next entry that begins with a letter, and chooses it when it is the only one.
func (c *console) menuLetter(k string, items []menuItem) tea.Msg {
	var hits []int
	for n := 1; n <= len(items); n++ {
		if i := (c.item + n) % len(items); strings.EqualFold(k, items[i].label[:1]) {
			hits = append(hits, i)
		}
	}
	if len(hits) == 0 {
		return nil
	}
	c.item = hits[0]
	if len(hits) == 1 {
		return c.choose(items[c.item])
	}
	return nil
}

// choose closes the menu and does what an entry says, or tells why not.
func (c *console) choose(it menuItem) tea.Msg {
	c.menu = -1
	if it.why != "" {
		c.say(it.label+": "+it.why, true)
		return nil
	}
	if to, ok := it.act.(goMsg); ok && to.to == atNotifications {
		c.show(atNotifications)
		return seenMsg{}
	}
	return it.act
}

// menuBar is the row of menu titles with the letter of each underlined, and where each begins.
func (c *console) menuBar(th *theme) (bar string, at []int) {
	for i, m := range c.menus() {
		if i > 0 {
			bar += "  "
		}
		at = append(at, ansi.StringWidth(bar))
		if i == c.menu {
			bar += th.chosen.Render(m.title)
			continue
		}
		bar += th.match.Render(m.title[:1]) + m.title[1:]
	}
	return bar, at
}

// dropDown draws the open menu over the page, below its title at column left.
func (c *console) dropDown(th *theme, page []string, left, w int) []string {
	m := c.menus()[c.menu]
	inner := 0
	for _, it := range m.items {
		inner = max(inner, ansi.StringWidth(it.label))
	}
	inner += 4
	left = max(min(left-1, w-inner-2), 0)
	g := &th.glyph
	box := []string{th.accent.Render(g.topLeft + strings.Repeat(g.rule, inner) + g.topRight)}
	for i, it := range m.items {
		line := "  " + it.label
		style := th.plain
		switch {
		case i == c.item:
			line, style = g.cursor+" "+it.label, th.selected
		case it.why != "":
			style = th.dim
		}
		box = append(box, th.accent.Render(g.bar)+style.Render(th.fit(line, inner))+th.accent.Render(g.bar))
	}
	box = append(box, th.accent.Render(g.bottomLeft+strings.Repeat(g.rule, inner)+g.bottomRight))
	out := make([]string, len(page))
	for i, line := range page {
		line = th.fit(ansi.Strip(line), w)
		out[i] = th.dim.Render(line)
		if i < len(box) {
			out[i] = th.dim.Render(ansi.Cut(line, 0, left)) + box[i] + th.dim.Render(ansi.Cut(line, left+inner+2, w))
		}
	}
	return out
}
