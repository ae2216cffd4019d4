package conformance_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/conformance"
)

// examination is the fuzzing server with the client's way to it.
type examination struct {
	address string
	tls     *tls.Config // of the client; nil for plain TCP
	report  chan *conformance.Report
}

// examine starts the fuzzing server.
func examine(t *testing.T, o conformance.Options, overTLS bool) *examination {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &examination{address: ln.Addr().String(), report: make(chan *conformance.Report, 1)}
	if overTLS {
		srv := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
		t.Cleanup(srv.Close)
		x.tls = srv.Client().Transport.(*http.Transport).TLSClientConfig
		ln = tls.NewListener(ln, &tls.Config{Certificates: srv.TLS.Certificates})
	}
	go func() {
		r, err := conformance.Serve(t.Context(), ln, o)
		if err != nil {
			t.Error(err)
		}
		x.report <- r
	}()
	return x
}

func (x *examination) url(scheme, path string) string {
	if x.tls != nil {
		scheme += "s"
	}
	return scheme + "://" + x.address + path
}

func (x *examination) get(t *testing.T, path string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: x.tls, DisableKeepAlives: true}}
	resp, err := client.Get(x.url("http", path))
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

// count asks how many cases there are.
func (x *examination) count(t *testing.T) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(x.get(t, "/count"), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// take goes through cases with our own client, so many at a time.
func (v variant) take(t *testing.T, x *examination, o ws.DialOptions, atOnce int, cases []int) {
	t.Helper()
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for k := range next {
				v.one(t, x.url("ws", fmt.Sprintf("/case?n=%d", k)), o)
			}
		})
	}
	for _, k := range cases {
		next <- k
	}
	close(next)
	wg.Wait()
}

// one takes a case. A handshake that fails is for the judge to assess.
func (v variant) one(t *testing.T, url string, o ws.DialOptions) {
	if v.style == pull {
		if c, _, err := ws.Dial(t.Context(), url, &o); err == nil {
			echo(c)
		}
		return
	}
	e := &echoer{over: make(chan struct{})}
	if _, _, err := ws.DialHandler(t.Context(), url, &o, e); err == nil {
		<-e.over
	}
}

// examined takes every case of an examination, those that ended badly a second time alone: a busy machine is as slow as
// a broken client.
func (v variant) examined(t *testing.T, o conformance.Options, size int64) *conformance.Report {
	t.Helper()
	x := examine(t, o, v.tls)
	opt := ws.DialOptions{Limits: limits(size), Compression: v.squeeze(), Driver: v.driver(), TLS: x.tls}
	if v.style == poller {
		opt.Engine = new(ws.Engine)
	}
	var all, again []int
	for k, n := 2, x.count(t); k <= n; k++ { // the first one is left to the end, which is when the last one has been taken
		all = append(all, k)
	}
	v.take(t, x, opt, 8, all)
	var r conformance.Report
	if err := json.Unmarshal([]byte(x.get(t, "/report")), &r); err != nil {
		t.Fatal(err)
	}
	for i, res := range r.Results {
		if i > 0 && (res.Outcome == conformance.Failed || res.Outcome == conformance.NonStrict) {
			t.Logf("once more: %s, seen %q", res.ID, res.Seen)
			again = append(again, i+1)
		}
	}
	v.take(t, x, opt, 1, append(again, 1))
	return <-x.report
}

func TestEngineAsClient(t *testing.T) {
	for i, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			o, least := conformance.Options{Agent: v.name}, 880
			switch {
			case conformance.UnderRace || testing.Short():
				o.Match, least = sample(conformance.Client, i), 35
			case v.brief:
				o.Match, least = light, 840
			}
			r := v.examined(t, o, manyBytes)
			strict(t, r, least)
			v.mustCompress(t, r)
			if r.Agent != v.name || r.Subject != conformance.Client {
				t.Errorf("the report is about %s %q", r.Subject, r.Agent)
			}
			for _, res := range r.Results {
				if strings.Contains(strings.Join(res.Seen, " "), "never asked for") {
					t.Errorf("%s was asked for and not run", res.ID)
				}
			}
			strict(t, v.examined(t, conformance.Options{MessageSize: fewBytes, Match: "known limit"}, fewBytes), 10)
		})
	}
}

func TestCountOverWebSocket(t *testing.T) {
	x := examine(t, conformance.Options{Match: "echo"}, false)
	n := x.count(t)
	c, _, err := ws.Dial(t.Context(), x.url("ws", "/count"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, p, err := c.Read(t.Context()); err != nil || string(p) != fmt.Sprint(n) {
		t.Errorf("a WebSocket to /count got %q, %v; a plain request %d", p, err, n)
	}
	_ = c.Close(1000, "")
	if x.get(t, "/done"); (<-x.report).Counts[conformance.Skipped] != n {
		t.Error("cases that nobody asked for are not skipped")
	}
}
