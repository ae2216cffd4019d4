package conformance

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// flawed is an echo server that breaks one rule, or none when flaw is "". It is plain on purpose: what is judged here
// is the judge.
type flawed struct{ flaw string }

// start serves until the test ends.
func (f flawed) start(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer c.Close()
				f.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		open.Wait()
	})
	return "ws://" + ln.Addr().String() + "/"
}

func (f flawed) is(flaw string) bool { return f.flaw == flaw }

func (f flawed) serve(c net.Conn) {
	br := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(br)
		if err != nil {
			fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			return
		}
		key := req.Header.Get("Sec-WebSocket-Key")
		host := req.Host != ""
		if f.forgives(req) {
			host = true
			key = req.Header.Get("Sec-WebSocket-Key")
		}
		_, err = handshake.Check(req, handshake.Options{Origins: []string{"*"}})
		if err != nil || !host {
			f.refuse(c, err)
			if f.is("runs the request behind a refusal") {
				continue
			}
			return
		}
		e := &echoer{flawed: f, c: c, in: br, out: &bytes.Buffer{}}
		extension := e.negotiate(req.Header.Values("Sec-WebSocket-Extensions"))
		accept := handshake.AcceptKey(key)
		var more []string
		if extension != "" {
			more = append(more, "Sec-WebSocket-Extensions: "+extension)
		}
		if f.is("invents a subprotocol") && req.Header.Get("Sec-WebSocket-Protocol") != "" {
			more = append(more, "Sec-WebSocket-Protocol: x")
		}
		if f.is("takes unknown extensions") && strings.Contains(req.Header.Get("Sec-WebSocket-Extensions"), "unknown") {
			more = append(more, "Sec-WebSocket-Extensions: rolemgr-unknown")
		}
		fmt.Fprint(c, response("101 Switching Protocols", "websocket", "Upgrade", accept, more...))
		e.run()
		return
	}
}

// forgives mends a request as far as the flaw does not see what is wrong with it.
func (f flawed) forgives(req *http.Request) bool {
	set := func(name, value string) { req.Header[name] = []string{value} }
	switch f.flaw {
	case "any version":
		set("Sec-Websocket-Version", "13")
	case "no key needed":
		set("Sec-Websocket-Key", caseKey("x"))
	case "any method":
		req.Method = "GET"
	case "HTTP/1.0":
		req.ProtoMinor = 1
	case "no host":
		req.Host = "x"
		return true
	case "any upgrade":
		set("Upgrade", "websocket")
	case "any connection":
		set("Connection", "Upgrade")
	}
	return false
}

func (f flawed) refuse(c net.Conn, err error) {
	status, lines := 400, ""
	if e, ok := err.(*handshake.Error); ok {
		status = e.Status
		for name, v := range e.Header {
			if !f.is("no version list") {
				lines += name + ": " + v[0] + "\r\n"
			}
		}
	}
	connection := "Connection: close\r\n"
	if f.is("runs the request behind a refusal") {
		connection = ""
	}
	fmt.Fprintf(c, "HTTP/1.1 %d x\r\n%s%sContent-Length: 0\r\n\r\n", status, lines, connection)
}

// echoer is one connection of a flawed server.
type echoer struct {
	flawed
	c   net.Conn
	in  *bufio.Reader
	out *bytes.Buffer

	inflate *inflater
	deflate *deflater

	op       frame.Opcode
	squeezed bool
	frames   int // of the message
	message  []byte
	pending  []byte // of an unfinished character
	late     []byte // the answer to a ping, for those that are slow
}

// negotiate answers an offer of permessage-deflate.
func (e *echoer) negotiate(values []string) string {
	if e.is("no compression") || len(values) == 0 {
		return ""
	}
	offers, err := handshake.ParseExtensions(values)
	if err != nil {
		return ""
	}
	for _, o := range offers {
		if o.Name != permessageDeflate {
			continue
		}
		asked, err := params(o)
		if err == nil && asked[serverMaxBits].Name != "" && !asked[serverMaxBits].HasValue {
			err = errDeflateData
		}
		if err != nil && !e.is("takes any offer") {
			continue
		}
		answer := permessageDeflate
		a := &agreed{serverBits: 15, clientBits: 15}
		if _, a.serverFresh = asked[serverNoTakeover]; a.serverFresh && !e.is("forgets server_no_context_takeover") {
			answer += "; " + serverNoTakeover
		}
		if _, a.clientFresh = asked[clientNoTakeover]; a.clientFresh {
			answer += "; " + clientNoTakeover
		}
		if n, ok := windowBits(asked[serverMaxBits].Value); ok && !e.is("forgets server_max_window_bits") {
			a.serverBits = n
			answer += fmt.Sprintf("; %s=%d", serverMaxBits, n)
		}
		if n, ok := windowBits(asked[clientMaxBits].Value); ok {
			a.clientBits = n
			answer += fmt.Sprintf("; %s=%d", clientMaxBits, n)
		} else if e.is("client_max_window_bits unasked") && len(asked) == 0 {
			answer += "; " + clientMaxBits + "=15"
		}
		e.agree(a)
		return answer
	}
	return ""
}

func (e *echoer) agree(a *agreed) {
	e.inflate, e.deflate = a.inflater(frame.Server), a.deflater(frame.Server)
	switch e.flaw {
	case "window too large":
		e.deflate.window = 1 << 15
	case "window too large without takeover":
		if a.serverFresh {
			e.deflate.window = 1 << 15
		}
	case "takeover in spite of the terms":
		e.deflate.takeover = true
	case "forgets the inbound window":
		e.inflate.takeover = false
	}
}

// breaks ends the connection, unless the breach is the one that this server does not see.
func (e *echoer) breaks(broken bool, flaw string, code uint16) bool {
	if !broken || e.is(flaw) {
		return false
	}
	e.fail(code)
	return true
}

func (e *echoer) fail(code uint16) {
	switch e.flaw {
	case "fails without a close frame":
		return
	case "fails with 1000":
		code = 1000
	}
	e.send(frame.Header{FIN: true, Opcode: frame.Close}, binary.BigEndian.AppendUint16(nil, code))
}

func (e *echoer) send(h frame.Header, p []byte) {
	h.Length = uint64(len(p))
	data := h.Opcode == frame.Text || h.Opcode == frame.Binary
	switch {
	case e.is("masks its frames") && data && len(p) == 1:
		h.Masked = true
	case e.is("sets RSV3") && data && len(p) == 1:
		h.RSV |= frame.RSV3
	case e.is("sends a reserved opcode") && data && len(p) == 1:
		h.Opcode = 3
	}
	b := append(frame.AppendHeader(nil, h), p...)
	if e.is("writes long lengths") && data && len(p) == 1 {
		b = append([]byte{b[0], 126, 0, 1}, p...)
	}
	_, _ = e.c.Write(b)
}

// run echoes until the connection ends.
func (e *echoer) run() {
	for e.frame() {
	}
	if e.is("leaves the line open") {
		_, _ = io.Copy(io.Discard, e.in)
	}
}

// frame takes one frame and reports whether there may be another.
func (e *echoer) frame() bool {
	var h frame.Header
	for n := 2; ; n++ {
		b, err := e.in.Peek(n)
		if err != nil {
			return false
		}
		var k int
		if h, k = frame.Parse(b); k > 0 {
			_, _ = e.in.Discard(k)
			break
		}
	}
	control, pongs := h.Opcode.Control(), e.is("fragmented pongs")
	rsv := h.RSV
	if e.is("reserved bits on compressed lines") && e.inflate != nil && h.Opcode == frame.Binary {
		rsv = 0
	}
	if e.inflate != nil && (h.Opcode.Data() || e.is("RSV1 on control frames") && control || e.is("RSV1 on continuations") && h.Opcode == frame.Continuation) {
		rsv &^= frame.RSV1
	}
	switch {
	case e.breaks(rsv != 0, "reserved bits", 1002),
		e.breaks(!h.Opcode.Known(), "reserved opcodes", 1002),
		e.breaks(!h.Masked, "unmasked frames", 1002),
		e.breaks(control && !h.FIN && !(pongs && h.Opcode == frame.Pong), "fragmented control frames", 1002),
		e.breaks(control && h.Length > 125, "long control frames", 1002),
		e.breaks(h.Opcode == frame.Continuation && e.op == 0 && !pongs, "stray continuations", 1002),
		e.breaks(h.Opcode.Data() && e.op != 0, "messages inside messages", 1002),
		e.breaks(!h.Minimal(), "long lengths", 1002),
		e.breaks(h.Length>>63 != 0, "lengths of 2^63", 1002):
		return false
	}
	if !e.fits(h) {
		return false
	}
	if h.Opcode == 3 && e.is("reserved opcodes") || !h.Opcode.Known() {
		_, _ = e.in.Discard(int(h.Length))
		return true
	}
	if h.Opcode.Data() {
		e.op, e.squeezed, e.message, e.pending, e.frames = h.Opcode, h.RSV&frame.RSV1 != 0 && e.inflate != nil, nil, nil, 0
	}
	if !control {
		e.frames++
	}
	p, ok := e.payload(h)
	if !ok {
		return false
	}
	if control {
		return e.control(h, p)
	}
	e.message = append(e.message, p...)
	return !h.FIN || e.whole()
}

// payload reads a payload, and looks at text as it comes.
func (e *echoer) payload(h frame.Header) ([]byte, bool) {
	p := make([]byte, h.Length)
	for n := 0; n < len(p); {
		k, err := e.in.Read(p[n:])
		if err != nil {
			return nil, false
		}
		if h.Masked {
			for i := n; i < n+k; i++ {
				p[i] ^= h.Key[i&3]
			}
		}
		if e.op == frame.Text && !h.Opcode.Control() && !e.squeezed && !e.lax() && !e.fastText(p[n:n+k]) {
			e.fail(1007)
			return nil, false
		}
		n += k
	}
	return p, true
}

// lax reports whether text is looked at only when it is whole.
func (e *echoer) lax() bool {
	return strings.HasPrefix(e.flaw, "text: ")
}

func (e *echoer) fastText(p []byte) bool {
	b := append(e.pending, p...)
	for len(b) > 0 && utf8.FullRune(b) {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return false
		}
		b = b[n:]
	}
	e.pending = bytes.Clone(b)
	return true
}

// text judges a whole text with the eyes of the flaw.
func (e *echoer) text(p []byte) bool {
	blind := ""
	switch e.flaw {
	case "text: anything":
		return true
	case "text: surrogates":
		blind = `\xed[\xa0-\xbf][\x80-\xbf]`
	case "text: overlong":
		blind = `\xc0[\x80-\xbf]|\xc1[\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf][\x80-\xbf]`
	case "text: beyond Unicode":
		blind = `\xf4[\x90-\xbf][\x80-\xbf][\x80-\xbf]|[\xf5-\xf7][\x80-\xbf][\x80-\xbf][\x80-\xbf]`
	case "text: cut at the end":
		for i := 1; i <= min(3, len(p)); i++ {
			if !utf8.FullRune(p[len(p)-i:]) {
				p = p[:len(p)-i]
			}
		}
	}
	if blind != "" {
		p = []byte(regexp.MustCompile(blind).ReplaceAllString(latin(p), ""))
		return utf8.Valid(unlatin(string(p)))
	}
	return utf8.Valid(p)
}

// latin makes each byte a character, so that expressions can speak of bytes; unlatin undoes it.
func latin(p []byte) string {
	r := make([]rune, len(p))
	for i, c := range p {
		r[i] = rune(c)
	}
	return string(r)
}

func unlatin(s string) []byte {
	var p []byte
	for _, r := range s {
		p = append(p, byte(r))
	}
	return p
}
