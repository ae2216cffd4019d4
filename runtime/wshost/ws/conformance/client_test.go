package conformance_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/conformance"
)

// examination starts the fuzzing server and returns its address and its report to come.
func examination(t *testing.T, o conformance.Options) (address string, report chan *conformance.Report) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	report = make(chan *conformance.Report, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	go func() {
		r, err := conformance.Serve(ctx, ln, o)
		if err != nil {
			t.Error(err)
		}
		report <- r
	}()
	return ln.Addr().String(), report
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// take goes through the cases with our own client, eight at a time.
func take(t *testing.T, address string, n int) {
	t.Helper()
	cases := make(chan int)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for k := range cases {
				o := &ws.DialOptions{Limits: ws.Limits{MessageSize: 80 << 20}}
				c, _, err := ws.Dial(t.Context(), fmt.Sprintf("ws://%s/case?n=%d", address, k), o)
				if err != nil {
					continue // refused: that is for the judge to say
				}
				echo(c)
			}
		})
	}
	for k := 1; k <= n; k++ {
		cases <- k
	}
	close(cases)
	wg.Wait()
}

func TestEngineAsClient(t *testing.T) {
	address, report := examination(t, conformance.Options{Agent: "package ws"})
	var n int
	if _, err := fmt.Sscan(get(t, "http://"+address+"/count"), &n); err != nil {
		t.Fatal(err)
	}
	c, _, err := ws.Dial(t.Context(), "ws://"+address+"/count", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, p, err := c.Read(t.Context()); err != nil || string(p) != fmt.Sprint(n) {
		t.Errorf("a WebSocket to /count got %q, %v; a plain request %d", p, err, n)
	}
	_ = c.Close(1000, "")
	take(t, address, n)
	r := <-report
	strict(t, r, 700)
	if r.Agent != "package ws" || r.Subject != conformance.Client {
		t.Errorf("the report is about %s %q", r.Subject, r.Agent)
	}
	for _, res := range r.Results {
		if strings.Contains(strings.Join(res.Seen, " "), "never asked for") {
			t.Errorf("%s was asked for and not run", res.ID)
		}
	}
}
