// Package gateway is what CGI and FastCGI share: the variables that a program is given for a request (RFC 3875 and those
// of IIS), the answer that it writes, and which program of this machine is meant by a path that was written for Windows.
//
// It starts nothing and speaks no protocol.
package gateway

import (
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// Middleware has serve answer the requests that <handlers> gives to a module, and passes the others on. serve says why it
// cannot, in which case it has sent nothing; a refusal that names no module is that of this one.
func Middleware(name string, next http.Handler, serve func(http.ResponseWriter, *http.Request, *module.Request) *module.HTTPError) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		if !q.Mapped(name) {
			next.ServeHTTP(w, r)
			return
		}
		if e := serve(w, r, q); e != nil {
			if e.Module == "" {
				e.Module = name
			}
			q.Fail(w, r, e)
		}
	})
}

// Script is the resource of a request: the script, and what the URL has behind it.
type Script struct {
	URL  string // "/index.php"
	Info string // "/news"; "" for nothing
}

// FindScript splits the URL of a request at the resource that its handler was found for. A handler that is mapped to
// every path says nothing: the first part of the URL that names a file is the script then, or else the whole is.
func FindScript(q *module.Request, urlPath string) Script {
	if h := q.Handler; h != nil && len(h.Script) < len(urlPath) && strings.HasPrefix(urlPath, h.Script) {
		return Script{h.Script, urlPath[len(h.Script):]}
	}
	for i := 1; i < len(urlPath); i++ {
		if urlPath[i] != '/' {
			continue
		}
		info, err := q.Files.Stat(urlPath[:i])
		if err != nil {
			break
		}
		if !info.IsDir() {
			return Script{urlPath[:i], urlPath[i:]}
		}
	}
	return Script{URL: urlPath}
}

// Variables returns the variables of a request, by name. The field
// Proxy of a client is never among them: programs take HTTP_PROXY for their own settings (CVE-2016-5385). length is
// that of the body.
func Variables(r *http.Request, q *module.Request, s Script, length int64) map[string]string {
	v := map[string]string{}
	fields(v, r)
	host, port := server(r)
	v["GATEWAY_INTERFACE"] = "CGI/1.1"
	v["REDIRECT_STATUS"] = "200" // php-cgi takes it for the word of a server that a URL may name the script
	v["SERVER_SOFTWARE"] = "wshost"
	v["SERVER_NAME"], v["SERVER_PORT"] = host, port
	v["SERVER_PROTOCOL"], v["REQUEST_METHOD"] = r.Proto, r.Method
	v["QUERY_STRING"] = r.URL.RawQuery
	v["REQUEST_URI"], v["UNENCODED_URL"] = requestURI(r), requestURI(r)
	v["SCRIPT_NAME"], v["URL"] = s.URL, s.URL
	v["SCRIPT_FILENAME"] = q.Files.Physical(s.URL)
	v["PATH_INFO"] = s.Info
	if s.Info != "" {
		v["PATH_TRANSLATED"] = q.Files.Physical(s.Info)
	}
	root := q.Files.Physical("/")
	v["DOCUMENT_ROOT"] = root
	v["APPL_PHYSICAL_PATH"] = strings.TrimSuffix(root, "/") + "/"
	v["APPL_MD_PATH"] = "/LM/W3SVC/" + strconv.FormatUint(uint64(q.SiteID), 10) + "/ROOT"
	v["INSTANCE_ID"] = strconv.FormatUint(uint64(q.SiteID), 10)
	v["INSTANCE_NAME"] = q.SiteName
	v["REMOTE_ADDR"], v["REMOTE_PORT"] = split(r.RemoteAddr)
	v["REMOTE_HOST"] = v["REMOTE_ADDR"]
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		v["LOCAL_ADDR"], _ = split(a.String())
	}
	v["HTTPS"], v["SERVER_PORT_SECURE"] = "off", "0"
	if r.TLS != nil {
		v["HTTPS"], v["SERVER_PORT_SECURE"] = "on", "1"
	}
	v["REMOTE_USER"], v["AUTH_USER"], v["LOGON_USER"] = q.User, q.User, q.User
	if q.User == "" {
		delete(v, "REMOTE_USER") // RFC 3875, section 4.1.11: there is none for nobody
	}
	v["CONTENT_LENGTH"] = strconv.FormatInt(length, 10)
	if length == 0 && r.Method != http.MethodPost && r.Method != http.MethodPut {
		v["CONTENT_LENGTH"] = ""
	}
	v["CONTENT_TYPE"] = r.Header.Get("Content-Type")
	return v
}

// fields adds the header of the request as HTTP_ variables. A name with an underscore would come out as another field's
// and is left out, as other servers do.
func fields(v map[string]string, r *http.Request) {
	for name, values := range r.Header {
		switch name {
		case "Proxy", "Content-Length", "Content-Type", "Connection", "Keep-Alive", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Proxy-Authorization", "Proxy-Connection":
			continue
		case "X-Original-Url":
			// URL Rewrite sets it; applications believe it, so it must not be a client's word.
			if rewritten(r) {
				v["HTTP_X_ORIGINAL_URL"] = requestURI(r)
			}
			continue
		case "X-Rewrite-Url":
			continue
		}
		if strings.ContainsAny(name, "_\x00=") {
			continue
		}
		sep := ", "
		if name == "Cookie" {
			sep = "; " // RFC 9113, section 8.2.3
		}
		key := "HTTP_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		v[key] = strings.ReplaceAll(strings.Join(values, sep), "\x00", "")
	}
	v["HTTP_HOST"] = r.Host
}

// rewritten reports whether the path is not the one that the client wrote.
func rewritten(r *http.Request) bool {
	u, err := url.ParseRequestURI(r.RequestURI)
	return err != nil || path.Clean(u.Path) != path.Clean(r.URL.Path) || u.RawQuery != r.URL.RawQuery
}

// requestURI returns path and query string as the client wrote them.
func requestURI(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // of the absolute form, or of no request line at all
}

// server returns the host name of the request and the port that it came in at.
func server(r *http.Request) (host, port string) {
	host, port = split(r.Host)
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, local := split(a.String()); local != "" {
			return host, local
		}
	}
	if port == "" {
		if port = "80"; r.TLS != nil {
			port = "443"
		}
	}
	return host, port
}

// split splits an address whose port may be missing.
func split(hostport string) (host, port string) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return strings.Trim(hostport, "[]"), ""
	}
	return host, port
}
