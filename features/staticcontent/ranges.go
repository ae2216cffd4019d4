package staticcontent

import (
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// maxRanges is how many ranges of one request are served. Who asks for more gets the whole file, as RFC 9110, section
// 14.2, allows: each part costs more than it brings.
const maxRanges = 64

// withRange returns r with a Range field that http.ServeContent reads as RFC 9110 means it. It passes over what must be
// passed over (another method than GET, a unit that is not known) and what may be (a field that is not well-formed,
// too many ranges, an empty file).
func withRange(r *http.Request, size int64) *http.Request {
	fields := r.Header.Values("Range")
	if len(fields) == 0 {
		return r
	}
	r2 := new(http.Request)
	*r2 = *r
	r2.Header = r.Header.Clone()
	r2.Header.Del("Range")
	if r.Method == http.MethodGet && len(fields) == 1 {
		if plain := plainRange(fields[0], size); plain != "" {
			r2.Header.Set("Range", plain)
		}
	}
	return r2
}

// plainRange returns a Range field of satisfiable ranges that lie inside a file of that size, or of one beyond it when
// none is satisfiable; "" when the field is to be passed over.
func plainRange(field string, size int64) string {
	unit, set, ok := strings.Cut(field, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") || size == 0 {
		return ""
	}
	var plain []string
	n := 0
	for spec := range strings.SplitSeq(set, ",") {
		if spec = strings.Trim(spec, " \t"); spec == "" {
			continue // RFC 9110, section 5.6.1.2: empty elements of a list do not count
		}
		first, last, ok := bounds(spec, size)
		if n++; !ok || n > maxRanges {
			return ""
		}
		if first < size {
			plain = append(plain, strconv.FormatInt(first, 10)+"-"+strconv.FormatInt(min(last, size-1), 10))
		}
	}
	switch {
	case n == 0:
		return ""
	case len(plain) == 0:
		plain = []string{strconv.FormatInt(size, 10) + "-"}
	}
	return "bytes=" + strings.Join(plain, ",")
}

// bounds returns the first and the last position of a range. A suffix of no bytes begins at the size, where nothing is.
func bounds(spec string, size int64) (first, last int64, ok bool) {
	from, to, ok := strings.Cut(spec, "-")
	if !ok || from == "" && to == "" {
		return 0, 0, false
	}
	first, ok1 := position(from)
	last, ok2 := position(to)
	switch {
	case !ok1 || !ok2:
		return 0, 0, false
	case from == "":
		return max(size-last, 0), size - 1, true
	case to == "":
		return first, max(first, size-1), true
	}
	return first, last, first <= last
}

// position reads digits, of which a number too large for the type is as good as the largest; "" is 0.
func position(digits string) (int64, bool) {
	if strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	if digits == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	return n, true
}

// heldWriter holds back 412 and 416 of http.ServeContent, whose pages are those of HTTP Errors.
type heldWriter struct {
	http.ResponseWriter
	status int // held back, 0 for none
}

// WriteHeader holds the two statuses back and passes every other on.
func (w *heldWriter) WriteHeader(status int) {
	if status == http.StatusPreconditionFailed || status == http.StatusRequestedRangeNotSatisfiable {
		w.status = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write drops the body of what is held back.
func (w *heldWriter) Write(p []byte) (int, error) {
	if w.status != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom keeps the way open on which the kernel copies files.
func (w *heldWriter) ReadFrom(src io.Reader) (int64, error) {
	if w.status != 0 {
		return io.Copy(io.Discard, src)
	}
	// Header and content of a file in memory leave with one call; on the way of ReadFrom they would take two.
	if l, ok := src.(*io.LimitedReader); ok {
		if m, ok := l.R.(*memory); ok {
			b := m.next(l.N)
			l.N -= int64(len(b))
			n, err := w.ResponseWriter.Write(b)
			return int64(n), err
		}
	}
	return io.Copy(w.ResponseWriter, src)
}

// Unwrap gives http.ResponseController the way to the remaining abilities.
func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
