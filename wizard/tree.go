package wizard

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/features"
)

// tree is a view of a part of the role tree: which nodes are open, where the cursor is, what the filter lets through. It
// changes no tick.
type tree struct {
	cat    *features.Catalog
	roots  []features.ID
	open   map[features.ID]bool
	cursor features.ID
	top    int // first row on the screen
	height int // rows on the screen at the last view

	filter    string
	filtering bool // keys go into the filter
}

// inDescription is why a row matched by nothing but its description.
const inDescription = "in its description"

// row is a node that is shown.
type row struct {
	id    features.ID
	depth int
	kids  bool
	open  bool
	from  int    // of the match in the title, -1 for none
	why   string // what matched when it was not the title
}

func newTree(cat *features.Catalog, roots []features.ID) *tree {
	t := &tree{cat: cat, roots: roots, open: map[features.ID]bool{}, height: 1}
	if len(roots) > 0 {
		t.cursor = roots[0]
	}
	return t
}

// rows returns what is shown, from the top.
func (t *tree) rows() []row {
	var out []row
	var walk func(ids []features.ID, depth int)
	walk = func(ids []features.ID, depth int) {
		for _, id := range ids {
			r := row{id: id, depth: depth, from: -1}
			kids := t.cat.Children(id)
			r.kids = len(kids) > 0
			if t.filter == "" {
				r.open = r.kids && t.open[id]
				out = append(out, r)
				if r.open {
					walk(kids, depth+1)
				}
				continue
			}
			at := len(out)
			ok := t.matches(&r)
			r.open = r.kids
			out = append(out, r)
			walk(kids, depth+1)
			if !ok && len(out) == at+1 {
				out = out[:at] // neither the node nor anything below it
			}
		}
	}
	walk(t.roots, 0)
	return out
}

// matches reports whether the filter lets a node through, and notes why.
func (t *tree) matches(r *row) bool {
	u, _ := t.cat.Unit(r.id)
	want := strings.ToLower(t.filter)
	if r.from = strings.Index(strings.ToLower(u.Title), want); r.from >= 0 {
		return true
	}
	for _, name := range []string{string(u.ID), u.WindowsName, u.DISMName} {
		if strings.Contains(strings.ToLower(name), want) {
			r.why = name
			return true
		}
	}
	if summary, _, _ := strings.Cut(u.Doc, "\n"); strings.Contains(strings.ToLower(summary), want) {
		r.why = inDescription
		return true
	}
	return false
}

// at returns the rows and the place of the cursor among them. A cursor that is not shown goes to the nearest node that
// is: the first match, or the node that it is folded into.
func (t *tree) at() (rows []row, i int) {
	rows = t.rows()
	if len(rows) == 0 {
		return nil, 0
	}
	find := func(id features.ID) int {
		for i, r := range rows {
			if r.id == id {
				return i
			}
		}
		return -1
	}
	i = find(t.cursor)
	for _, a := range t.cat.Ancestors(t.cursor) {
		if i >= 0 {
			break
		}
		i = find(a)
	}
	i = max(i, 0)
	t.cursor = rows[i].id
	return rows, i
}

// reveal opens what stands above a node and puts the cursor on it.
func (t *tree) reveal(id features.ID) {
	for _, a := range t.cat.Ancestors(id) {
		t.open[a] = true
	}
	t.cursor = id
}

// key moves the cursor, folds, and reports whether the key meant something here.
func (t *tree) key(k string) bool {
	if t.filtering {
		return t.filterKey(k)
	}
	rows, i := t.at()
	if len(rows) == 0 {
		return k == "/" && t.beginFilter()
	}
	switch k {
	case "up", "k":
		i--
	case "down", "j":
		i++
	case "pgup":
		i -= t.height
	case "pgdown":
		i += t.height
	case "home", "g":
		i = 0
	case "end", "G":
		i = len(rows) - 1
	case "right", "l":
		if r := rows[i]; r.kids && !r.open {
			t.open[r.id] = true
			return true
		} else if r.kids {
			i++
		}
	case "left", "h":
		return t.fold(rows[i])
	case "*":
		t.openAll(rows[i].id)
		return true
	case "/":
		return t.beginFilter()
	case "esc":
		had := t.filter != ""
		t.filter = ""
		return had
	default:
		return t.jump(k, rows, i)
	}
	t.cursor = rows[min(max(i, 0), len(rows)-1)].id
	return true
}

func (t *tree) beginFilter() bool {
	t.filtering = true
	return true
}

// filterKey edits the filter. Arrows move among what it found meanwhile.
func (t *tree) filterKey(k string) bool {
	switch k {
	case "enter", "tab":
		t.filtering = false
		if rows, i := t.at(); len(rows) > 0 && t.filter != "" {
			t.reveal(rows[i].id)
		}
	case "esc":
		t.filtering, t.filter = false, ""
	case "backspace":
		if t.filter == "" {
			t.filtering = false
			break
		}
		_, n := utf8.DecodeLastRuneInString(t.filter)
		t.filter = t.filter[:len(t.filter)-n]
	case "up", "down", "pgup", "pgdown", "home", "end":
		t.filtering = false
		t.key(k)
		t.filtering = true
		return true
	default:
		if !printable(k) {
			return false
		}
		t.filter += k
	}
	t.toMatch()
	return true
}

// toMatch puts the cursor on the first node whose name matches, or else on the first that matches in another way.
func (t *tree) toMatch() {
	if t.filter == "" {
		return
	}
	rows := t.rows()
	for _, byName := range []bool{true, false} {
		for _, r := range rows {
			if r.from >= 0 || !byName && r.why != "" {
				t.cursor = r.id
				return
			}
		}
	}
}

// fold closes a node, or goes to the node above it.
func (t *tree) fold(r row) bool {
	if r.open && t.filter == "" {
		delete(t.open, r.id)
		return true
	}
	if above := t.cat.Ancestors(r.id); len(above) > 0 && r.depth > 0 {
		t.cursor = above[0]
	}
	return true
}

// openAll opens a node and everything below it.
func (t *tree) openAll(id features.ID) {
	for _, d := range append(t.cat.Descendants(id), id) {
		t.open[d] = true
	}
}

// jump goes to the next row whose name begins with a letter. Small letters that are keys never come here; capitals
// always do.
func (t *tree) jump(k string, rows []row, i int) bool {
	if !printable(k) || k == " " {
		return false
	}
	for n := 1; n <= len(rows); n++ {
		r := rows[(i+n)%len(rows)]
		u, _ := t.cat.Unit(r.id)
		if strings.HasPrefix(strings.ToLower(u.Title), strings.ToLower(k)) {
			t.cursor = r.id
			return true
		}
	}
	return false
}

// printable reports whether a key is one letter that can be typed into a text.
func printable(k string) bool {
	r, n := utf8.DecodeRuneInString(k)
	return n == len(k) && n > 0 && r != utf8.RuneError && unicode.IsPrint(r)
}
