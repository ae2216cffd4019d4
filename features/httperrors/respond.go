package httperrors

import (
	"io"
	"maps"
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
		x.module.pages.detailed(w, r, x.q, e)
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
		w.Header().Set("Location", c.Path)
		w.WriteHeader(http.StatusFound)
		return true
	case respondExecuteURL:
		return x.execute(w, r, c, e)
	}
	f := x.open(r, conf, c)
	if f == nil {
		return false
	}
	defer f.Close()
	w.Header().Set("Content-Type", contentType(f.Name()))
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, f) // the header is out: a failed copy can only be cut off
	}
	return true
}

// open returns the file of an entry, nil when there is none. A relative path is looked for in the site; an absolute one
// only when it comes from the server level, or that is delegated.
func (x *responder) open(r *http.Request, conf *errorsConfig, c entry) *os.File {
	for _, p := range candidates(c, r.Header.Get("Accept-Language")) {
		if !filepath.IsAbs(p) {
			clean := path.Clean("/" + p)
			if strings.EqualFold(path.Base(clean), "web.config") {
				continue // never sent, whoever asks for it: a subfolder's entry could name that of the site
			}
			if info, err := x.q.Files.Stat(clean); err == nil && info.Mode().IsRegular() {
				if f, err := x.q.Files.Open(clean); err == nil {
					return f
				}
			}
			continue
		}
		if !conf.AllowAbsolute && !x.module.server[c] {
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

// candidates returns the paths to try. With a prefix the client's languages come first, then en-US, then none.
func candidates(c entry, acceptLanguage string) []string {
	file := strings.ReplaceAll(c.Path, `\`, "/")
	if c.Prefix == "" {
		return []string{file}
	}
	prefix := strings.ReplaceAll(c.Prefix, `\`, "/")
	var paths []string
	for _, tag := range append(languages(acceptLanguage), "en-US", "") {
		paths = append(paths, path.Join(prefix, tag, file))
	}
	return paths
}

// languages returns the first tags of an Accept-Language field. Only letters, digits and hyphens make a folder name.
func languages(field string) []string {
	var tags []string
	for part := range strings.SplitSeq(field, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		bad := strings.ContainsFunc(tag, func(c rune) bool {
			return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-')
		})
		if tag != "" && !bad && len(tags) < 8 {
			tags = append(tags, tag)
		}
	}
	return tags
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

// execute runs another URL of the site as an internal GET and sends what it gives under the status of the failure. IIS
// lets the page choose the status, so that a missing page may be told as 200; here a failure stays a failure.
func (x *responder) execute(w http.ResponseWriter, r *http.Request, c entry, e *module.HTTPError) bool {
	target, err := url.ParseRequestURI(c.Path)
	if err != nil || !strings.HasPrefix(c.Path, "/") {
		return false
	}
	if target.RawQuery == "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		target.RawQuery = strconv.Itoa(e.Status) + ";" + scheme + "://" + r.Host + r.URL.EscapedPath()
	}
	inner := r.Clone(r.Context())
	inner.Method, inner.URL, inner.RequestURI = http.MethodGet, target, target.RequestURI()
	inner.Body, inner.ContentLength, inner.TransferEncoding = http.NoBody, 0, nil
	for k := range inner.Header {
		if strings.HasPrefix(k, "If-") || strings.HasPrefix(k, "Content-") || k == "Range" || k == "Upgrade" || k == "Connection" {
			delete(inner.Header, k)
		}
	}
	before := w.Header().Clone()
	outer, outcome := x.q.RenderError, x.q.Outcome
	x.q.RenderError = func(http.ResponseWriter, *http.Request, *module.HTTPError) {} // a failing page ends here, not in itself
	ew := &executeWriter{ResponseWriter: w, status: e.Status, head: r.Method == http.MethodHead}
	x.next.ServeHTTP(ew, inner)
	x.q.RenderError = outer
	x.q.Outcome.SubStatus, x.q.Outcome.Win32 = outcome.SubStatus, outcome.Win32
	if !ew.wrote {
		clear(w.Header())
		maps.Copy(w.Header(), before)
		x.q.Logger.Warn("an error page failed itself", "path", c.Path)
	}
	return ew.wrote
}
