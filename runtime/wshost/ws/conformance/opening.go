package conformance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// opening is a case on the request of the opening handshake.
type opening struct {
	about string
	edit  func(*fields)
	body  string // what follows the header
	again bool   // a second request follows the first one at once
	chop  int
	want  []reply
}

// reply is an answer that a case knows.
type reply struct {
	outcome Outcome
	about   string
	is      func(answered) bool
}

// answered is what came back.
type answered struct {
	status   int // 0 when there was no answer at all
	header   http.Header
	close    bool // it says so: "Connection: close", or HTTP/1.0 without keep-alive
	closed   bool // the line was closed after it
	second   int  // status of an answer to a second request, 0 for none
	echoes   bool // a 101 that was correct, and a message came back
	mistake  string
	protocol bool // a subprotocol was chosen
}

func (a answered) String() string {
	if a.status == 0 {
		if a.closed {
			return "line closed without an answer"
		}
		return "no answer"
	}
	s := fmt.Sprintf("status %d", a.status)
	if a.status == http.StatusSwitchingProtocols {
		if a.echoes {
			return s + ", and messages are echoed"
		}
		return s + ", but " + a.mistake
	}
	if a.close {
		s += ", Connection: close"
	}
	if v := a.header.Values("Sec-WebSocket-Version"); len(v) > 0 {
		s += ", Sec-WebSocket-Version: " + strings.Join(v, ", ")
	}
	if a.closed {
		s += ", line closed"
	} else {
		s += ", line open"
	}
	if a.second != 0 {
		s += fmt.Sprintf(", and the request behind it was answered with %d", a.second)
	}
	return s
}

func (o *opening) sends() []string {
	out := []string{"send a request " + o.about}
	if o.body != "" {
		out = append(out, fmt.Sprintf("send %s of body", size(len(o.body))))
	}
	if o.again {
		out = append(out, "send a second request in the same write, before the first is answered")
	}
	if o.chop > 0 {
		out[0] += fmt.Sprintf(" in chops of %s", size(o.chop))
	}
	return out
}

func (o *opening) expects() []Expectation {
	var out []Expectation
	for _, r := range o.want {
		out = append(out, Expectation{r.outcome, r.about})
	}
	return out
}

// secondPath is what the second request asks for.
const secondPath = "/rolemgr-conformance-second-request"

// try sends the request and looks at what becomes of it. Late tells that a time ran out.
func (o *opening) try(ctx context.Context, t *target, c Case, opt Options) (outcome Outcome, seen string, late bool) {
	conn, err := t.line(ctx)
	if err != nil {
		return Failed, err.Error(), timedOut(err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	s := &session{conn: conn, pace: newPace(opt)}
	_ = conn.SetDeadline(time.Now().Add(opt.Deadline)) // a line that cannot have one is bounded by the context
	key := caseKey(c.ID)
	f := t.proper(key)
	o.edit(&f)
	request := t.request(f) + o.body
	if o.again {
		request += fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", secondPath, t.host)
	}
	_ = s.write([]byte(request), o.chop) // a server that refuses early may close first: its answer counts
	br := bufio.NewReader(conn)
	a := read(br, conn, f.method, opt.Patience)
	if a.status == http.StatusSwitchingProtocols {
		late = o.speak(ctx, conn, br, &a, f.key, c, opt)
	} else {
		late = !a.closed && a.second == 0
	}
	for _, r := range o.want {
		if r.is(a) {
			return r.outcome, a.String(), late
		}
	}
	return Failed, a.String(), late
}

// timedOut reports whether an error is the end of somebody's patience.
func timedOut(err error) bool {
	var late net.Error
	return errors.As(err, &late) && late.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// read reads the answer and waits a moment for the end of the line, or for an answer to the second request.
func read(br *bufio.Reader, conn net.Conn, method string, patience time.Duration) answered {
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	if err != nil {
		return answered{closed: !timedOut(err)}
	}
	a := answered{status: resp.StatusCode, header: resp.Header, close: resp.Close}
	if a.status == http.StatusSwitchingProtocols {
		a.mistake = "it is not a correct one"
		_, a.protocol = resp.Header["Sec-Websocket-Protocol"]
		return a
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // a body that is cut is no matter of this case
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	second, err := http.ReadResponse(br, &http.Request{Method: "GET"})
	if err == nil {
		a.second = second.StatusCode
		return a
	}
	a.closed = !timedOut(err)
	return a
}

// speak checks a 101 and tries whether a message is echoed. It reports whether a time ran out.
func (o *opening) speak(ctx context.Context, conn net.Conn, br *bufio.Reader, a *answered, key string, c Case, opt Options) bool {
	if err := checkAnswer(&http.Response{StatusCode: a.status, Header: a.header}, key); err != nil {
		a.mistake = err.Error()
		return false
	}
	if x := a.header.Values("Sec-WebSocket-Extensions"); len(x) > 0 {
		a.mistake = fmt.Sprintf("it takes extensions: %q", x)
		return false
	}
	s := newSession(conn, br, frame.Client, c, nil, opt)
	hello := lit("hello")
	script := append(one(fr{op: frame.Text, body: hello}), await{1}, closeWith(1000))
	seen := s.play(ctx, script)
	a.echoes = judge([]alternative{either(OK, echo(frame.Text, hello), closed(), gone()), either(OK, echo(frame.Text, hello), closed(), open())}, seen) == OK
	if !a.echoes {
		a.mistake = "then: " + strings.Join(describe(seen), ", ")
	}
	return s.pace.late
}
