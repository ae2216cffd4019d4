package httperrors

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// responder answers the failure of one request.
type responder struct {
	module  *errorModule
	next    http.Handler // the rest of the pipeline, for responseMode="ExecuteURL"
	q       *module.Request
	bare    func(http.ResponseWriter, *http.Request, *module.HTTPError)
	replace *replaceWriter // nil unless existingResponse="Replace"
	// executed is set once a page was run: one that fails, or panics, is not run again for that.
	executed bool
}

// render is the request's RenderError.
func (x *responder) render(w http.ResponseWriter, r *http.Request, e *module.HTTPError) {
	if x.replace != nil {
		x.replace.passing = true
	}
	if e.Status >= 500 && e.Config == nil { // the host itself logs faults of the configuration
		x.q.Logger.Error("a request failed", "status", e.Status, "substatus", e.SubStatus, "summary", e.Summary, "hint", e.Hint, "by", e.Module)
	}
	conf, err := config.Decode[errorsConfig](x.q.Config, section)
	if err != nil || conf.Existing == existingPassThrough {
		x.bare(w, r, e)
		return
	}
	dropEntityFields(w.Header(), e.Header)
	if conf.Mode == modeDetailed || conf.Mode == modeDetailedLocalOnly && local(r) {
		x.module.pages.detailed(w, r, x.q, e, conf.MoreInfo)
		return
	}
	if c, ok := conf.match(e.Status, e.SubStatus); ok && x.custom(w, r, conf, c, e) {
		return
	}
	x.module.pages.short(w, r, e)
}

// dropEntityFields removes what a handler has said of the content that it could not send after all. What the failure
// itself brings stays: the Content-Range of a 416.
func dropEntityFields(h, keep http.Header) {
	for _, k := range []string{"Content-Length", "Content-Encoding", "Content-Range", "Etag", "Last-Modified", "Cache-Control", "Expires", "Accept-Ranges"} {
		if _, ok := keep[k]; !ok {
			h.Del(k)
		}
	}
}

// custom answers as the entry says. It returns false, having sent nothing, when that is not possible.
func (x *responder) custom(w http.ResponseWriter, r *http.Request, conf *errorsConfig, c entry, e *module.HTTPError) bool {
	switch c.Mode {
	case respondRedirect:
		return redirect(w, r, c.Path)
	case respondExecuteURL:
		return x.execute(w, r, c, e)
	}
	f := x.open(r, conf, c)
	if f == nil {
		return false
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", contentType(f.Name()))
	if info, err := f.Stat(); err == nil {
		h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	}
	if c.Prefix != "" {
		h.Add("Vary", "Accept-Language")
	}
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, f) // the header is out: a failed copy can only be cut off
	}
	return true
}

// redirect leads to a page with a status of its own. It returns false where that leads nowhere: a client that wants to
// speak WebSocket needs the status and reads no page, and a page that is missing itself would lead to itself for ever.
func redirect(w http.ResponseWriter, r *http.Request, to string) bool {
	if r.Header.Get("Upgrade") != "" || r.Method == http.MethodConnect {
		return false
	}
	if u, err := url.Parse(to); err == nil && (u.Host == "" || strings.EqualFold(u.Host, r.Host)) && u.Path == r.URL.Path {
		return false
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusFound)
	return true
}

// open returns the file of an entry, nil when there is none. A relative path is looked for in the site; an absolute one
// only when it comes from the server level, or that is delegated.
func (x *responder) open(r *http.Request, conf *errorsConfig, c entry) *os.File {
	for _, p := range candidates(c, r.Header.Values("Accept-Language")) {
		if strings.EqualFold(path.Base(p), "web.config") {
			continue // never sent, whoever asks for it: a subfolder's entry could name that of the site
		}
		anywhere := filepath.IsAbs(p) && (conf.AllowAbsolute || c.Server)
		if !anywhere {
			// Where only files of the site may be sent, a slash at the beginning is the root of the site: on Windows it is no
			// absolute path.
			clean := path.Clean("/" + p)
			if info, err := x.q.Files.Stat(clean); err == nil && info.Mode().IsRegular() {
				if f, err := x.q.Files.Open(clean); err == nil {
					return f
				}
			}
		}
		if !filepath.IsAbs(p) {
			continue
		}
		if !anywhere {
			x.q.Logger.Warn("an error page is not used: its path is absolute", "path", p, "hint", "use a path relative to the site, or set allowAbsolutePathsWhenDelegated in applicationHost.config")
			continue
		}
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			if f, err := os.Open(p); err == nil {
				return f
			}
		}
	}
	return nil
}

func contentType(file string) string {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json":
		return "application/json"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return "text/html"
}
