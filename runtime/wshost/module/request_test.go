package module

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

func TestRequestEnds(t *testing.T) {
	tests := []struct {
		name string
		run  func(q *Request)
		want bool // ended
	}{
		{"when the pipeline returns", func(q *Request) { q.Returned() }, true},
		{"not while it is detached", func(q *Request) { q.Detach(); q.Returned() }, false},
		{"when the connection ends after the pipeline", func(q *Request) { end := q.Detach(); q.Returned(); end() }, true},
		{"when the connection ends before the pipeline", func(q *Request) { end := q.Detach(); end(); q.Returned() }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var order []int
			q := &Request{}
			q.OnEnd(func() { order = append(order, 1) })
			q.OnEnd(func() { order = append(order, 2) })
			tt.run(q)
			if tt.want && !slices.Equal(order, []int{2, 1}) || !tt.want && order != nil {
				t.Errorf("functions ran as %v; ended must be %v, newest first, once each", order, tt.want)
			}
			late := false
			q.OnEnd(func() { late = true })
			if late != tt.want {
				t.Errorf("a late function ran at once: %v, want %v", late, tt.want)
			}
		})
	}
}

func TestDetachedRequestsHoldLess(t *testing.T) {
	told := 0
	q := &Request{Handler: &Handler{}, Sockets: &Sockets{}, Reconfigure: func(string) *HTTPError { return nil }}
	q.OnDetach(func() { told++ })
	end := q.Detach()
	if told != 1 || q.Handler == nil {
		t.Errorf("told %d times that it is detached, handler %v", told, q.Handler)
	}
	q.Returned()
	if q.Handler != nil || q.Sockets != nil || q.Reconfigure != nil {
		t.Error("what only the pipeline needs is held on")
	}
	end()
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	whole := &Request{Handler: &Handler{}}
	whole.OnDetach(func() { t.Error("it was not detached") })
	whole.Returned()
	if whole.Handler == nil {
		t.Error("a request that has ended was changed")
	}
}

func TestFail(t *testing.T) {
	var got *HTTPError
	q := &Request{RenderError: func(_ http.ResponseWriter, _ *http.Request, e *HTTPError) { got = e }}
	w := httptest.NewRecorder()
	e := ConfigFailure(&config.Error{Pos: config.Pos{File: "web.config", Line: 3}, HResult: config.HResultLocked, Message: "locked", Hint: "unlock it"})
	e.Header = http.Header{"Allow": {"GET"}}
	q.Fail(w, httptest.NewRequest("GET", "/", nil), e)
	if got != e || q.Outcome.SubStatus != 19 || q.Outcome.Win32 != config.HResultLocked || w.Header().Get("Allow") != "GET" {
		t.Errorf("rendered %v, outcome %+v, header %v", got, q.Outcome, w.Header())
	}
	if s := e.Error(); s != "500.19 locked" {
		t.Errorf("text %q", s)
	}
}

func TestFromRequest(t *testing.T) {
	q := &Request{SiteName: "a"}
	r := WithRequest(httptest.NewRequest("GET", "/", nil), q)
	if FromRequest(r) != q {
		t.Error("another request came back")
	}
	defer func() {
		if recover() == nil {
			t.Error("a request that did not come through the host gave a value")
		}
	}()
	FromRequest(httptest.NewRequest("GET", "/", nil))
}

func TestMoveTo(t *testing.T) {
	var asked string
	refusal := &HTTPError{Status: 500, SubStatus: 19}
	q := &Request{Reconfigure: func(p string) *HTTPError {
		asked = p
		if p == "/bad" {
			return refusal
		}
		return nil
	}}
	r := httptest.NewRequest("GET", "/a%2fb/?x=1", nil)
	moved, got := q.MoveTo(r, "/a/b/c")
	if got != nil || asked != "/a/b/c" || moved.URL.String() != "/a/b/c?x=1" || moved.RequestURI != r.RequestURI || r.URL.Path != "/a/b/" {
		t.Errorf("moved to %v (asked %q, refused %v), from %v", moved.URL, asked, got, r.URL)
	}
	if moved, got := q.MoveTo(r, "/bad"); got != refusal || moved != nil {
		t.Errorf("a faulty configuration: %v, %v", moved, got)
	}
	q.Reconfigure = nil
	if moved, got := q.MoveTo(r, "/c"); got != nil || moved.URL.Path != "/c" {
		t.Errorf("without a host: %v, %v", moved, got)
	}
}

func TestHandles(t *testing.T) {
	q := &Request{}
	if !q.Handles("A") {
		t.Error("nothing was mapped, but a module is kept out")
	}
	q.Handler = &Handler{Name: "h", Modules: []string{"A", "B"}}
	if !q.Handles("B") || q.Handles("C") {
		t.Errorf("%+v: B %v, C %v", q.Handler, q.Handles("B"), q.Handles("C"))
	}
}

// TestMoveToMapsAnew holds that a request for another file is another handler's matter.
func TestMoveToMapsAnew(t *testing.T) {
	refusal := &HTTPError{Status: 500, SubStatus: 21}
	q := &Request{MapHandler: func(r *http.Request) *HTTPError {
		if r.URL.Path == "/x.php" {
			return refusal
		}
		return nil
	}}
	r := httptest.NewRequest("GET", "/", nil)
	if moved, got := q.MoveTo(r, "/x.php"); got != refusal || moved != nil {
		t.Errorf("%v, %v", moved, got)
	}
	if moved, got := q.MoveTo(r, "/x.htm"); got != nil || moved.URL.Path != "/x.htm" {
		t.Errorf("%v, %v", moved, got)
	}
}
