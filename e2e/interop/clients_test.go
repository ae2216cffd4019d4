//go:build e2e

package interop

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// The peers as clients of the engine. Each test runs its program once and gives it a server for each cell.

// job is what a client is told.
type job struct {
	URL     string `json:"url"`
	Page    string `json:"page,omitempty"`
	Deflate any    `json:"deflate"`
	Cert    string `json:"cert,omitempty"`
}

// exchange has a client do its exchange with a server of the cell and holds what came of it against the matrix.
func (c cell) exchange(t *testing.T, s *stand, run func() result) {
	t.Helper()
	got := run()
	if got.Error != "" {
		t.Fatalf("%s: %s", c.peer, got.Error)
	}
	if want := strings.Fields(c.did); !slices.Equal(got.Did, want) {
		t.Errorf("%s did %v; the matrix says %v", c.peer, got.Did, want)
	}
	if got.Extensions != "" != c.compress && !strings.HasPrefix(c.peer, "libwebsockets") { // which cannot tell
		t.Errorf("%s says that the extensions are %q", c.peer, got.Extensions)
	}
	counts := s.ends(c)
	if s.wire == nil {
		return
	}
	sockets := s.wire.sockets()
	if len(sockets) != 2 {
		t.Fatalf("%d sockets, want 2", len(sockets))
	}
	// A client that closes first may be gone before our answer has passed.
	eventually(t, "what the engine sent", func() bool { return sockets[0].down.size() >= counts.BytesOut })
	if in, out := sockets[0].up.size(), sockets[0].down.size(); counts.BytesIn != in || counts.BytesOut != out {
		t.Errorf("the engine counted %d bytes in and %d out; %d and %d passed", counts.BytesIn, counts.BytesOut, in, out)
	}
	c.judge(t, sockets)
}

// ends takes how the engine saw its two sockets end, one closed by the client and one by the server, in any order, and
// returns what it counted on the first.
func (s *stand) ends(c cell) (first ws.Counts) {
	s.t.Helper()
	var byClient, byServer int
	for range 2 {
		e := s.end()
		var closed *ws.CloseError
		if !errors.As(e.err, &closed) {
			s.t.Fatalf("a socket ended with %v", e.err)
		}
		want := ws.CloseError{Code: 4001, Reason: "goodbye"}
		switch {
		case closed.Sent:
			byServer++
			want = ws.CloseError{Code: 4002, Reason: closed.Reason, Sent: true} // not every peer repeats the reason
		case strings.HasPrefix(c.peer, "Socket.IO"):
			want = ws.CloseError{Code: frame.NoStatus} // what its client sends
			fallthrough
		default:
			byClient++
			first = e.counts
		}
		if *closed != want {
			s.t.Errorf("a socket ended with %+v, want %+v", *closed, want)
		}
		if s.way != pull && e.compressed != c.compress {
			s.t.Errorf("the engine says compressed: %v", e.compressed)
		}
	}
	if byClient != 1 || byServer != 1 {
		s.t.Errorf("%d sockets were closed by the client and %d by the server", byClient, byServer)
	}
	return first
}

// judge holds what passed on the wire against the cell.
func (c cell) judge(t *testing.T, sockets []*traffic) {
	t.Helper()
	first, second := sockets[0], sockets[1]
	did := strings.Fields(c.did)
	agreed := first.down.field("Sec-Websocket-Extensions")
	if strings.HasPrefix(agreed, "permessage-deflate") != c.compress {
		t.Errorf("the server answered with extensions %q", agreed)
	}
	if c.compress && !c.windows && !(keeps(agreed, "server") && keeps(agreed, "client")) {
		t.Errorf("context takeover was not agreed on: %q", agreed)
	}
	c.judgeCompression(t, "up", &first.up, c.compress && c.peer != "undici", keeps(agreed, "client"))
	c.judgeCompression(t, "down", &first.down, c.compress, keeps(agreed, "server"))
	from, to := &first.up, &first.down
	if c.role == "server" {
		from, to = to, from
	}
	if slices.Contains(did, "fragmented") && from.count(opBinary, true)+from.count(opText, true) == 0 {
		t.Error("the peer sent no fragments")
	}
	for what, s := range map[string][2]*transcript{"ping": {from, to}, "pong": {to, from}} {
		if slices.Contains(did, what) && (s[0].count(opPing, false) != 1 || s[1].count(opPong, false) != 1) {
			t.Errorf("%s: %d pings and %d pongs passed", what, s[0].count(opPing, false), s[1].count(opPong, false))
		}
	}
	if strings.HasPrefix(c.peer, "Socket.IO") {
		return
	}
	if up, down := first.up.closing(), first.down.closing(); up != "4001 goodbye" || !strings.HasPrefix(down, "4001") {
		t.Errorf("close: %q was answered with %q", up, down)
	}
	if up, down := second.up.closing(), second.down.closing(); down != "4002 see you" || !strings.HasPrefix(up, "4002") {
		t.Errorf("closed: %q was answered with %q", down, up)
	}
}

// judgeCompression looks at the messages of one direction: whether any was compressed, and whether the second and third
// of the three that are alike were much smaller than the first, which takes the window of the first to be kept.
func (c cell) judgeCompression(t *testing.T, name string, s *transcript, want, kept bool) {
	t.Helper()
	if yes, no := s.compressed(); yes > 0 != want {
		t.Errorf("%s: %d messages were compressed and %d not", name, yes, no)
	}
	if !want {
		return
	}
	var texts []seen
	for _, f := range s.all() {
		if f.op == opText && (f.size > 2048 || f.rsv1) {
			texts = append(texts, f)
		}
	}
	at := slices.IndexFunc(texts, func(f seen) bool { return f.size > 1000 })
	if at < 0 || len(texts) < at+3 || texts[at].size > 1600 {
		t.Errorf("%s: the text of 2048 bytes was not compressed: %+v", name, texts)
		return
	}
	for _, f := range texts[at+1 : at+3] {
		if small := f.size < 200; !f.rsv1 || small != kept {
			t.Errorf("%s: the same text came again in %d bytes; the window is kept: %v", name, f.size, kept)
		}
	}
}

// keeps tells whether a direction keeps enough of a window for the text that is repeated.
func keeps(agreed, who string) bool {
	for parameter := range strings.SplitSeq(agreed, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		bits, err := strconv.Atoi(value)
		if name == who+"_no_context_takeover" || name == who+"_max_window_bits" && err == nil && bits < 12 {
			return false
		}
	}
	return true
}

// lies is the negative control: a client must notice one flipped bit, in the check that it belongs to. job makes what the
// client is told.
func lies(t *testing.T, p *process, job func(s *stand) any) {
	t.Helper()
	for _, kind := range []string{"text", "binary", "large"} {
		t.Run("lie/"+kind, func(t *testing.T) {
			if got := p.run(job(newStand(t, poller, nil, kind))); !strings.Contains(got.Error, kind+": the echo is wrong") {
				t.Errorf("the client took a wrong %s for a right one: %+v", kind, got)
			}
		})
	}
}

// try runs a client through its row, and tells it lies.
func try(t *testing.T, p *process, job func(s *stand, deflate bool) any) {
	t.Helper()
	find(t).each(t, func(t *testing.T, c cell) {
		s := newStand(t, c.way, c.compression())
		c.exchange(t, s, func() result { return p.run(job(s, c.compress)) })
	})
	lies(t, p, func(s *stand) any { return job(s, false) })
}

// page returns the URL of a page of the server.
func (s *stand) page() string { return "http" + strings.TrimPrefix(s.url("/page"), "ws") }

func TestNodeClient(t *testing.T) {
	t.Parallel()
	try(t, start(t, "node", "peers/nodeclient.mjs"), func(s *stand, deflate bool) any {
		return job{URL: s.url("/"), Deflate: deflate, Cert: s.cert}
	})
}

func TestChromium(t *testing.T) {
	t.Parallel()
	try(t, start(t, "node", "peers/browser.mjs"), func(s *stand, _ bool) any { // it always offers compression
		return job{URL: s.url("/"), Page: s.page()}
	})
}

func TestPythonClient(t *testing.T) {
	t.Parallel()
	try(t, start(t, "/usr/bin/python3", "peers/python.py", "client"), func(s *stand, deflate bool) any {
		return job{URL: s.url("/"), Deflate: deflate, Cert: s.cert}
	})
}

func TestJava(t *testing.T) {
	t.Parallel()
	try(t, start(t, "java", "peers/Java.java"), func(s *stand, _ bool) any { // it has no parser of JSON
		return strings.TrimSpace(s.url("/") + " " + s.cert)
	})
}

func TestUndici(t *testing.T) {
	t.Parallel()
	try(t, start(t, "node", "peers/undici.mjs"), func(s *stand, _ bool) any { // it always offers compression
		return job{URL: s.url("/"), Cert: s.cert}
	})
}

func TestSocketIOClient(t *testing.T) {
	t.Parallel()
	try(t, start(t, "node", "peers/socketioclient.mjs"), func(s *stand, deflate bool) any {
		return job{URL: s.url("/"), Deflate: deflate, Cert: s.cert}
	})
}

// TestCurl performs the opening handshake alone: Debian's curl is built without ws://.
func TestCurl(t *testing.T) {
	t.Parallel()
	find(t).each(t, func(t *testing.T, c cell) {
		s := newStand(t, c.way, nil)
		args := []string{
			"--http1.1", "-sS", "-N", "--verbose", "--max-time", "30", "-o", os.DevNull, "-H", "Connection: Upgrade", "-H", "Upgrade: websocket",
			"-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "-H", "Sec-WebSocket-Version: 13",
			"http" + strings.TrimPrefix(s.url("/"), "ws"),
		}
		if s.cert != "" {
			args = append(args, "--cacert", s.cert)
		}
		if _, err := exec.LookPath("curl"); err != nil {
			t.Fatal("curl is missing: run \"make deps\"")
		}
		cmd := exec.Command("curl", args...)
		report, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var head []string
		for lines := bufio.NewScanner(report); lines.Scan(); {
			line, ok := strings.CutPrefix(lines.Text(), "< ")
			if ok && line == "" {
				break
			}
			if ok {
				head = append(head, line)
			}
		}
		_ = cmd.Process.Kill() // the connection is open now and stays so
		_ = cmd.Wait()
		// The example of RFC 6455, section 1.3.
		if len(head) == 0 || !strings.HasPrefix(head[0], "HTTP/1.1 101 ") || !slices.Contains(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
			t.Errorf("curl got %q", head)
		}
		if e := s.end(); e.counts.BytesIn != 0 {
			t.Errorf("curl sent %d bytes: %v", e.counts.BytesIn, e.err)
		}
	})
}
