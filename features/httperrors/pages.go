package httperrors

import (
	"bytes"
	_ "embed" // for the page
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed page.html
var pageSource string

// pages are the built-in pages.
type pages struct{ page *template.Template }

func newPages() *pages {
	return &pages{page: template.Must(template.New("page").Parse(pageSource))}
}

// view is what the page shows, and the JSON form of it. The short form has Status, Title and Summary only.
type view struct {
	Version  int         `json:"version"` // of this format: 1
	Status   int         `json:"status"`
	Sub      *int        `json:"subStatus,omitempty"`
	Title    string      `json:"title"`
	Summary  string      `json:"summary"`
	Hint     string      `json:"hint,omitempty"`
	Module   string      `json:"module,omitempty"`
	URL      string      `json:"url,omitempty"`
	Physical string      `json:"physicalPath,omitempty"`
	Site     string      `json:"site,omitempty"`
	User     string      `json:"user,omitempty"`
	Code     string      `json:"errorCode,omitempty"`
	Config   *configView `json:"config,omitempty"`
	More     string      `json:"moreInformation,omitempty"`
}

// configView is a fault of the configuration.
type configView struct {
	Error    string `json:"error"`
	Section  string `json:"section,omitempty"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Column   int    `json:"column,omitempty"`
	LockedBy string `json:"lockedBy,omitempty"`
	Feature  string `json:"feature,omitempty"`
	Source   []line `json:"source,omitempty"`
}

type line struct {
	Number int    `json:"line"`
	Text   string `json:"text"`
	Marked bool   `json:"marked,omitempty"`
}

// Number is the status with its sub-status as people search for it: "404.8".
func (v *view) Number() string {
	if v.Sub == nil {
		return strconv.Itoa(v.Status)
	}
	return fmt.Sprintf("%d.%d", v.Status, *v.Sub)
}

// Detailed reports whether the view holds more than a visitor may know.
func (v *view) Detailed() bool { return v.Sub != nil }

// short sends the page for visitors: what it means for them, nothing of the server.
func (p *pages) short(w http.ResponseWriter, r *http.Request, e *module.HTTPError) {
	p.send(w, r, &view{Version: 1, Status: e.Status, Title: statusText(e.Status), Summary: visitorText(e.Status)})
}

// detailed sends the page for those who run the server.
func (p *pages) detailed(w http.ResponseWriter, r *http.Request, q *module.Request, e *module.HTTPError, more string) {
	sub := e.SubStatus
	v := &view{
		Version: 1, Status: e.Status, Sub: &sub, Title: statusText(e.Status), Summary: e.Summary, Hint: e.Hint,
		Module: e.Module, URL: requestedURL(r), Site: q.SiteName, User: q.User,
		Code: fmt.Sprintf("0x%08x", e.Win32), Config: newConfigView(e), More: moreInformation(more, e),
	}
	if v.Module == "" {
		v.Module = "wshost"
	}
	if v.User == "" {
		v.User = "anonymous"
	}
	if q.Files != nil {
		v.Physical = q.Files.Physical(r.URL.Path)
	}
	w.Header().Set("Cache-Control", "no-store")
	p.send(w, r, v)
}

// moreInformation is the link that detailedMoreInformationLink names, with the status, the sub-status and the code in its
// query, as IIS gives them; "" for a link that is that of IIS or none that a page may hold.
func moreInformation(link string, e *module.HTTPError) string {
	u, err := url.Parse(link)
	if link == "" || link == stockMoreInfo || err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += fmt.Sprintf("IIS70Error=%d,%d,0x%08x,0", e.Status, e.SubStatus, e.Win32)
	return u.String()
}

// requestedURL is what the client asked for, before any module changed it.
func requestedURL(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	uri := r.RequestURI
	if !strings.HasPrefix(uri, "/") {
		uri = r.URL.RequestURI()
	}
	return scheme + "://" + r.Host + uri
}

func newConfigView(e *module.HTTPError) *configView {
	c := e.Config
	if c == nil {
		return nil
	}
	v := &configView{Error: c.Message, Section: c.Section, File: c.Pos.File, Line: c.Pos.Line, Column: c.Pos.Column, Feature: c.Feature}
	if c.LockedBy != nil {
		v.LockedBy = c.LockedBy.String()
	}
	for i, text := range c.Source.Lines {
		n := c.Source.First + i
		v.Source = append(v.Source, line{Number: n, Text: strings.TrimRight(text, "\r\n"), Marked: n == c.Pos.Line})
	}
	return v
}

// send writes the view as the client prefers it.
func (p *pages) send(w http.ResponseWriter, r *http.Request, v *view) {
	var body bytes.Buffer
	h := w.Header()
	if prefersJSON(r.Header.Values("Accept")) {
		h.Set("Content-Type", "application/json")
		enc := json.NewEncoder(&body)
		enc.SetIndent("", "  ")
		_ = enc.Encode(v) // a view has no value that JSON cannot hold
	} else {
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		if err := p.page.Execute(&body, v); err != nil {
			body.Reset()
			fmt.Fprintf(&body, "%s %s\n", v.Number(), v.Title)
			h.Set("Content-Type", "text/plain; charset=utf-8")
		}
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(v.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body.Bytes()) // a client that went away needs no page
	}
}

// prefersJSON reports whether a client asks for JSON by name and not at least as much for HTML (RFC 9110, section 12.5.1).
func prefersJSON(accept []string) bool {
	jsonQ, htmlQ := 0.0, 0.0
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, params, _ := strings.Cut(part, ";")
		q := 1.0
		for param := range strings.SplitSeq(params, ";") {
			k, val, _ := strings.Cut(strings.TrimSpace(param), "=")
			if f, err := strconv.ParseFloat(val, 64); err == nil && strings.EqualFold(k, "q") {
				q = f
			}
		}
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json":
			jsonQ = max(jsonQ, q)
		case "text/html", "application/xhtml+xml":
			htmlQ = max(htmlQ, q)
		}
	}
	return jsonQ > 0 && jsonQ > htmlQ
}
