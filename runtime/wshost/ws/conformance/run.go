package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// The defaults of Options.
const (
	DefaultConcurrency = 4
	DefaultDeadline    = 15 * time.Second
	DefaultPatience    = 500 * time.Millisecond
)

// Options say what is judged and how.
type Options struct {
	// URL is the server under test: ws:// or wss://. Run only.
	URL string
	// Agent names the endpoint in reports; default: URL, or the client's User-Agent.
	Agent string
	// Match chooses cases: a pattern as in path.Match against the id, or a part of the id, group or title, in any
	// letter case. Several are separated by commas; what one beginning with ! matches is left out. Empty means all.
	Match string
	// Concurrency is how many cases run at once; default 4. With more than one, cases that ended badly because a time
	// ran out are run once more, alone and with twice the Patience, until two in a row end badly again: it may be the
	// machine that was slow. Run only.
	Concurrency int
	// Deadline is how long nothing may move on the line, either way, before a case is given up; default 15 s. 2 s are
	// added for each MiB that the peer was given to work on, and a case lasts at most eight times as long. An opening
	// handshake has this time in all.
	Deadline time.Duration
	// Patience is how long a peer has to react in the middle of something; default 500 ms. Slower ones are judged
	// not to react.
	Patience time.Duration
	// MessageSize is the largest message that the endpoint is set to take, in bytes as its user sees them; 0 when that is
	// not known: cases that try the limit from both sides are skipped then.
	MessageSize int
	// Header is sent with each opening handshake, as Origin or Authorization. Run only.
	Header http.Header
	// TLS is used for wss://; nil means the defaults. It is not changed. Run only.
	TLS *tls.Config
	// Progress, if not nil, is told of each result as it comes; never twice at once.
	Progress func(done, all int, r Result)

	once bool // no case is run again: for tests of the judge, with servers that are broken on purpose
}

func (o Options) withDefaults() Options {
	if o.Concurrency <= 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultDeadline
	}
	if o.Patience <= 0 {
		o.Patience = DefaultPatience
	}
	return o
}

// ErrNoCase means that Options.Match chooses no case.
var ErrNoCase = errors.New("no case matches")

// Choose returns the cases for a subject that match a pattern as in Options.Match. It returns ErrNoCase when there are
// none.
func Choose(s Subject, match string) ([]Case, error) {
	var out []Case
	for _, c := range CasesFor(s) {
		if c.Matches(match) {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w %q", ErrNoCase, match)
	}
	return out, nil
}

// Matches reports whether a pattern as in Options.Match chooses the case.
func (c Case) Matches(match string) bool {
	wanted, only := false, false
	text := strings.ToLower(c.ID + "\n" + c.Group + "\n" + c.Title)
	for m := range strings.SplitSeq(strings.ToLower(match), ",") {
		m, not := strings.CutPrefix(strings.TrimSpace(m), "!")
		glob, err := path.Match(m, c.ID)
		hit := err == nil && glob || m != "" && strings.Contains(text, m)
		if not && hit {
			return false
		}
		only = only || !not && m != ""
		wanted = wanted || !not && hit
	}
	return wanted || !only
}

// Run judges a server. It fails when the server cannot be reached, or does not take a correct opening handshake and
// echo a message: then no case would say anything. When ctx ends, it returns its error and no report.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	t, err := newTarget(o)
	if err != nil {
		return nil, err
	}
	cases, err := Choose(Server, o.Match)
	if err != nil {
		return nil, err
	}
	if err := t.reach(ctx, o); err != nil {
		return nil, err
	}
	if o.Agent == "" {
		o.Agent = o.URL
	}
	results, err := t.runAll(ctx, cases, o)
	if err != nil {
		return nil, err
	}
	return newReport(Server, o.Agent, o.URL, results), nil
}

// runAll runs cases at once, then those again that a busy machine may have spoilt.
func (t *target) runAll(ctx context.Context, cases []Case, o Options) ([]Result, error) {
	results := make([]Result, len(cases))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var again []int
	done := 0
	tell := func(i int) {
		done++
		if o.Progress != nil {
			o.Progress(done, len(cases), results[i])
		}
	}
	for range o.Concurrency {
		wg.Go(func() {
			for i := range next {
				r := t.run(ctx, cases[i], o)
				mu.Lock()
				results[i] = r
				if r.doubtful() && o.Concurrency > 1 && !o.once {
					again = append(again, i)
				} else {
					tell(i)
				}
				mu.Unlock()
			}
		})
	}
	for i := range cases {
		select {
		case next <- i:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	wg.Wait()
	slices.Sort(again)
	o.Patience *= 2
	for i, stubborn := 0, 0; i < len(again) && ctx.Err() == nil; i++ {
		k := again[i]
		if stubborn < maxStubborn {
			results[k] = t.run(ctx, cases[k], o)
			if stubborn++; !results[k].doubtful() {
				stubborn = 0
			}
		}
		tell(k)
	}
	return results, ctx.Err()
}

// maxStubborn is how many cases in a row may time out again until it is believed that it is not the machine.
const maxStubborn = 2

// reach makes sure that there is a server that echoes.
func (t *target) reach(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, o.Deadline)
	defer cancel()
	conn, br, _, err := t.knock(ctx, "reach")
	if err != nil {
		return fmt.Errorf("open a WebSocket to %q: %w", o.URL, err)
	}
	hello := lit("hello")
	s := newSession(conn, br, frame.Client, Case{ID: "reach"}, nil, o)
	seen := s.play(ctx, append(one(fr{op: frame.Text, body: hello}), await{1}, closeWith(1000)))
	for _, e := range seen {
		if echo(frame.Text, hello).is(e) {
			return nil
		}
	}
	return fmt.Errorf("the server at %q does not echo: after %q came %s", o.URL, "hello", strings.Join(describe(seen), ", "))
}

// run runs one case against the server.
func (t *target) run(ctx context.Context, c Case, o Options) Result {
	brief, cancel := context.WithTimeout(ctx, o.Deadline) // for the handshake; a session has a deadline of its own
	defer cancel()
	r := c.result()
	c, ok := c.at(o.MessageSize)
	if !ok {
		r.Outcome, r.Seen = Skipped, []string{limitUnknown}
		return r
	}
	if c.opening != nil {
		var seen string
		r.Outcome, seen, r.late = c.opening.try(brief, t, c, o)
		r.Seen = []string{seen}
		return r
	}
	var offer []string
	if c.deflate != nil {
		offer = []string{"Sec-WebSocket-Extensions: " + c.deflate.offer()}
	}
	conn, br, resp, err := t.knock(brief, c.ID, offer...)
	if err != nil {
		r.Outcome, r.Seen, r.late = Failed, []string{"opening handshake: " + err.Error()}, timedOut(err)
		if c.deflate != nil && c.deflate.bad && resp != nil && resp.StatusCode >= 400 {
			r.Outcome = NonStrict
		}
		return r
	}
	var a *agreed
	if values := resp.Header.Values("Sec-WebSocket-Extensions"); c.deflate != nil {
		a, err = c.deflate.accepted(values)
		r.Seen = []string{"the server declined"}
		if a != nil {
			r.Seen[0] = fmt.Sprintf("the server agreed to %q", strings.Join(values, ", "))
		}
		switch {
		case err != nil:
			r.Outcome, r.Seen = Failed, []string{"the server " + err.Error()}
		case a == nil && !c.deflate.bad:
			r.Outcome = Skipped
		}
	} else if len(values) > 0 {
		r.Outcome, r.Seen = Failed, []string{fmt.Sprintf("the server took extensions that were not offered: %q", values)}
	}
	if r.Outcome != "" {
		conn.Close()
		return r
	}
	play := newSession(conn, br, frame.Client, c, a, o)
	seen := play.play(ctx, c.script)
	r.late = play.pace.late
	r.Outcome, r.Seen = judge(c.want, seen), append(r.Seen, describe(seen)...)
	return r
}
