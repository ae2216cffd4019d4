package module

import (
	"fmt"
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// HTTPError is a request that a module or the host refuses, with the status and sub-status that IIS would log.
type HTTPError struct {
	Status    int    // HTTP status, 400 to 599
	SubStatus int    // sub-status of IIS, as the 8 of 404.8; 0 for none
	Win32     uint32 // Win32 or HRESULT code; 0 for none
	// Summary says what happened, for people at the server: "the request is filtered because ...".
	Summary string
	// Hint is the next step a person can take. It is shown in the detailed page and in the host's log only.
	Hint string
	// Module is the name of the refusing module; empty for the host itself.
	Module string
	// Config is set when the configuration is at fault (500.19); it names file, line and column.
	Config *config.Error
	// Header holds additional response header fields, such as Allow for 405. It may be nil.
	Header http.Header
}

// Error returns the status, sub-status and summary.
func (e *HTTPError) Error() string {
	return fmt.Sprintf("%d.%d %s", e.Status, e.SubStatus, e.Summary)
}

// ConfigFailure returns the 500.19 for a configuration error.
func ConfigFailure(err *config.Error) *HTTPError {
	return &HTTPError{Status: http.StatusInternalServerError, SubStatus: 19, Win32: err.HResult, Summary: err.Message, Hint: err.Hint, Config: err}
}

// Misfit returns the failure of a module whose section cannot be decoded: its declaration and its Go type differ, which is
// a fault of this program.
func Misfit(module, section string, err error) *HTTPError {
	return &HTTPError{
		Status: http.StatusInternalServerError, Module: module, Summary: "the section " + section + " cannot be read: " + err.Error(),
	}
}

// Fail answers the request with e and records its sub-status. Nothing of the response may have been sent before.
func (q *Request) Fail(w http.ResponseWriter, r *http.Request, e *HTTPError) {
	q.Outcome.SubStatus, q.Outcome.Win32 = e.SubStatus, e.Win32
	h := w.Header()
	for k, vs := range e.Header {
		h[k] = vs
	}
	q.RenderError(w, r, e)
}
