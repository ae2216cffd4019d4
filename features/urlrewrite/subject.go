package urlrewrite

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// A subject is a request as the rules see and change it.
type subject struct {
	r *http.Request
	q *module.Request

	path  string // now, decoded
	query string // now, as written

	original    string // path and query string as they came, for REQUEST_URI
	rewritten   bool   // a rule has rewritten the URL
	ownRequest  bool   // r is a copy that may be changed
	headerOwned bool   // and so is its header

	set      map[string]string // server variables that rules have set, beside those of the header
	bases    []baseOf          // of the files whose rules were looked at
	from     string            // the URL path under whose configuration the bases hold
	budget   budget            // what matching may still cost
	response *answer           // what is being answered, for outbound rules
}

// answer is the header of a response that is about to be sent.
type answer struct {
	status int
	header http.Header
}

func newSubject(r *http.Request, q *module.Request) *subject {
	s := &subject{r: r, q: q, path: r.URL.Path, query: r.URL.RawQuery, from: r.URL.Path}
	s.original = joinQuery(escapeReserved(s.path), s.query)
	return s
}

// joinQuery puts a query string behind a path or a URL; there may be one already.
func joinQuery(target, query string) string {
	switch {
	case query == "":
		return target
	case strings.HasSuffix(target, "?"), strings.HasSuffix(target, "&"):
		return target + query
	case strings.Contains(target, "?"):
		return target + "&" + query
	}
	return target + "?" + query
}

// own makes the request, but for its header, one that may be changed.
func (s *subject) own() {
	if s.ownRequest {
		return
	}
	s.ownRequest = true
	r, u := new(http.Request), new(url.URL)
	*r, *u = *s.r, *s.r.URL
	r.URL = u
	s.r = r
}

// ownHeader returns the header of the request, which may be changed.
func (s *subject) ownHeader() http.Header {
	s.own()
	if !s.headerOwned {
		s.headerOwned = true
		if s.r.Header = s.r.Header.Clone(); s.r.Header == nil {
			s.r.Header = http.Header{}
		}
	}
	return s.r.Header
}

// noteOriginal tells whoever answers the request what it was before the first rule that has changed its URL. The field is in
// the header that came, too: nobody looks for it there, and a copy of the header costs more than all rules that do not match.
func (s *subject) noteOriginal() {
	if s.rewritten {
		return
	}
	s.rewritten = true
	if s.r.Header == nil {
		s.r.Header = http.Header{}
	}
	s.r.Header["X-Original-Url"] = []string{s.original} // in the canonical form, which Set would make of X-Original-URL each time
}

// A ruleHome is where rules are written: a file, and the path of the location tag in it.
type ruleHome struct{ file, location string }

// baseOf is the folder that rules written somewhere count from, as a URL path with a slash at its end.
type baseOf struct {
	home ruleHome
	base string
}

// base returns the URL path of the folder that rules count from, with a slash at its end: that of their file, or the one
// that the location tag around them names, as if the file lay there. What is written at the server level counts from the
// root of the site.
func (s *subject) base(file, location string) string {
	home := ruleHome{file, location}
	for i := range s.bases { // one or two
		if s.bases[i].home == home {
			return s.bases[i].base
		}
	}
	b := s.findBase(file)
	if location != "" {
		b = s.folderOf(b + location)
	}
	s.bases = append(s.bases, baseOf{home, b})
	return b
}

// folderOf returns the folder of what a location tag names: itself, or of a file the one that it lies in. The request's own
// spelling is taken where it differs in case only, since that is what is compared.
func (s *subject) folderOf(p string) string {
	if len(s.path) >= len(p) && strings.EqualFold(s.path[:len(p)], p) {
		p = s.path[:len(p)]
	}
	if info, err := s.q.Files.Stat(p); err == nil && !info.IsDir() {
		return p[:strings.LastIndexByte(p, '/')+1]
	}
	return p + "/"
}

func (s *subject) findBase(file string) string {
	dir, base := path.Split(file)
	if !strings.EqualFold(base, "web.config") {
		return "/"
	}
	if dir = strings.TrimSuffix(dir, "/"); dir == "" {
		dir = "/"
	}
	for i := 0; i < len(s.from); i++ {
		end := i == len(s.from)-1
		if s.from[i] != '/' && !end {
			continue
		}
		folder := s.from[:i+1]
		if folder[i] != '/' {
			folder += "/" // "/sub" without its slash is under the configuration of the folder, too
		}
		if s.q.Files.Physical(folder) == dir {
			return folder
		}
	}
	return "/"
}

// below returns the part of the path below a folder, without a slash at its beginning; false when the path is not there.
func (s *subject) below(base string) (string, bool) {
	switch {
	case strings.HasPrefix(s.path, base):
		return s.path[len(base):], true
	case s.path == strings.TrimSuffix(base, "/"):
		return "", true
	}
	return "", false
}

// physical returns the path on disk that the URL maps to now.
func (s *subject) physical() string { return s.q.Files.Physical(s.path) }

// lookUp returns the URL path of a path on disk; false when it lies in no folder that the URL leads through, so that a
// rule never learns what is outside the site.
func (s *subject) lookUp(disk string) (string, bool) {
	disk = strings.ReplaceAll(disk, `\`, "/") // real files join {DOCUMENT_ROOT}\folder
	if disk == "" {
		return "", false
	}
	if disk == s.physical() {
		return s.path, true
	}
	for i := len(s.path); i > 0; i-- {
		if i != len(s.path) && s.path[i-1] != '/' {
			continue
		}
		folder := s.path[:i]
		root := strings.TrimSuffix(s.q.Files.Physical(folder), "/")
		if disk == root {
			return folder, true
		}
		if rest, ok := strings.CutPrefix(disk, root+"/"); ok && root != "" {
			return path.Join(folder, path.Clean("/"+rest)), true
		}
	}
	return "", false
}
