package staticcontent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules> and in error pages.
const name = "StaticFileModule"

// staticModule is StaticFileModule in one generation.
type staticModule struct{ indexes mimeIndexes }

func newModule() module.Module { return &staticModule{} }

var _ module.Module = (*staticModule)(nil)

// Middleware returns the last handler of the pipeline: a path that names no file is 404. next is called for requests that
// <handlers> gives to somebody else.
func (m *staticModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if !q.Handles(name) {
			next.ServeHTTP(w, r)
			return
		}
		if e := m.serve(w, r, q); e != nil {
			e.Module = name
			q.Fail(w, r, e)
		}
	})
}

// serve answers r, or says why it cannot, in which case nothing has been sent.
func (m *staticModule) serve(w http.ResponseWriter, r *http.Request, q *module.Request) *module.HTTPError {
	snap := q.Snapshot(r.URL.Path)
	info, err := look(q, snap, r.URL.Path)
	if err != nil {
		return unreadable(err)
	}
	if info.IsDir() {
		if e := checkMethod(r); e != nil {
			return e // no redirection: clients would follow it with GET, without their body
		}
		return serveFolder(w, r)
	}
	if e := check(r, info); e != nil {
		return e
	}
	c, err := config.Decode[staticConfig](q.Config, section)
	if err != nil {
		return module.Misfit("", section, err)
	}
	typ, ok := m.indexes.get(c).typeOf(path.Base(r.URL.Path))
	if !ok {
		return unmapped(r)
	}
	f, info, err := open(q, snap, r.URL.Path)
	if err != nil {
		return unreadable(err)
	}
	defer f.Close()
	if !info.Mode().IsRegular() {
		return notFound()
	}
	q.StaticFile = info
	e := send(w, r, f, info, typ, &c.ClientCache)
	if e != nil {
		q.StaticFile = nil // the page of the refusal is none
	}
	return e
}

// look examines the file: by what the host knows of it, if anything.
func look(q *module.Request, snap *module.Snapshot, urlPath string) (fs.FileInfo, error) {
	if snap != nil {
		return snap.Info, nil
	}
	return q.Files.Stat(urlPath)
}

// open opens the file, with what it is then.
func open(q *module.Request, snap *module.Snapshot, urlPath string) (io.ReadSeekCloser, fs.FileInfo, error) {
	if snap != nil {
		if snap.Bytes != nil {
			return &memory{b: snap.Bytes}, snap.Info, nil
		}
		if f, err := snap.Open(); err == nil {
			return f, snap.Info, nil
		}
	}
	f, err := q.Files.Open(urlPath)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// check refuses what is no servable file, before it is opened: opening a pipe would wait for its writer.
func check(r *http.Request, info fs.FileInfo) *module.HTTPError {
	switch {
	case !info.Mode().IsRegular(), strings.HasSuffix(r.URL.Path, "/"):
		return notFound()
	case strings.EqualFold(path.Base(r.URL.Path), "web.config"):
		// Request Filtering hides it as well; the configuration must not leak where that is not installed.
		return &module.HTTPError{Status: http.StatusNotFound, SubStatus: 8, Summary: "configuration files are never served"}
	}
	return checkMethod(r)
}

// checkMethod refuses what is neither GET nor HEAD.
func checkMethod(r *http.Request) *module.HTTPError {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	return &module.HTTPError{
		Status: http.StatusMethodNotAllowed, Summary: "files and folders can be read with GET and HEAD only, not with " + strconv.Quote(r.Method),
		Hint:   "an application that answers this method must claim the URL before Static Content does",
		Header: http.Header{"Allow": {"GET, HEAD, OPTIONS"}},
	}
}

// serveFolder leads to the form of the URL that ends with a slash, against which relative links on a start page work.
// Past Default Document, a folder has nothing to show.
func serveFolder(w http.ResponseWriter, r *http.Request) *module.HTTPError {
	if strings.HasSuffix(r.URL.Path, "/") {
		return &module.HTTPError{
			Status: http.StatusForbidden, SubStatus: 14,
			Summary: "the URL names a folder that has no default document, and folders are not listed",
			Hint:    "put one of the files of <defaultDocument> into the folder, or ask for a file by name",
		}
	}
	// A path of several slashes would be read as the name of another host.
	target := "/" + strings.TrimLeft(r.URL.EscapedPath(), "/") + "/"
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusMovedPermanently)
	return nil
}

// send sends the file with its validators. http.ServeContent answers conditions and ranges (RFC 9110, sections 13, 14);
// what it refuses is returned.
func send(w http.ResponseWriter, r *http.Request, f io.ReadSeeker, info fs.FileInfo, typ string, cache *clientCache) *module.HTTPError {
	h := w.Header()
	h.Set("Content-Type", typ)
	if cache.SetETag {
		h.Set("ETag", etag(info))
	}
	cache.apply(h)
	held := &heldWriter{ResponseWriter: w}
	http.ServeContent(held, withRange(r, info.Size()), "", info.ModTime(), f)
	switch held.status {
	case http.StatusPreconditionFailed:
		return &module.HTTPError{
			Status: held.status, Summary: "the file is not in the state that the request is meant for",
			Hint: "ask for it without If-Match and If-Unmodified-Since, or with the ETag and date that it has now",
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return &module.HTTPError{
			Status: held.status, Summary: fmt.Sprintf("the file is %d bytes long and has nothing in the range that was asked for", info.Size()),
			Header: http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", info.Size())}},
		}
	}
	return nil
}

// etag is a strong validator: a file is another one when its time in nanoseconds or its size differs.
func etag(info fs.FileInfo) string {
	return `"` + strconv.FormatInt(info.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36) + `"`
}

func (c *clientCache) apply(h http.Header) {
	var directives []string
	switch c.Mode {
	case modeDisableCache:
		directives = append(directives, "no-cache")
	case modeUseMaxAge:
		directives = append(directives, "max-age="+strconv.FormatInt(int64(c.MaxAge.Seconds()), 10))
	case modeUseExpires:
		// RFC 9110, section 5.6.7: older forms of dates are read and not sent.
		if t, err := parseDate(c.Expires); err == nil {
			h.Set("Expires", t.UTC().Format(http.TimeFormat))
		}
	}
	if c.Custom != "" {
		directives = append(directives, c.Custom)
	}
	if len(directives) > 0 {
		h.Set("Cache-Control", strings.Join(directives, ", "))
	}
}

func notFound() *module.HTTPError {
	return &module.HTTPError{Status: http.StatusNotFound, Summary: "there is no file at this URL", Hint: "check the spelling: file names are case-sensitive"}
}

func unmapped(r *http.Request) *module.HTTPError {
	ext := path.Ext(r.URL.Path)
	what := "files without an extension are"
	if ext != "" {
		what = "the extension " + strconv.Quote(ext) + " is"
	} else {
		ext = "."
	}
	if hint, ok := program(ext); ok {
		return &module.HTTPError{Status: http.StatusNotFound, SubStatus: 3, Summary: what + " not in the MIME map: a program is not sent as text", Hint: hint}
	}
	return &module.HTTPError{
		Status: http.StatusNotFound, SubStatus: 3,
		Summary: what + " not in the MIME map",
		Hint:    `add <staticContent><mimeMap fileExtension="` + ext + `" mimeType="..." /></staticContent> to the web.config of the site`,
	}
}

// program tells what runs files with an extension that names a program, whose text nobody should be helped to send.
func program(ext string) (hint string, ok bool) {
	switch strings.ToLower(ext) {
	case ".php":
		return "programs of PHP run with the feature FastCGI: rolemgr install fastcgi", true
	case ".py", ".pl", ".cgi", ".rb", ".sh":
		return "<handlers> says what runs it, with the feature CGI, FastCGI or HTTP Platform Handler", true
	case ".asp", ".aspx", ".ashx", ".asmx", ".cshtml", ".jsp":
		return "it needs a framework that this server does not have; run the application as an HTTP server of its own behind HTTP Platform Handler", true
	}
	return "", false
}

func unreadable(err error) *module.HTTPError {
	switch {
	case errors.Is(err, fs.ErrPermission):
		// Not 401.3 as on IIS: there is nobody to sign in as, and a 401 must offer a way to (RFC 9110, section 15.5.2).
		return &module.HTTPError{
			Status: http.StatusForbidden, Summary: "the file may not be read",
			Hint: "give the account that runs the host permission to read it; links that lead out of the site's folder are not followed",
		}
	case errors.Is(err, fs.ErrNotExist):
		return notFound()
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err // without the path on disk
	}
	return &module.HTTPError{Status: http.StatusNotFound, Summary: "the file cannot be opened: " + err.Error()}
}
