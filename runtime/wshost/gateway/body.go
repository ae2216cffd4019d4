package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// MaxSpool is how long a body may be that comes without its length. Request Filtering may allow less.
const MaxSpool = 1 << 30

// Body returns the body of a request and its length, which a program must be told beforehand. One that comes in chunks is
// put into a file in dir first, which has no name. The caller calls done when it does not need the body any more.
func Body(r *http.Request, dir string, limit int64) (body io.Reader, length int64, done func(), refusal *module.HTTPError) {
	none := func() {}
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil, 0, none, nil
	}
	if r.ContentLength > 0 {
		return r.Body, r.ContentLength, none, nil
	}
	f, err := os.CreateTemp(dir, "body-*")
	if err != nil {
		return nil, 0, none, &module.HTTPError{Status: http.StatusInternalServerError, Summary: "the body of the request cannot be stored: " + err.Error()}
	}
	_ = os.Remove(f.Name()) // it lives as long as it is open
	done = func() { _ = f.Close() }
	n, err := io.Copy(f, io.LimitReader(r.Body, limit+1))
	if err == nil && n <= limit {
		_, err = f.Seek(0, io.SeekStart)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case n > limit, errors.As(err, &tooLarge):
		refusal = &module.HTTPError{
			Status: http.StatusRequestEntityTooLarge, SubStatus: 1,
			Summary: fmt.Sprintf("the body comes without its length and is longer than %d bytes", limit), Hint: "send it with a Content-Length",
		}
	case err != nil:
		refusal = &module.HTTPError{Status: http.StatusBadRequest, Summary: "the body of the request cannot be read: " + err.Error()}
	}
	if refusal != nil {
		done()
		return nil, 0, none, refusal
	}
	if n == 0 {
		return nil, 0, done, nil
	}
	return f, n, done, nil
}
