package webservercore

import (
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

const protocolModuleName = "ProtocolSupportModule"

// allowed are the methods that the server itself answers.
const allowed = "GET, HEAD, OPTIONS"

// protocolModule is ProtocolSupportModule: it answers OPTIONS and refuses TRACE, for every URL.
type protocolModule struct{}

func newProtocolModule() module.Module { return protocolModule{} }

var _ module.Module = protocolModule{}

// Middleware handles the two methods that concern the server rather than a resource.
func (protocolModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		// Sites whose application answers OPTIONS by itself remove the handler OPTIONSVerbHandler.
		case r.Method == http.MethodOptions && module.FromRequest(r).Handles(protocolModuleName):
			h := w.Header()
			h.Set("Allow", allowed)
			h.Set("Public", allowed) // the older name, which clients of IIS still read
			h.Set("Content-Length", "0")
			w.WriteHeader(http.StatusOK)
		case r.Method == http.MethodTrace:
			// It would send cookies and credentials back to whoever asks (RFC 9110, section 9.3.8).
			module.FromRequest(r).Fail(w, r, &module.HTTPError{
				Status: http.StatusMethodNotAllowed, Module: protocolModuleName,
				Summary: "the method TRACE is switched off on this server",
				Header:  http.Header{"Allow": {allowed}},
			})
		default:
			next.ServeHTTP(w, r)
		}
	})
}
