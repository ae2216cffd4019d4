package conformance_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/conformance"
)

// engine serves an echo with package ws.
func engine(t *testing.T) string {
	t.Helper()
	u := &ws.Upgrader{Limits: ws.Limits{MessageSize: 80 << 20}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := u.Upgrade(w, r)
		if err != nil {
			return
		}
		echo(c)
	}))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http") + "/echo"
}

func echo(c *ws.Conn) {
	for {
		op, p, err := c.Read(context.Background())
		if err != nil {
			return
		}
		if err := c.Write(context.Background(), op, p); err != nil {
			return
		}
	}
}

func TestEngineAsServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	r, err := conformance.Run(ctx, conformance.Options{URL: engine(t), Concurrency: 8})
	if err != nil {
		t.Fatal(err)
	}
	strict(t, r, 850)
}

// strict asks for a report without a stain, of at least so many cases.
func strict(t *testing.T, r *conformance.Report, least int) {
	t.Helper()
	if r.Cases < least {
		t.Errorf("only %d cases", r.Cases)
	}
	if !r.Passed(true) {
		var b strings.Builder
		if err := r.WriteText(&b, true); err != nil {
			t.Fatal(err)
		}
		t.Error(b.String())
	}
	t.Log(r.Counts)
}
