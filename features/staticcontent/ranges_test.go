package staticcontent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPlainRange(t *testing.T) {
	const huge = "99999999999999999999"
	for _, c := range []struct {
		field string
		size  int64
		want  string
	}{
		{"bytes=0-0", 10, "bytes=0-0"}, {"bytes=0-9", 10, "bytes=0-9"}, {"bytes=0-10", 10, "bytes=0-9"}, {"bytes=9-", 10, "bytes=9-9"},
		{"bytes=-1", 10, "bytes=9-9"}, {"bytes=-10", 10, "bytes=0-9"}, {"bytes=-11", 10, "bytes=0-9"},
		{"bytes=-0", 10, "bytes=10-"}, {"bytes=10-", 10, "bytes=10-"}, {"bytes=10-20", 10, "bytes=10-"}, {"bytes=-0,12-", 10, "bytes=10-"},
		{"bytes=0-1,-0,8-" + huge, 10, "bytes=0-1,8-9"}, {"bytes=-" + huge, 10, "bytes=0-9"}, {"bytes=" + huge + "-", 10, "bytes=10-"},
		{"BYTES = 0-1 ,\t2-3,,", 10, "bytes=0-1,2-3"},
		{"items=0-1", 10, ""}, {"bytes", 10, ""}, {"bytes=", 10, ""}, {"bytes=,", 10, ""}, {"bytes=-", 10, ""}, {"bytes=3-2", 10, ""},
		{"bytes=a-b", 10, ""}, {"bytes=0-1,x", 10, ""}, {"bytes=+1-2", 10, ""}, {"bytes=1--2", 10, ""}, {"bytes=0x1-2", 10, ""}, {"bytes=1", 10, ""},
		{"bytes=0-", 0, ""}, {"bytes=-5", 0, ""},
		{"bytes=" + strings.Repeat("0-0,", maxRanges), 10, "bytes=" + strings.Repeat("0-0,", maxRanges-1) + "0-0"},
		{"bytes=" + strings.Repeat("0-0,", maxRanges+1), 10, ""},
	} {
		if got := plainRange(c.field, c.size); got != c.want {
			t.Errorf("%.40q of %d: %q, want %q", c.field, c.size, got, c.want)
		}
	}
}

func TestWithRange(t *testing.T) {
	for _, c := range []struct {
		method string
		fields []string
		want   string
	}{
		{"GET", nil, ""}, {"GET", []string{"bytes=1-"}, "bytes=1-9"}, {"GET", []string{"bytes=1-", "bytes=2-"}, ""}, {"HEAD", []string{"bytes=1-"}, ""},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Header["Range"] = c.fields
		if got := withRange(r, 10).Header.Get("Range"); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.method, c.fields, got, c.want)
		}
		if len(r.Header["Range"]) != len(c.fields) {
			t.Error("the request of the other modules was changed")
		}
	}
}

// FuzzPlainRange sends every field through http.ServeContent: whatever a client writes, the answer is one of four and
// the parts lie inside the file.
func FuzzPlainRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1,-3", "bytes=-0", "bytes=5-", "items=1-2", "bytes=0-1,5-,-99999999999999999999", "bytes=9-3"} {
		f.Add(s, uint8(10))
	}
	f.Fuzz(func(t *testing.T, field string, size uint8) {
		content := strings.Repeat("x", int(size))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Range", field)
		w := httptest.NewRecorder()
		http.ServeContent(w, withRange(r, int64(size)), "a.txt", time.Time{}, strings.NewReader(content))
		got := w.Result()
		body, err := io.ReadAll(got.Body)
		switch {
		case err != nil:
			t.Error(err)
		case got.StatusCode == http.StatusOK && string(body) != content:
			t.Errorf("%q of %d: not the whole file", field, size)
		case got.StatusCode == http.StatusPartialContent && len(body) == 0:
			t.Errorf("%q of %d: a part without content: %v", field, size, got.Header)
		case got.StatusCode == http.StatusRequestedRangeNotSatisfiable && got.Header.Get("Content-Range") == "":
			t.Errorf("%q of %d: 416 for a field that should be passed over", field, size)
		}
	})
}
