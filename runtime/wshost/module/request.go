package module

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// Request is what the host knows of one HTTP request beside the http.Request itself. It is made before the first
// module runs and is used by one goroutine at a time, except for the methods that say otherwise.
type Request struct {
	// SiteID and SiteName are the id and name of the site that the request was bound to; the host's probe site has id 0.
	SiteID   uint32
	SiteName string
	// Start is when the host received the request's header.
	Start time.Time
	// Config is the effective configuration of the request's URL. When that configuration is invalid the host has
	// already answered 500.19 by the time modules of StageBegin would run; modules of StageLog then see the
	// configuration of the server level.
	Config *config.Effective
	// Reconfigure replaces Config by the configuration of another URL path of the site. A module that lets another file
	// answer than the one the URL names calls it before it passes the request on: what is configured for that file and
	// its folders holds for it, under whatever URL it was reached. A refusal is to be given to Fail; Config is then as
	// it was. Modules call MoveTo, which does without it in tests of a bare module.
	Reconfigure func(urlPath string) *HTTPError
	// Files opens and examines files of the site by URL path, never outside the site's folders.
	Files Files
	// Logger writes to the host's own log with the site and the request's path already attached.
	Logger *slog.Logger
	// ServerName is the name of this server, as shown to people.
	ServerName string
	// User is the authenticated user, "" for anonymous.
	User string
	// Internal is set while the pipeline runs once more within the request, for a page that the server names itself: the
	// one that tells a failure. Modules that judge what the client sent have done so already.
	Internal bool
	// StaticFile is set by the module that answers with a file of the site as it lies on disk, before it sends the
	// header, to the state of the file that the header describes: modules that tell such answers from those of applications
	// look at it then. nil is no such answer.
	StaticFile fs.FileInfo
	// VerifyClient judges the client's certificate by the authorities that the binding trusts. It is nil where there is no
	// TLS.
	VerifyClient func() error
	// Outcome is what is being sent; the host's response writer keeps it current until the connection is hijacked.
	// From then on, whoever has the connection owns it: Status is 101 already, the byte counts of frames are to be set
	// before the function that Detach gave is called. Read it from OnEnd functions.
	Outcome Outcome
	// RenderError writes the response of a failed request. The host installs a renderer that sends the bare status;
	// the HTTP Errors module replaces it. Modules call Fail, not this.
	RenderError func(http.ResponseWriter, *http.Request, *HTTPError)
	// Connections is the host's registry of upgraded connections.
	Connections ConnRegistry
	// Handler is the handler of <handlers> that the request was mapped to; nil before that, and where nothing maps
	// requests. Modules of StageHandle ask Handles.
	Handler *Handler
	// Sockets says what becomes of the request when it is an opening handshake for an application; see Sockets.
	Sockets *Sockets
	// Endpoints serves WebSocket endpoints of further types; see SocketEndpoints.
	Endpoints SocketEndpoints
	// MapHandler maps the request anew when MoveTo has given it another URL; nil before it was mapped. A refusal is to be
	// given to Fail.
	MapHandler func(*http.Request) *HTTPError
	// Upstream is the absolute URL at another server from which the request is to be answered; nil for all that this server
	// answers. A module that rewrites URLs sets it where ApplicationRequestRouting is in <modules>, which then is the one
	// to answer.
	Upstream *url.URL
	// SetFields are the fields of the request's header, in their canonical form, that the configuration has set or taken
	// out: what passes the request on leaves them so.
	SetFields []string
	// Fields adds to the response what the configuration adds to every one; nil where nothing does. A module that changes
	// finished headers takes it when the request comes to it, and lets it do its part first.
	Fields Completer

	mu       sync.Mutex
	onEnd    []func()
	onDetach []func()
	detached bool
	ended    bool
}

// A Completer completes the header of a response that is about to be sent with a status, once.
type Completer interface {
	Complete(status int)
}

// Handler is an entry of <handlers>: the modules that may answer a request, and what the entry says for them.
type Handler struct {
	Name          string
	Modules       []string
	Path          string // the pattern, as written
	Processor     string // scriptProcessor: the program, or whatever the module takes it for
	Resource      string // resourceType: "File", "Directory", "Either" or "Unspecified"
	Access        string // requireAccess
	AllowPathInfo bool
	BufferLimit   uint32 // responseBufferLimit, in bytes
	// Script is the URL path of the resource that the entry was found for: the whole path, or what stands before path
	// info, as the "/index.php" of "/index.php/news".
	Script string
	Pos    config.Pos // where the entry is written
}

// Handles reports whether the handler of the request leaves it to a module. Where nothing was mapped, everybody may
// answer.
func (q *Request) Handles(moduleName string) bool {
	return q.Handler == nil || slices.Contains(q.Handler.Modules, moduleName)
}

// HasSet reports whether the configuration has set a field of the request's header, or taken it out.
func (q *Request) HasSet(field string) bool { return slices.Contains(q.SetFields, field) }

// Outcome is what was answered to a request.
type Outcome struct {
	Status    int    // HTTP status; 0 until a header was sent
	SubStatus int    // sub-status of IIS, as in 404.8; 0 for none
	Win32     uint32 // Win32 or HRESULT code for the log; 0 for success
	BytesSent int64  // bytes of body, or of frames once upgraded
	BytesRecv int64  // bytes of body, or of frames once upgraded
}

// Files gives access to the files of a site by URL path. Paths are decoded, slash-separated and begin with "/".
// Every method refuses to leave the folder that the path's virtual directory maps to, through "..", links or
// otherwise, with an error for which errors.Is(err, fs.ErrNotExist) or fs.ErrPermission holds.
type Files interface {
	// Open opens the file or folder that the URL path maps to.
	Open(urlPath string) (*os.File, error)
	// Stat examines it, following links inside the folder.
	Stat(urlPath string) (fs.FileInfo, error)
	// Physical returns the path on disk that the URL path maps to, for messages and logs. It does not touch the disk.
	Physical(urlPath string) string
}

type requestKey struct{}

// MoveTo returns r for another URL path of the same site, under the configuration of that path, or the refusal to be
// given to Fail. r.RequestURI keeps what the client wrote.
func (q *Request) MoveTo(r *http.Request, urlPath string) (*http.Request, *HTTPError) {
	r2, u := new(http.Request), new(url.URL)
	*r2, *u = *r, *r.URL
	r2.URL = u
	if refusal := q.Move(r2, urlPath); refusal != nil {
		return nil, refusal
	}
	return r2, nil
}

// Move is MoveTo for a request that is the caller's own, as its URL is: both are changed.
func (q *Request) Move(r *http.Request, urlPath string) *HTTPError {
	if q.Reconfigure != nil {
		if refusal := q.Reconfigure(urlPath); refusal != nil {
			return refusal
		}
	}
	r.URL.Path, r.URL.RawPath = urlPath, ""
	if q.MapHandler != nil {
		return q.MapHandler(r)
	}
	return nil
}

// WithRequest returns r carrying q. The host calls it; tests of modules do too.
func WithRequest(r *http.Request, q *Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, q))
}

// FromRequest returns what the host knows of r. It panics when r did not come through the host, which is a
// programming error.
func FromRequest(r *http.Request) *Request {
	return r.Context().Value(requestKey{}).(*Request)
}

// OnEnd registers f to run when the request has ended: when the pipeline returns or, for a detached request, when
// the function that Detach gave is called. Functions run newest first, in one goroutine. After the end, f runs at once.
// OnEnd may be called concurrently.
func (q *Request) OnEnd(f func()) {
	q.mu.Lock()
	if q.ended {
		q.mu.Unlock()
		f()
		return
	}
	q.onEnd = append(q.onEnd, f)
	q.mu.Unlock()
}

// OnDetach registers f to run when the request is detached: whoever keeps something of it until its end can then keep less,
// for as long as the connection lasts. The request's configuration, Logger and Outcome stay; what the pipeline alone needs
// goes. It is to be called before the pipeline returns.
func (q *Request) OnDetach(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.onDetach = append(q.onDetach, f)
}

// Mapped reports whether <handlers> leaves the request to a module. It is Handles for modules that answer nothing unless a
// mapping says so.
func (q *Request) Mapped(moduleName string) bool { return q.Handler != nil && q.Handles(moduleName) }

// Application returns the application of the site that a URL path belongs to, "/" for the site's own, and the absolute
// folder of its root. The folder is "" when the path belongs to no site.
func (q *Request) Application(urlPath string) (appPath, folder string) {
	if f, ok := q.Files.(interface {
		Application(urlPath string) (appPath, folder string)
	}); ok {
		return f.Application(urlPath)
	}
	if q.Files == nil {
		return "/", ""
	}
	return "/", q.Files.Physical("/")
}

// Detach lets the request outlive the pipeline: an upgraded connection that is served by somebody else. The caller
// must call the returned function exactly once, when the connection has ended; until then the request's generation
// stays alive and its access-log line is not written.
func (q *Request) Detach() (end func()) {
	q.mu.Lock()
	q.detached = true
	fs := q.onDetach
	q.onDetach = nil
	q.mu.Unlock()
	for _, f := range fs {
		f()
	}
	return q.finish
}

// Returned is called by the host when the pipeline has returned. It ends the request unless it was detached; then what only
// the pipeline needs is let go, for an idle connection should hold little.
func (q *Request) Returned() {
	q.mu.Lock()
	detached := q.detached
	q.mu.Unlock()
	if !detached {
		q.finish()
		return
	}
	q.Reconfigure, q.Files, q.RenderError, q.StaticFile, q.VerifyClient = nil, nil, nil, nil, nil
	q.Handler, q.Sockets, q.MapHandler, q.Fields = nil, nil, nil, nil
}

func (q *Request) finish() {
	q.mu.Lock()
	fs := q.onEnd
	q.onEnd, q.ended = nil, true
	q.mu.Unlock()
	for i := len(fs) - 1; i >= 0; i-- {
		fs[i]()
	}
}
