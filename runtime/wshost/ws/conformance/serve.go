package conformance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// examiner is the fuzzing server.
type examiner struct {
	o       Options
	address string
	cases   []Case
	done    chan struct{} // closed when there is nothing more to wait for

	mu      sync.Mutex
	agent   string // the client under test, once it has said who it is
	results []Result
	left    int
	ended   bool
}

// Serve judges a client that comes to a listener, case by case, and returns the report when every case has been run,
// the client asks for /done, or ctx ends; cases that were never asked for are Skipped, and those under way are seen to
// their end unless ctx ends. It closes the listener.
//
// The client asks for /count, and opens a WebSocket to /case?n=1 and so on up to that number, one after another or at
// once, echoes every message on it, and goes on with the next when it has ended, in whatever way. /count answers a
// plain GET with the number, and a WebSocket with one text message. GET /case?n=1 describes a case and its result,
// GET /report returns the report so far; both are JSON.
func Serve(ctx context.Context, ln net.Listener, o Options) (*Report, error) {
	o = o.withDefaults()
	defer ln.Close()
	cases, err := Choose(Client, o.Match)
	if err != nil {
		return nil, err
	}
	x := &examiner{
		o: o, agent: o.Agent, address: ln.Addr().String(), cases: cases, done: make(chan struct{}), left: len(cases), results: make([]Result, len(cases)),
	}
	for i, c := range cases {
		x.results[i] = c.result()
		x.results[i].Outcome, x.results[i].Seen = Skipped, []string{"never asked for"}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				failed <- err
				return
			}
			open.Go(func() { x.serve(ctx, conn) })
		}
	})
	select {
	case <-x.done:
	case <-ctx.Done():
	case err = <-failed:
	}
	ln.Close()
	if err != nil {
		cancel()
	}
	open.Wait() // a client may say that it is done before the last of its lines is seen to be closed
	return x.report(), err
}

func (x *examiner) report() *Report {
	x.mu.Lock()
	defer x.mu.Unlock()
	agent := x.agent
	if agent == "" {
		agent = "unnamed client"
	}
	return newReport(Client, agent, "ws://"+x.address, append([]Result(nil), x.results...))
}

// meet names the report after the first client that says who it is, unless the caller has named it.
func (x *examiner) meet(agent string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.agent == "" {
		x.agent = agent
	}
}

// finish ends the examination, once.
func (x *examiner) finish() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.ended {
		x.ended = true
		close(x.done)
	}
}

// record keeps the result of a case. The newest one counts.
func (x *examiner) record(i int, r Result) {
	x.mu.Lock()
	if len(x.results[i].Seen) == 1 && x.results[i].Seen[0] == "never asked for" {
		x.left--
	}
	x.results[i] = r
	left := x.left
	if x.o.Progress != nil {
		x.o.Progress(len(x.cases)-left, len(x.cases), r)
	}
	x.mu.Unlock()
	if left == 0 {
		x.finish()
	}
}

// serve answers one request.
func (x *examiner) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	_ = conn.SetDeadline(time.Now().Add(x.o.Deadline)) // a TCP line can have one
	br := bufio.NewReader(conn)
	req, err := http.ReadRequest(br)
	if err != nil {
		return
	}
	n, err := strconv.Atoi(req.URL.Query().Get("n"))
	known := err == nil && n >= 1 && n <= len(x.cases)
	upgrade := handshake.Wanted(req)
	switch {
	case req.URL.Path == "/count" && upgrade:
		x.count(ctx, conn, br, req)
	case req.URL.Path == "/count":
		plainly(conn, 200, "text/plain; charset=utf-8", fmt.Appendf(nil, "%d\n", len(x.cases)))
	case req.URL.Path == "/report":
		x.json(conn, x.report())
	case req.URL.Path == "/done":
		plainly(conn, 200, "text/plain; charset=utf-8", []byte("done\n"))
		x.finish()
	case req.URL.Path == "/case" && known && upgrade:
		x.examine(ctx, conn, br, req, n-1)
	case req.URL.Path == "/case" && known:
		one := x.report()
		x.json(conn, newReport(Client, one.Agent, one.Target, one.Results[n-1:n]))
	default:
		plainly(conn, 404, "text/plain; charset=utf-8", fmt.Appendf(nil, "ask for /count, /case?n=1 to /case?n=%d, /report or /done\n", len(x.cases)))
	}
}

func (x *examiner) json(conn net.Conn, r *Report) {
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		plainly(conn, 500, "text/plain; charset=utf-8", []byte(err.Error()))
		return
	}
	plainly(conn, 200, "application/json", b.Bytes())
}

// plainly answers a plain request; nobody is left to be told when that fails.
func plainly(conn net.Conn, status int, kind string, body []byte) {
	fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), kind, len(body), body)
}

// count sends the number of cases as a message.
func (x *examiner) count(ctx context.Context, conn net.Conn, br *bufio.Reader, req *http.Request) {
	_, _ = io.WriteString(conn, response("101 Switching Protocols", "websocket", "Upgrade", handshake.AcceptKey(req.Header.Get("Sec-WebSocket-Key"))))
	s := newSession(conn, br, frame.Server, Case{ID: "count"}, nil, x.o)
	s.play(ctx, append(one(fr{op: frame.Text, body: lit(strconv.Itoa(len(x.cases)))}), closeWith(1000)))
}

// examine runs one case. A client whose request is itself wrong fails it.
func (x *examiner) examine(ctx context.Context, conn net.Conn, br *bufio.Reader, req *http.Request, i int) {
	r := x.cases[i].result()
	c, ok := x.cases[i].at(x.o.MessageSize)
	defer func() {
		if ctx.Err() == nil {
			x.record(i, r)
		}
	}()
	x.meet(req.UserAgent())
	if !ok {
		r.Outcome, r.Seen = Skipped, []string{limitUnknown}
		plainly(conn, 400, "text/plain; charset=utf-8", []byte(limitUnknown+"\n"))
		return
	}
	key := req.Header.Get("Sec-WebSocket-Key")
	if err := checkRequest(req); err != nil {
		r.Outcome, r.Seen = Failed, []string{"opening handshake: " + err.Error()}
		plainly(conn, 400, "text/plain; charset=utf-8", []byte(err.Error()+"\n"))
		return
	}
	text := response("101 Switching Protocols", "websocket", "Upgrade", handshake.AcceptKey(key))
	var a *agreed
	switch {
	case c.answer != nil:
		text = c.answer.text(key)
	case c.deflate != nil:
		var extension string
		extension, a = c.deflate.respond(req.Header.Values("Sec-WebSocket-Extensions"))
		if extension == "" {
			r.Outcome, r.Seen = Skipped, []string{fmt.Sprintf("the client's offer %q does not allow it",
				strings.Join(req.Header.Values("Sec-WebSocket-Extensions"), ", "))}
			plainly(conn, 400, "text/plain; charset=utf-8", []byte("these terms were not offered\n"))
			return
		}
		text = response("101 Switching Protocols", "websocket", "Upgrade", handshake.AcceptKey(key), "Sec-WebSocket-Extensions: "+extension)
	}
	_, _ = io.WriteString(conn, text) // a client that has gone is seen by the reader
	seen := newSession(conn, br, frame.Server, c, a, x.o).play(ctx, c.script)
	r.Outcome, r.Seen = judge(c.want, seen), describe(seen)
}

// checkRequest holds a client's request to RFC 6455, section 4.1.
func checkRequest(req *http.Request) error {
	_, err := handshake.Check(req, handshake.Options{Origins: []string{"*"}})
	if err != nil && req.Host == "" {
		return errors.New("no Host")
	}
	return err
}
