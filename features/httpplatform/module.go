package httpplatform

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// handler is one of the modules in one generation.
type handler struct {
	name       string
	log        *slog.Logger
	manager    *manager
	generation uint64
	release    func()
}

var (
	_ module.Provisioner = (*handler)(nil)
	_ io.Closer          = (*handler)(nil)
)

// Provision takes the applications, which outlive generations.
func (h *handler) Provision(c *module.Context) error {
	m, release, err := c.Shared.Acquire("httpplatform.manager", func() (any, error) { return newManager(), nil })
	if err != nil {
		return err
	}
	h.manager, h.release, h.log = m.(*manager), release, c.Logger
	h.generation = h.manager.begin(c.Sites)
	return nil
}

// Close gives the applications back. The last generation ends them.
func (h *handler) Close() error {
	h.manager.end(h.generation)
	h.release()
	return nil
}

// moduleOf returns the module that speaks for a section.
func moduleOf(section string) string {
	switch section {
	case corePath:
		return coreModuleV2
	case nodePath:
		return nodeModule
	}
	return platformModule
}

// Middleware passes the requests on that <handlers> gives to the module.
func (h *handler) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if !q.Mapped(h.name) {
			next.ServeHTTP(w, r)
			return
		}
		h.serve(w, r, q)
	})
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, q *module.Request) {
	s, id, err := read(h.name, q, r.URL.Path)
	switch {
	case err != nil:
		q.Fail(w, r, module.Misfit(h.name, s.section, err))
		return
	case s.program == "":
		q.Fail(w, r, &module.HTTPError{
			Status: http.StatusInternalServerError, Module: h.name,
			Summary: `the handler "` + q.Handler.Name + `" wants a program to be started, but none is configured for this URL`,
			Hint:    "add <" + strings.TrimPrefix(s.section, "system.webServer/") + ` processPath="..." /> beside the handler at ` + q.Handler.Pos.String(),
		})
		return
	case s.section == nodePath && !isFile(filepath.Join(s.folder, filepath.FromSlash(s.script))):
		q.Fail(w, r, &module.HTTPError{Status: http.StatusNotFound, Module: h.name, Summary: "there is no script at this URL"})
		return
	}
	h.answer(w, r, q, s, id)
}

// answer has a process of an application answer r.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, q *module.Request, s settings, id identity) {
	a := h.manager.application(id, s, h.generation, h.log)
	for {
		if page, ok := offlinePage(s.folder); ok {
			a.offline(s.shutdown)
			offline(w, page)
			return
		}
		i, done, err := a.pick(r)
		if errors.Is(err, errReplaced) {
			continue
		}
		if err != nil {
			q.Fail(w, r, refusal(h.name, r, &s, err))
			return
		}
		defer done()
		if s.concurrent > 0 && i.requests.Load()+i.sockets.Load() > int64(s.concurrent) {
			q.Fail(w, r, &module.HTTPError{
				Status: http.StatusServiceUnavailable, Module: h.name, Summary: "the process has as many requests as it may have at once",
				Hint: "maxConcurrentRequestsPerProcess of <iisnode> is " + strconv.Itoa(s.concurrent),
			})
			return
		}
		i.f.ServeHTTP(w, r)
		return
	}
}

// offlinePage returns the page that stands for an application which is being worked on. The tools that put it there know
// no difference between large and small letters; these are their spellings.
func offlinePage(folder string) (page []byte, ok bool) {
	for _, name := range []string{"app_offline.htm", "App_Offline.htm", "App_offline.htm"} {
		if page, err := os.ReadFile(filepath.Join(folder, name)); err == nil {
			return page, true
		}
	}
	return nil, false
}

// offline answers with the page that stands for an application which is being worked on.
func offline(w http.ResponseWriter, page []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html")
	h.Set("Content-Length", strconv.Itoa(len(page)))
	h.Set("Cache-Control", "no-cache, no-store")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(page)
}

// refusal says how a request is answered whose application takes none.
func refusal(name string, r *http.Request, s *settings, err error) *module.HTTPError {
	e := &module.HTTPError{Status: http.StatusBadGateway, SubStatus: 5, Module: name}
	var often *tooManyFailures
	var start *startError
	switch {
	case r.Context().Err() != nil || errors.Is(err, context.Canceled):
		e.Status, e.SubStatus, e.Summary = http.StatusBadRequest, 0, "the client left while the application was being started"
		return e
	case errors.Is(err, errGone):
		e.Status, e.SubStatus, e.Summary = http.StatusServiceUnavailable, 0, "the server is stopping"
		return e
	case errors.As(err, &often):
		e.Status, e.SubStatus, e.Summary = http.StatusServiceUnavailable, 0, often.Error()
	default:
		e.Summary = "the application could not be started: " + err.Error()
	}
	if errors.As(err, &start) {
		e.Hint = hint(start.log, start.tail)
		if often != nil {
			e.Hint = "the last failure: " + start.Error() + "; " + e.Hint
		}
	}
	if !s.showsError {
		e.Summary, e.Hint = "the application could not be started", ""
	}
	return e
}

// hint names the log of a process and what it wrote last.
func hint(log, tail string) string {
	h := `set stdoutLogEnabled="true" to keep what the process writes`
	if log != "" {
		h = "see " + log
	}
	if tail != "" {
		h += "; it wrote last: " + tail
	}
	return h
}

// promote tells iisnode's programs server variables in the fields that promoteServerVars names.
func promote(h http.Header, in *http.Request, list string) {
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		field := "X-Iisnode-" + name
		h.Del(field)
		if v := serverVariable(in, strings.ToUpper(name)); v != "" {
			h.Set(field, v)
		}
	}
}

func serverVariable(in *http.Request, name string) string {
	q := module.FromRequest(in)
	host, port, _ := net.SplitHostPort(in.RemoteAddr)
	switch name {
	case "REMOTE_ADDR", "REMOTE_HOST":
		return host
	case "REMOTE_PORT":
		return port
	case "AUTH_USER", "REMOTE_USER", "LOGON_USER":
		return q.User
	case "SERVER_NAME":
		if h, _, err := net.SplitHostPort(in.Host); err == nil {
			return h
		}
		return in.Host
	case "SERVER_PORT":
		if local, ok := in.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			_, p, _ := net.SplitHostPort(local.String())
			return p
		}
	case "HTTPS":
		return map[string]string{"https": "on", "http": "off"}[forward.Scheme(in)]
	case "REQUEST_METHOD":
		return in.Method
	case "SERVER_PROTOCOL":
		return in.Proto
	case "QUERY_STRING":
		return in.URL.RawQuery
	case "APPL_PHYSICAL_PATH":
		_, folder := q.Application(in.URL.Path)
		return folder
	case "INSTANCE_ID":
		return strconv.FormatUint(uint64(q.SiteID), 10)
	case "UNENCODED_URL", "HTTP_X_ORIGINAL_URL":
		return in.RequestURI
	}
	return ""
}
