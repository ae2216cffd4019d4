package requestfiltering

import (
	"io"
	"net/http"
	"strconv"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// name is the module's name in <globalModules> and in error pages.
const name = "RequestFilteringModule"

// filterModule is RequestFilteringModule in one generation.
type filterModule struct{}

func newModule() module.Module { return filterModule{} }

var _ module.Module = filterModule{}

// Middleware refuses what the section of the request's URL forbids.
func (filterModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		c, err := config.Decode[filterConfig](q.Config, section)
		if err != nil {
			q.Fail(w, r, &module.HTTPError{Status: http.StatusInternalServerError, Module: name, Summary: "the section " + section + " cannot be read: " + err.Error()})
			return
		}
		if e := c.refuse(newSubject(r)); e != nil {
			q.Fail(w, r, e)
			return
		}
		if r.ContentLength >= 0 || r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		// A chunked body tells its length only when it has been read.
		limit := c.Limits.MaxContentLength
		body := &limitedBody{ReadCloser: r.Body, left: int64(limit), refusal: tooLong(limit)}
		limited := new(http.Request)
		*limited = *r
		limited.Body = body
		next.ServeHTTP(w, limited)
		if body.exceeded && q.Outcome.Status == 0 {
			w.Header().Set("Connection", "close") // the rest of the body is not worth reading
			q.Fail(w, r, body.refusal)
		}
	})
}

func tooLong(limit uint32) *module.HTTPError {
	return refusal(13, "the body of the request is longer than "+strconv.FormatUint(uint64(limit), 10)+" bytes",
		"raise maxAllowedContentLength of <requestLimits>, in bytes")
}

// limitedBody fails, with the refusal as its error, when more than left bytes arrive.
type limitedBody struct {
	io.ReadCloser
	left     int64
	exceeded bool
	refusal  *module.HTTPError
}

// Read reads one byte more than is allowed, to tell a body that just fits from one that does not.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.exceeded {
		return 0, b.refusal
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n = int(b.left)
		b.left, b.exceeded = 0, true
		return n, b.refusal
	}
	b.left -= int64(n)
	return n, err
}

// refusal is a 404 with a sub-status, the answer of IIS to whatever its filter refuses.
func refusal(sub int, summary, hint string) *module.HTTPError {
	return &module.HTTPError{Status: http.StatusNotFound, SubStatus: sub, Summary: summary, Hint: hint, Module: name}
}
