package wshost

import (
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// renderBare is the host's own error page: the status and no body. It tells a client nothing of the configuration;
// the HTTP Errors feature replaces it.
func renderBare(w http.ResponseWriter, _ *http.Request, e *module.HTTPError) {
	h := w.Header()
	for _, k := range []string{"Content-Encoding", "Content-Type", "Content-Range", "Etag", "Last-Modified", "Expires"} {
		if _, own := e.Header[k]; !own {
			h.Del(k) // they describe the response that is not sent
		}
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", "0")
	status := e.Status
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
}
