package conformance

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// played plays a script against a server that is a function, in a bubble where time passes at once. It returns what was
// seen, how long it took, and whether a time ran out.
func played(t *testing.T, script []step, o Options, serve func(c net.Conn)) (seen []event, took time.Duration, late bool) {
	t.Helper()
	mine, its := net.Pipe()
	var open sync.WaitGroup
	open.Go(func() {
		defer its.Close()
		serve(its)
	})
	began := time.Now()
	s := newSession(mine, mine, frame.Client, Case{ID: "x"}, nil, o.withDefaults())
	seen = s.play(t.Context(), script)
	took = time.Since(began)
	open.Wait()
	return seen, took, s.pace.late
}

// trickle writes bytes with a pause before each.
func trickle(c net.Conn, pause time.Duration, b []byte) {
	for i := range b {
		time.Sleep(pause)
		if _, err := c.Write(b[i : i+1]); err != nil {
			return
		}
	}
}

func TestDeadlineCountsFromTheLastMove(t *testing.T) {
	const deadline = 16 * time.Second
	hello := lit("hello world")
	answer := append([]byte{0x81, 11}, "hello world"...)
	for _, c := range []struct {
		name        string
		pause       time.Duration // before each of the 13 bytes of the answer
		kind        eventKind     // of the last event
		least, most time.Duration
	}{
		{"at once", 0, evGone, 0, 0},
		{"slow, and never silent for long", 9 * time.Second, evGone, 13 * 9 * time.Second, 13 * 9 * time.Second},
		{"slow beyond all bounds", 12 * time.Second, evSilence, 8 * deadline, 8*deadline + 2*time.Second},
		{"silent for longer than the deadline", 18 * time.Second, evSilence, deadline, deadline + 2*time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				script := append(one(fr{op: frame.Text, body: hello}), await{1})
				seen, took, late := played(t, script, Options{Deadline: deadline}, func(l net.Conn) {
					_, _ = io.ReadFull(l, make([]byte, 17))
					trickle(l, c.pause, answer)
				})
				if last := seen[len(seen)-1]; last.kind != c.kind || late != (c.kind == evSilence) {
					t.Errorf("seen %v, late: %v", seen, late)
				}
				if c.kind == evGone && !echo(frame.Text, hello).is(seen[0]) {
					t.Errorf("seen %v, not the echo", seen)
				}
				if took < c.least || took > c.most {
					t.Errorf("took %v, not %v to %v", took, c.least, c.most)
				}
			})
		})
	}
}

func TestWorkGivesTime(t *testing.T) {
	const mib = 3
	deadline, more := 10*time.Second, mib*perMiB
	for _, c := range []struct {
		pause time.Duration
		kind  eventKind
	}{
		{deadline + more - time.Second, evGone},
		{deadline + more + 2*time.Second, evSilence},
	} {
		synctest.Test(t, func(t *testing.T) {
			script := append(one(fr{op: frame.Binary, body: blank(mib<<20, 'x')}), await{1})
			seen, _, _ := played(t, script, Options{Deadline: deadline}, func(l net.Conn) {
				_, _ = io.ReadFull(l, make([]byte, 14+mib<<20))
				time.Sleep(c.pause)
			})
			if last := seen[len(seen)-1]; last.kind != c.kind {
				t.Errorf("silent for %v with %d MiB to work on: %v", c.pause, mib, seen)
			}
		})
	}
}

// TestWritesToAPeerThatDoesNotRead ends, too.
func TestWritesToAPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Deadline: 5 * time.Second}
		script := append(one(fr{op: frame.Binary, body: blank(1<<20, 'x')}), await{1})
		stop := make(chan struct{})
		time.AfterFunc(time.Hour, func() { close(stop) })
		seen, took, _ := played(t, script, o, func(net.Conn) { <-stop })
		if took > 20*time.Second || seen[len(seen)-1].kind != evSilence {
			t.Errorf("after %v seen %v", took, seen)
		}
	})
}

// lapse is a server that does not answer the first attempt at some cases. It knows a case by its key.
type lapse struct {
	cases []string
	until int // the attempt that is answered

	mu       sync.Mutex
	attempts map[string]int
}

func (l *lapse) serve(c net.Conn) {
	defer c.Close()
	br := bufio.NewReader(c)
	req, err := http.ReadRequest(br)
	if err != nil {
		return
	}
	key := req.Header.Get("Sec-WebSocket-Key")
	l.mu.Lock()
	l.attempts[key]++
	n := l.attempts[key]
	l.mu.Unlock()
	_, _ = io.WriteString(c, response("101 Switching Protocols", "websocket", "Upgrade", handshake.AcceptKey(key)))
	if slices.ContainsFunc(l.cases, func(id string) bool { return caseKey(id) == key }) && n < l.until {
		_, _ = io.Copy(io.Discard, br)
		return
	}
	e := &echoer{c: c, in: br}
	e.run()
}

func TestCasesThatRanOutOfTimeAreRunAgain(t *testing.T) {
	all := []string{"6455-5.6-01", "6455-5.6-02", "6455-5.6-03", "6455-5.6-04", "6455-5.6-05"}
	for _, c := range []struct {
		name        string
		cases       []string
		until       int
		concurrency int
		failed      []string
		attempts    int // at all cases together
	}{
		{"a lapse each", all, 2, 4, nil, 10},
		{"a lapse of one", all[2:3], 2, 4, nil, 6},
		{"alone from the start", all[2:3], 2, 1, all[2:3], 5},
		{"a server that is broken", all, 9, 4, all, 7},
		{"one case that is broken", all[:1], 9, 4, all[:1], 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			l := &lapse{cases: c.cases, until: c.until, attempts: map[string]int{}}
			go func() {
				for {
					conn, err := ln.Accept()
					if err != nil {
						return
					}
					go l.serve(conn)
				}
			}()
			told := 0
			r, err := Run(t.Context(), Options{
				URL: "ws://" + ln.Addr().String(), Match: strings.Join(all, ","), Concurrency: c.concurrency, Deadline: time.Second / 2,
				Progress: func(done, all int, _ Result) { told++ },
			})
			if err != nil {
				t.Fatal(err)
			}
			var failed []string
			for _, res := range r.Results {
				if res.Outcome == Failed {
					failed = append(failed, res.ID)
				}
			}
			if !slices.Equal(failed, c.failed) {
				t.Errorf("failed: %v, not %v", failed, c.failed)
			}
			attempts := 0
			l.mu.Lock()
			defer l.mu.Unlock()
			for _, n := range l.attempts {
				attempts += n
			}
			if attempts != c.attempts+1 || told != len(all) { // and one to see that there is a server
				t.Errorf("%d attempts, %d results told", attempts, told)
			}
		})
	}
}
