package wshost

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

func TestReloadDropsNobody(t *testing.T) {
	const clients, reloads = 200, 20
	h := newTestHost(t, hello("hello")).start()
	tr := &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr, Timeout: patience}
	var stop atomic.Bool
	var served atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for !stop.Load() {
				resp, err := client.Get("http://" + h.addr + "/")
				if err != nil {
					t.Errorf("a request failed: %v", err)
					return
				}
				b, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != 200 || string(b) != "hello" {
					t.Errorf("a request failed: %s %q %v", resp.Status, b, err)
					return
				}
				served.Add(1)
			}
		})
	}
	eventually(t, "every client is at work", func() bool { return served.Load() >= clients })
	for range reloads {
		before := served.Load()
		h.reload()
		eventually(t, "the clients go on", func() bool { return served.Load() > before || t.Failed() })
	}
	stop.Store(true)
	wg.Wait()
	st := h.s.Status()
	if st.Generation != reloads+1 || st.Requests != uint64(served.Load()) {
		t.Errorf("generation %d after %d requests, want %d and %d", st.Generation, st.Requests, reloads+1, served.Load())
	}
	eventually(t, "the old generations are closed", func() bool { return h.s.Status().Generations == 1 })
	if n := h.fakes[0].closed.Load(); n != reloads {
		t.Errorf("%d modules were closed, want %d", n, reloads)
	}
}

func TestUpgradedConnectionKeepsItsGeneration(t *testing.T) {
	j := &journal{}
	sockets := upgrader()
	sockets.journal = j
	h := newTestHost(t, sockets, &fake{name: "Begin", stage: module.StageBegin, journal: j}).start()
	c := upgrade(t, h.addr)
	first := h.s.current.Load()
	for range 20 {
		h.reload()
	}
	c.send("still there\n")
	if line, err := c.r.ReadString('\n'); err != nil || line != "still there\n" {
		t.Fatalf("the connection does not echo any more: %q %v", line, err)
	}
	eventually(t, "only the connection's generation is left beside the current one", func() bool { return h.s.Status().Generations == 2 })
	select {
	case <-first.closed:
		t.Fatal("the generation was closed under its connection")
	default:
	}
	if st := h.s.Status(); st.Sockets["sockets"] != 1 {
		t.Errorf("sockets %v, want one", st.Sockets)
	}
	j.take()
	_ = c.Close()
	<-first.closed
	if got, want := j.take(), []string{"close " + sockets.name, "close Begin"}; !slices.Equal(got, want) {
		t.Errorf("closed %q, want %q: once each, newest first", got, want)
	}
	if st := h.s.Status(); st.Sockets["sockets"] != 0 || st.Generations != 1 {
		t.Errorf("sockets %v in %d generations, want none in one", st.Sockets, st.Generations)
	}
}

func TestRefusedGenerationLeavesTheOldOne(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name  string
		spoil func(f *fake)
		want  string
	}{
		{"provision fails", func(f *fake) { f.provision = func(*module.Context) error { return boom } }, `provision module "Third": boom`},
		{"provision panics", func(f *fake) { f.provision = func(*module.Context) error { panic("boom") } }, `provision module "Third": panic: boom`},
		{"validate fails", func(f *fake) { f.validate = func() error { return boom } }, `validate module "Third": boom`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := &journal{}
			third := &fake{name: "Third", after: []string{"Second"}, journal: j}
			h := newTestHost(t, &fake{name: "First", stage: module.StageBegin, journal: j}, &fake{name: "Second", journal: j},
				third, &fake{name: "HelloModule", after: []string{"Third"}, serve: hello("old").serve}).start()
			j.take()
			tt.spoil(third)
			_, err := h.s.Reload(context.Background())
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Fatalf("error %v, want %s", err, tt.want)
			}
			got := j.take()
			want := []string{"provision First", "provision Second", "provision Third", "close Second", "close First"}
			if third.validate != nil { // then it was provisioned and is closed, too
				want = slices.Insert(want, 3, "close Third")
			}
			if !slices.Equal(got, want) {
				t.Errorf("events %q, want %q", got, want)
			}
			if _, body := h.get("/"); body != "old" {
				t.Errorf("body %q, want the old generation's", body)
			}
			third.provision, third.validate = nil, nil
			if r := h.reload(); r.Generation != 2 {
				t.Errorf("generation %d, want 2: a refused one has no number", r.Generation)
			}
		})
	}
}

func TestUnknownModuleIsNamed(t *testing.T) {
	h := newTestHost(t, hello("old")).start()
	h.fakes = append(h.fakes, &fake{name: "NoSuchModule"})
	h.configure(h.site(1, "Default Web Site", "", "127.0.0.1:0:"))
	_, err := h.s.Reload(context.Background())
	ce := (*config.Error)(nil)
	if !errors.As(err, &ce) || !strings.Contains(ce.Message, `"NoSuchModule"`) || ce.Section != sectionGlobalModules || ce.Pos.Line == 0 {
		t.Fatalf("error %#v, want a configuration error with a place that names the module", err)
	}
	if _, body := h.get("/"); body != "old" {
		t.Errorf("body %q, want the old generation's", body)
	}
	if _, err := Start(context.Background(), Options{Home: t.TempDir(), Name: "x"}); err == nil {
		t.Error("a host without a configuration has started")
	}
}

func TestEndedGenerationTakesNobody(t *testing.T) {
	h := newTestHost(t, hello("x")).start()
	g := h.s.current.Load()
	if !g.hold() {
		t.Fatal("the current generation takes nobody")
	}
	h.reload()
	if !g.hold() {
		t.Error("a generation with users ended")
	}
	g.release()
	g.release()
	<-g.closed
	if g.hold() {
		t.Error("an ended generation took a user")
	}
}

func TestSharedOutlivesGenerations(t *testing.T) {
	var made atomic.Int64
	f := hello("x")
	f.provision = func(c *module.Context) error {
		v, _, err := c.Shared.Acquire("hub", func() (any, error) { return made.Add(1), nil })
		if err == nil && v != int64(1) {
			t.Errorf("generation got value %v, want the first", v)
		}
		return err
	}
	h := newTestHost(t, f).start()
	h.reload()
	h.reload()
	if made.Load() != 1 || f.made.Load() != 3 {
		t.Errorf("value made %d times for %d modules, want once for 3", made.Load(), f.made.Load())
	}
}

func TestSharedClosesWithItsLastUser(t *testing.T) {
	var s module.Shared
	c := &closeCounter{}
	_, first, err := s.Acquire("k", func() (any, error) { return c, nil })
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := s.Acquire("k", func() (any, error) { t.Error("made twice"); return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	first()
	first() // once counts
	if c.n != 0 {
		t.Fatal("closed under its last user")
	}
	second()
	if c.n != 1 {
		t.Fatalf("closed %d times, want once", c.n)
	}
	if _, _, err := s.Acquire("k", func() (any, error) { return nil, errors.New("no") }); err == nil {
		t.Fatal("a failed make gave a value")
	}
}

type closeCounter struct{ n int }

func (c *closeCounter) Close() error { c.n++; return nil }
