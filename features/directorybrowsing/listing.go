package directorybrowsing

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"io"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// maxEntries is how many names of a folder are read. A page of more is no use to people, and reading them would let one
// request hold the memory that the size of a folder asks for.
const maxEntries = 5000

//go:embed listing.html
var pageSource string

// newPage parses the page. html/template escapes names for the place where they stand.
func newPage() *template.Template { return template.Must(template.New("listing").Parse(pageSource)) }

// listing is what the page shows.
type listing struct {
	Folder                       string // decoded URL path
	Parent                       bool
	ShowDate, ShowTime, ShowSize bool
	Rows                         []row
	Cut                          bool // there are more names than were read
	Max                          int
}

// When reports whether there is a column for the time of the last change.
func (l *listing) When() bool { return l.ShowDate || l.ShowTime }

// Columns is how many columns the table has.
func (l *listing) Columns() int {
	n := 1
	if l.When() {
		n++
	}
	if l.ShowSize {
		n++
	}
	return n
}

// row is a file or a folder.
type row struct {
	Name   string // as it is called
	Shown  string // as it is shown, which may leave the extension out
	Href   string // relative, escaped
	Folder bool
	Size   string
	Stamp  string // for machines
	When   string // for people
}

// read lists a folder: what can be asked for, folders first, each kind in the order of its names.
func read(q *module.Request, folder string, c *browseConfig) (*listing, error) {
	dir, err := q.Files.Open(folder)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	l := &listing{
		Folder: folder, Parent: folder != "/", Max: maxEntries, Cut: len(names) > maxEntries,
		ShowDate: slices.Contains(c.Show, showDate) || slices.Contains(c.Show, showLongDate),
		ShowTime: slices.Contains(c.Show, showTime), ShowSize: slices.Contains(c.Show, showSize),
	}
	if l.Cut {
		names = names[:maxEntries]
	}
	f := newFilter(q.Config)
	for _, name := range names {
		// Through the files of the site: a link that leads out of it, a pipe and what may not be read stay out.
		info, err := q.Files.Stat(folder + name)
		if err != nil || !f.listed(folder, name, info.IsDir()) {
			continue
		}
		r := row{Name: name, Shown: name, Href: "./" + url.PathEscape(name), Folder: info.IsDir()}
		if r.Folder {
			r.Href += "/"
		} else {
			r.Size = strconv.FormatInt(info.Size(), 10)
			if ext := path.Ext(name); !slices.Contains(c.Show, showExtension) && ext != name {
				r.Shown = strings.TrimSuffix(name, ext)
			}
		}
		if l.When() {
			t := info.ModTime().UTC()
			r.Stamp, r.When = t.Format(time.RFC3339), when(t, c.Show)
		}
		l.Rows = append(l.Rows, r)
	}
	slices.SortFunc(l.Rows, compare)
	return l, nil
}

// compare orders folders before files, and names without regard to case as long as they differ otherwise.
func compare(a, b row) int {
	switch {
	case a.Folder && !b.Folder:
		return -1
	case b.Folder && !a.Folder:
		return 1
	}
	if n := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); n != 0 {
		return n
	}
	return strings.Compare(a.Name, b.Name)
}

// when writes a time as showFlags want it. IIS writes it in the language of the server; here it is the same everywhere.
func when(t time.Time, flags []string) string {
	var parts []string
	switch {
	case slices.Contains(flags, showLongDate):
		parts = append(parts, t.Format("Monday, 2 January 2006"))
	case slices.Contains(flags, showDate):
		parts = append(parts, t.Format("2006-01-02"))
	}
	if slices.Contains(flags, showTime) {
		parts = append(parts, t.Format("15:04"))
	}
	return strings.Join(parts, " ")
}

// render makes the page.
func render(page *template.Template, l *listing) ([]byte, error) {
	var b bytes.Buffer
	err := page.Execute(&b, l)
	return b.Bytes(), err
}
