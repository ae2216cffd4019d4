package directorybrowsing

import (
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules>, in <handlers> and in error pages.
const name = "DirectoryListingModule"

// browseModule is DirectoryListingModule in one generation.
type browseModule struct{ page *template.Template }

func newModule() module.Module { return &browseModule{page: newPage()} }

var _ module.Module = (*browseModule)(nil)

// Middleware answers for folders: what comes here with a slash at its end has no default document.
func (m *browseModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if !q.Handles(name) || !isFolder(q, r) {
			next.ServeHTTP(w, r)
			return
		}
		if e := m.serve(w, r, q); e != nil {
			e.Module = name
			q.Fail(w, r, e)
		}
	})
}

// isFolder reports whether the request is for this module. A folder without the slash at its end is Static Content's,
// which leads to the form with it; only where that does not run it is looked for here, so that no file is examined twice.
func isFolder(q *module.Request, r *http.Request) bool {
	if !strings.HasSuffix(r.URL.Path, "/") && q.Config.Has("system.webServer/modules", "StaticFileModule") && q.Handles("StaticFileModule") {
		return false
	}
	info, err := q.Files.Stat(r.URL.Path)
	return err == nil && info.IsDir()
}

// serve answers r, or says why it cannot, in which case nothing has been sent.
func (m *browseModule) serve(w http.ResponseWriter, r *http.Request, q *module.Request) *module.HTTPError {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return &module.HTTPError{
			Status: http.StatusMethodNotAllowed, Summary: "a folder can be read with GET and HEAD only, not with " + strconv.Quote(r.Method),
			Header: http.Header{"Allow": {"GET, HEAD, OPTIONS"}},
		}
	}
	if !strings.HasSuffix(r.URL.Path, "/") {
		redirect(w, r)
		return nil
	}
	c, err := config.Decode[browseConfig](q.Config, section)
	if err != nil {
		return module.Misfit("", section, err)
	}
	if !c.Enabled {
		return &module.HTTPError{
			Status: http.StatusForbidden, SubStatus: 14,
			Summary: "the URL names a folder that has no default document, and the folder may not be listed",
			Hint:    `put one of the files of <defaultDocument> into the folder, or write <directoryBrowse enabled="true" /> into its web.config`,
		}
	}
	l, err := read(q, r.URL.Path, c)
	if err != nil {
		return unreadable(err)
	}
	body, err := render(m.page, l)
	if err != nil {
		return &module.HTTPError{Status: http.StatusInternalServerError, Summary: "the listing cannot be written: " + err.Error()}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away needs no answer
	}
	return nil
}

// redirect leads to the form of the URL against which the relative links of a listing work. A path of several slashes
// would be read as the name of another host.
func redirect(w http.ResponseWriter, r *http.Request) {
	target := "/" + strings.TrimLeft(r.URL.EscapedPath(), "/") + "/"
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusMovedPermanently)
}

func unreadable(err error) *module.HTTPError {
	if errors.Is(err, fs.ErrPermission) {
		return &module.HTTPError{
			Status: http.StatusForbidden, Summary: "the folder may not be read",
			Hint: "give the account that runs the host permission to read it",
		}
	}
	return &module.HTTPError{Status: http.StatusNotFound, Summary: "the folder cannot be opened"}
}
