package httpplatform

import (
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

func TestCrashAndRestart(t *testing.T) {
	b := newBench(t)
	s := b.settings("ok")
	first := b.pid(s)
	if a := b.ask(s, "/exit"); a.status != 502 || a.sub != 3 || !strings.Contains(a.failure.Hint, "the program starts") {
		t.Errorf("%d.%d %+v", a.status, a.sub, a.failure)
	}
	b.eventually("a restart without a request", func() bool { return strings.Count(b.log.String(), "takes requests") == 2 })
	if second := b.pid(s); second == first {
		t.Error("the same process")
	}
	if !strings.Contains(b.log.String(), "exit code 7") {
		t.Errorf("the log does not tell how it ended: %s", b.log)
	}
}

func TestRapidFails(t *testing.T) {
	b := newBench(t)
	s := b.settings("fails", func(s *settings) { s.rapidFails = 2 })
	for n, want := range []int{502, 502, 502, 503, 503} {
		a := b.ask(s, "/pid")
		if a.status != want {
			t.Fatalf("request %d: %d %+v", n, a.status, a.failure)
		}
		if want == 503 && (!strings.Contains(a.failure.Summary, "more than 2 times") || !strings.Contains(a.failure.Hint, "the program is broken")) {
			t.Errorf("%+v", a.failure)
		}
	}
	b.forward(failWindow - 5*time.Second) // the failures themselves have taken some of the minute
	if a := b.ask(s, "/pid"); a.status != 503 {
		t.Errorf("before the end of the minute: %d", a.status)
	}
	b.forward(5 * time.Second)
	if a := b.ask(s, "/pid"); a.status != 502 {
		t.Errorf("after the minute: %d", a.status)
	}
	// A change of the configuration begins anew.
	b.configure()
	b.pid(b.settings("ok"))
}

func TestRapidFailsOfReadyProcesses(t *testing.T) {
	b := newBench(t)
	s := b.settings("ok", func(s *settings) { s.rapidFails = 1 })
	for n := range 2 {
		b.pid(s)
		b.ask(s, "/exit")
		b.eventually("the failure", func() bool { return strings.Count(b.log.String(), "was_ready=true") == n+1 })
	}
	if a := b.ask(s, "/pid"); a.status != 503 {
		t.Errorf("%d after two failures", a.status)
	}
	b.forward(failWindow)
	b.pid(s)
	// 0 is no limit.
	free := newBench(t)
	s = free.settings("fails", func(s *settings) { s.rapidFails = 0 })
	for range 13 {
		if a := free.ask(s, "/pid"); a.status != 502 {
			t.Fatalf("%d without a limit", a.status)
		}
	}
}

func TestProcessesInTurn(t *testing.T) {
	b := newBench(t)
	s := b.settings("ok", func(s *settings) { s.processes = 3 })
	for range 3 { // the first waits, the others start theirs and are answered by what is ready
		b.pid(s)
	}
	b.eventually("three processes", func() bool { return strings.Count(b.log.String(), "takes requests") == 3 })
	var pids []string
	for range 6 {
		pids = append(pids, b.pid(s))
	}
	if !slices.Equal(pids[:3], pids[3:]) || pids[0] == pids[1] || pids[1] == pids[2] {
		t.Errorf("in turn: %q", pids)
	}
	// Fewer of them: those beyond are ended.
	b.configure()
	s.processes = 1
	b.pid(s)
	b.eventually("one process", func() bool { return b.manager.keeper.Running() == 1 })
}

func TestStickySessions(t *testing.T) {
	b := newBench(t)
	s := b.settings("ok", func(s *settings) { s.processes = 2 })
	for b.manager.keeper.Running() < 2 {
		b.pid(s)
	}
	b.eventually("two processes", func() bool { return strings.Count(b.log.String(), "takes requests") == 2 })
	var sids []string
	for range 6 {
		a := b.ask(s, "/socket.io/?EIO=4&transport=polling")
		sid, _ := openedSession([]byte(a.body))
		sids = append(sids, sid)
	}
	var wg sync.WaitGroup
	for _, sid := range sids {
		wg.Go(func() {
			for range 5 {
				if a := b.ask(s, "/socket.io/?EIO=4&transport=polling&sid="+sid); a.status != 200 || !strings.HasPrefix(sid, "s"+a.body) {
					t.Errorf("%s: %d %s", sid, a.status, a.body)
				}
			}
		})
	}
	wg.Wait()
	// A replaced process keeps its sessions, and goes when they have been quiet.
	b.configure()
	s.env += "NEW=1\x00"
	b.pid(s)
	b.eventually("replacements", func() bool { return strings.Count(b.log.String(), "takes requests") == 4 })
	if a := b.ask(s, "/socket.io/?EIO=4&transport=polling&sid="+sids[0]); a.status != 200 || !strings.HasPrefix(sids[0], "s"+a.body) {
		t.Errorf("%d %s after the replacement", a.status, a.body)
	}
	b.forward(sessionQuiet)
	b.eventually("the end of the old ones", func() bool { return b.manager.keeper.Running() == 2 })
	if a := b.ask(s, "/socket.io/?EIO=4&transport=polling&sid="+sids[0]); a.status != 400 || a.failure != nil {
		t.Errorf("%d %+v: a session of a process that is gone goes to another", a.status, a.failure)
	}
}

func TestReplacement(t *testing.T) {
	b := newBench(t)
	s := b.settings("stops:" + b.file("stopped"))
	old := b.pid(s)
	done := b.slow(s, "one")
	i := b.app().slots[0]
	b.configure()
	next := b.settings("waits:" + b.file("go"))
	if pid := b.pid(next); pid != old {
		t.Errorf("%s answers while %s is replaced", pid, old)
	}
	late := *b.handler
	late.generation--
	if (&bench{t: t, handler: &late, folder: b.folder, id: b.id, log: b.log}).pid(s) != old { // it changes nothing
		t.Error("the settings before hold again")
	}
	b.put("go")
	b.eventually("the new process", func() bool { return b.pid(next) != old })
	i.sockets.Add(1)
	if a := done(); a.status != 200 || a.body != old {
		t.Errorf("the old request: %d %s %+v", a.status, a.body, a.failure)
	}
	time.Sleep(2 * drainLook) // it would be asked to end now
	if isFile(b.file("stopped")) || b.manager.keeper.Running() != 2 {
		t.Error("a process with a socket is ended")
	}
	i.sockets.Add(-1)
	b.eventually("the end of the old one", func() bool { return b.manager.keeper.Running() == 1 })
	if !isFile(b.file("stopped")) {
		t.Error("it was not asked to end")
	}
	if strings.Contains(b.log.String(), "has failed") {
		t.Errorf("%s", b.log)
	}
}

func TestDrainDeadline(t *testing.T) {
	b := newBench(t)
	s := b.settings("ok", func(s *settings) { s.drain = time.Hour })
	old := b.pid(s)
	done := b.slow(s, "never")
	b.configure()
	next := b.settings("ok", func(s *settings) { s.env += "A=b\x00" })
	b.eventually("the new process", func() bool { return b.pid(next) != old })
	b.forward(time.Hour - 10*time.Second)
	time.Sleep(2 * drainLook)
	if b.manager.keeper.Running() != 2 {
		t.Error("ended before its time")
	}
	b.forward(11 * time.Second)
	b.eventually("the end of the old one", func() bool { return b.manager.keeper.Running() == 1 })
	if a := done(); a.status != 502 || a.sub != 3 {
		t.Errorf("the request that took too long: %d.%d", a.status, a.sub)
	}
}

func TestFailedReplacement(t *testing.T) {
	b := newBench(t)
	old := b.pid(b.settings("ok"))
	b.configure()
	bad := b.settings("fails")
	if pid := b.pid(bad); pid != old {
		t.Errorf("%s", pid)
	}
	b.eventually("the failure", func() bool { return strings.Contains(b.log.String(), "the process before it goes on") })
	for range 5 {
		if pid := b.pid(bad); pid != old {
			t.Errorf("%s answers, not %s", pid, old)
		}
	}
	b.configure()
	good := b.settings("ok", func(s *settings) { s.env += "GOOD=1\x00" })
	b.eventually("a better one", func() bool { return b.pid(good) != old })
}

func TestWatchedFileReplaces(t *testing.T) {
	b := newBench(t)
	b.put("app.js")
	s := b.settings("ok", func(s *settings) { s.watch = "*.js\x00" })
	old := b.pid(s)
	b.put("app.js")
	b.eventually("the new process", func() bool { return b.pid(s) != old })
	b.eventually("the end of the old one", func() bool { return b.manager.keeper.Running() == 1 })
}

func TestOffline(t *testing.T) {
	for _, name := range []string{"app_offline.htm", "App_Offline.htm"} {
		b := newBench(t)
		s := b.settings("ok")
		old := b.pid(s)
		done := b.slow(s, "one")
		if err := os.WriteFile(b.file(name), []byte("back soon"), 0o600); err != nil {
			t.Fatal(err)
		}
		if a := b.ask(s, "/pid"); a.status != 503 || a.body != "back soon" || a.failure != nil {
			t.Errorf("%d %s", a.status, a.body)
		}
		if a := done(); a.body != old {
			t.Errorf("what it had begun: %d %s", a.status, a.body)
		}
		b.eventually("the end", func() bool { return b.manager.keeper.Running() == 0 })
		if err := os.Remove(b.file(name)); err != nil {
			t.Fatal(err)
		}
		if b.pid(s) == old {
			t.Error("the same process")
		}
	}
}

// TestOfflineDuringStart: requests that wait for a process get the page when it is taken down.
func TestOfflineDuringStart(t *testing.T) {
	b := newBench(t)
	s := b.settings("waits:"+b.file("go"), func(s *settings) { s.shutdown = time.Second })
	c := make(chan reply)
	go func() { c <- b.ask(s, "/pid") }()
	b.eventually("a start", func() bool { return b.manager.keeper.Running() == 1 })
	b.put("app_offline.htm")
	if a := b.ask(s, "/pid"); a.status != 503 {
		t.Errorf("%d", a.status)
	}
	b.forward(2 * time.Second) // it waits for the request that waits for it
	if a := <-c; a.status != 503 || a.failure != nil {
		t.Errorf("%d %+v", a.status, a.failure)
	}
}

// TestOfflineDuringReplacement: what is being started then does not come up.
func TestOfflineDuringReplacement(t *testing.T) {
	b := newBench(t)
	b.pid(b.settings("ok"))
	b.configure()
	s := b.settings("waits:" + b.file("go"))
	b.pid(s)
	b.eventually("a replacement", func() bool { return b.manager.keeper.Running() == 2 })
	b.put("app_offline.htm")
	b.ask(s, "/pid")
	b.eventually("the end", func() bool { return b.manager.keeper.Running() == 0 })
	b.put("go")
	if a := b.ask(s, "/pid"); a.status != 503 {
		t.Errorf("%d", a.status)
	}
	if err := os.Remove(b.file("app_offline.htm")); err != nil {
		t.Fatal(err)
	}
	b.pid(s)
}

func TestGracefulStop(t *testing.T) {
	for how, limit := range map[string]time.Duration{"stops": time.Hour, "stubborn": 50 * time.Millisecond} {
		b := newBench(t)
		s := b.settings(how+":"+b.file("stopped"), func(s *settings) { s.shutdown = limit })
		b.pid(s)
		if err := b.manager.Close(); err != nil {
			t.Fatal(err)
		}
		if b.manager.keeper.Running() != 0 || isFile(b.file("stopped")) != (how == "stops") {
			t.Errorf("%s: %d processes, asked to end %v", how, b.manager.keeper.Running(), isFile(b.file("stopped")))
		}
		if a := b.ask(s, "/pid"); a.status != 503 || !strings.Contains(a.failure.Summary, "stopping") {
			t.Errorf("%s: %d %+v", how, a.status, a.failure)
		}
	}
}

func TestConcurrentLimit(t *testing.T) {
	b := newBench(t)
	s := b.settings("ok", func(s *settings) { s.concurrent = 2 })
	b.pid(s)
	one := b.slow(s, "one")
	two := b.slow(s, "two")
	if a := b.ask(s, "/pid"); a.status != 503 || !strings.Contains(a.failure.Hint, "is 2") {
		t.Errorf("the third: %d %+v", a.status, a.failure)
	}
	one()
	b.pid(s)
	b.app().slots[0].sockets.Add(1)
	if a := b.ask(s, "/pid"); a.status != 503 {
		t.Errorf("with a socket: %d", a.status)
	}
	two()
	old := b.pid(s)
	// Another process has room.
	b.configure()
	s.processes = 2
	s.env += "TWO=1\x00"
	b.pid(s)
	b.eventually("both in turn", func() bool {
		first, second := b.pid(s), b.pid(s)
		return first != second && first != old && second != old
	})
	three, four := b.slow(s, "three"), b.slow(s, "four")
	five := b.slow(s, "five")
	for range 4 {
		b.pid(s)
	}
	three()
	four()
	five()
}

// TestLocations: two location tags of one file are two applications, and one generation does not undo the other.
func TestLocations(t *testing.T) {
	b := newBench(t)
	one, two := b.settings("ok", func(s *settings) { s.arguments = "1" }), b.settings("ok", func(s *settings) { s.arguments = "2" })
	first, second := b.pid(one), b.pid(two)
	if first == second || b.pid(one) != first || b.pid(two) != second || b.manager.keeper.Running() != 2 {
		t.Errorf("processes %s and %s of %d", first, second, b.manager.keeper.Running())
	}
	b.configure()
	if b.pid(two) != second || b.pid(one) != first {
		t.Error("another generation replaces what is as before")
	}
}

// TestRemovedSite: an application that no generation has is taken down.
func TestRemovedSite(t *testing.T) {
	b := newBench(t)
	sites := []config.Site{{ID: 1, Applications: []config.Application{{Path: "/"}}}}
	with := b.manager.begin(sites)
	b.pid(b.settings("ok"))
	other := b.manager.begin([]config.Site{{ID: 2, Applications: []config.Application{{Path: "/"}}}})
	b.manager.end(b.generation)
	if b.manager.keeper.Running() != 1 {
		t.Fatal("taken down while a generation has it")
	}
	b.manager.end(with)
	b.eventually("the end", func() bool { return b.manager.keeper.Running() == 0 })
	b.manager.end(other)
}

// TestRaces asks while everything changes at once: no request may fail.
func TestRaces(t *testing.T) {
	b := newBench(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	set := func(n int) settings {
		return b.settings("ok", func(s *settings) { s.processes = 1 + n%2; s.env += "N=" + strconv.Itoa(n) + "\x00" })
	}
	var mu sync.Mutex
	current, generation := set(0), b.generation
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				mine := &bench{t: b.t, handler: &handler{name: b.name, log: b.handler.log, manager: b.manager, generation: generation}, folder: b.folder, id: b.id, log: b.log}
				s := current
				mu.Unlock()
				if a := mine.send(t.Context(), s, httptest.NewRequest("GET", "/pid", nil)); a.status != 200 {
					t.Errorf("%d %+v", a.status, a.failure)
					return
				}
			}
		})
	}
	b.eventually("a start", func() bool { return strings.Contains(b.log.String(), "takes requests") })
	for n := 1; n < 4; n++ {
		mu.Lock()
		current, generation = set(n), b.manager.begin(nil)
		mu.Unlock()
		b.eventually("replacement", func() bool { return strings.Count(b.log.String(), "takes requests") > n })
	}
	close(stop)
	wg.Wait()
	b.eventually("the end of the old ones", func() bool { return b.manager.keeper.Running() <= 2 })
}
