package conformance_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/conformance"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// variant is a way to use package ws, as server or client.
type variant struct {
	name        string
	style       style
	tls         bool
	compression func() *ws.Compression // nil for none
	brief       bool                   // it runs what is light
}

// light leaves out what takes long: the compressed variants run it, and most of it is not compressed there either.
const light = "!sizes,!limits"

type style uint8

const (
	pull      style = 1 // Read and Write
	poller    style = 2 // callbacks, where an idle connection has no goroutine
	goroutine style = 3 // callbacks, in a goroutine for each connection
)

// variants are all of them. The poller is for plain TCP alone.
func variants() []variant {
	var list []variant
	for _, s := range []struct {
		name string
		style
		tls bool
	}{
		{"pull", pull, false}, {"pull over TLS", pull, true}, {"poller", poller, false},
		{"goroutine", goroutine, false}, {"goroutine over TLS", goroutine, true},
	} {
		for _, c := range []struct {
			name string
			make func() *ws.Compression
		}{
			{"plain", nil},
			{"compressed", func() *ws.Compression { return &ws.Compression{} }},
			{"small windows, no takeover", func() *ws.Compression {
				return &ws.Compression{SendBits: 9, ReceiveBits: 9, SendNoTakeover: true, ReceiveNoTakeover: true}
			}},
		} {
			list = append(list, variant{s.name + ", " + c.name, s.style, s.tls, c.make, c.name != "compressed"})
		}
	}
	return list
}

func (v variant) squeeze() *ws.Compression {
	if v.compression == nil {
		return nil
	}
	return v.compression()
}

func (v variant) driver() ws.Driver {
	if v.style == goroutine {
		return ws.Goroutine
	}
	return ws.Automatic
}

// limits lets messages up to a size through; times are long, for the machine may be busy.
func limits(size int64) ws.Limits {
	const long = 5 * time.Minute
	return ws.Limits{
		MessageSize: size, AssemblyTimeout: long, WriteTimeout: long, PongTimeout: long, CloseTimeout: long, HandshakeTimeout: long,
	}
}

const (
	manyBytes = 80 << 20 // more than any case sends
	fewBytes  = 300_000  // a limit that cases try from both sides
)

// echoer answers each message with itself.
type echoer struct {
	once sync.Once
	over chan struct{}
}

func (e *echoer) Opened(*ws.Socket) {}

func (e *echoer) Message(s *ws.Socket, op frame.Opcode, p []byte) { _ = s.Write(op, p) }

func (e *echoer) Closed(*ws.Socket, error) {
	if e.over != nil {
		e.once.Do(func() { close(e.over) })
	}
}

// start serves an echo and returns how it is judged.
func (v variant) start(t *testing.T, size int64) conformance.Options {
	t.Helper()
	u := &ws.Upgrader{Limits: limits(size), Compression: v.squeeze(), Driver: v.driver()}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.style != pull {
			_ = u.Serve(w, r, &echoer{})
			return
		}
		if c, err := u.Upgrade(w, r); err == nil {
			echo(c)
		}
	}))
	o := conformance.Options{Concurrency: 8}
	if v.tls {
		srv.StartTLS()
		o.TLS = srv.Client().Transport.(*http.Transport).TLSClientConfig
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	o.URL = "ws" + strings.TrimPrefix(srv.URL, "http") + "/echo"
	return o
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

// sample chooses every so many cases, others for each variant, of those that the race detector does not make long.
func sample(s conformance.Subject, variant int) string {
	const each = 20
	var ids []string
	for i, c := range conformance.CasesFor(s) {
		if i%each == variant%each && c.Matches("!MiB,!limits,!bomb,!10000 ") {
			ids = append(ids, c.ID)
		}
	}
	return strings.Join(ids, ",")
}

func TestEngineAsServer(t *testing.T) {
	for i, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			o, least := v.start(t, manyBytes), 930
			switch {
			case conformance.UnderRace || testing.Short():
				o.Match, least = sample(conformance.Server, i), 40
			case v.brief:
				o.Match, least = light, 880
			}
			r, err := conformance.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			strict(t, r, least)
			v.mustCompress(t, r)
			o = v.start(t, fewBytes)
			o.MessageSize, o.Match = fewBytes, "known limit"
			if r, err = conformance.Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			strict(t, r, 10)
		})
	}
}

// mustCompress makes sure that compression was judged, and not skipped because it was never agreed to.
func (v variant) mustCompress(t *testing.T, r *conformance.Report) {
	t.Helper()
	if v.compression == nil {
		return
	}
	judged := 0
	for _, res := range r.Results {
		if strings.HasPrefix(res.Section, "RFC 7692") && res.Outcome == conformance.OK {
			judged++
		}
	}
	if least := r.Cases / 30; judged < least {
		t.Errorf("compression was judged by %d cases, not %d", judged, least)
	}
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
	t.Log(fmt.Sprint(r.Counts))
}
