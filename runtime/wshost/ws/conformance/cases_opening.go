package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// open101 is a handshake that must succeed.
func open101() []reply {
	return []reply{{OK, "status 101, and messages are echoed", func(a answered) bool { return a.echoes }}}
}

// refused is a handshake that must be refused with one of the statuses, and the line closed: who asked for an upgrade
// may have sent anything behind the request. Another refusal is not strict, and neither is a line left open, as long
// as nothing more is answered on it.
func refused(statuses ...int) []reply {
	names := strings.Trim(fmt.Sprint(statuses), "[]")
	return []reply{
		{OK, "status " + strings.ReplaceAll(names, " ", " or ") + " with Connection: close, and the line closed", func(a answered) bool {
			return slices.Contains(statuses, a.status) && a.closed && a.close
		}},
		{NonStrict, "status 400 to 599, or the line closed", func(a answered) bool {
			return a.second == 0 && (a.status >= 400 && a.status <= 599 || a.status == 0 && a.closed)
		}},
	}
}

// tolerated adds that a handshake may succeed as well.
func tolerated(o Outcome, replies []reply) []reply {
	return append(replies, reply{o, "status 101, and messages are echoed", func(a answered) bool { return a.echoes }})
}

func openings(d *deck) {
	d.group = "opening handshake"
	ask := func(section, about string, edit func(*fields), want []reply) *opening {
		c := d.add(section, "request "+about, nil, nil)
		c.subjects, c.opening = []Subject{Server}, &opening{about: about, edit: edit, want: want}
		return c.opening
	}
	header := func(line string) func(*fields) { return func(f *fields) { f.extra = append(f.extra, line) } }
	ask("6455-4.2.1", "as it should be", func(*fields) {}, open101())
	ask("6455-4.2.1", "byte by byte", func(*fields) {}, open101()).chop = 1
	ask("6455-4.2.1", "with \"upgrade: WEBSOCKET\"", func(f *fields) { f.upgrade = "WEBSOCKET" }, open101())
	ask("6455-4.2.1", "with \"Connection: keep-alive, UPGRADE\"", func(f *fields) { f.connection = "keep-alive, UPGRADE" }, open101())
	ask("6455-4.2.1", "with Connection in two lines", func(f *fields) {
		f.connection = "keep-alive"
		f.extra = []string{"Connection: Upgrade"}
	}, open101())
	ask("6455-4.2.1", "with unknown header fields", header("X-Unknown: something"), open101())
	ask("6455-4.2.1", "without spaces around the values", func(f *fields) {
		f.upgrade, f.extra = "", []string{"Upgrade:websocket"}
	}, open101())
	broken(ask)
	ask("6455-4.2.2", "with a subprotocol that no server knows", header("Sec-WebSocket-Protocol: rolemgr-unknown"), []reply{
		{OK, "status 101 without a subprotocol, and messages are echoed", func(a answered) bool { return a.echoes && !a.protocol }},
		{Informational, "status 400 to 499", func(a answered) bool { return a.status >= 400 && a.status < 500 }},
	})
	ask("6455-9.1", "with an extension that no server knows", header("Sec-WebSocket-Extensions: rolemgr-unknown; x=1"), open101())
	for _, v := range []string{"=", "a; =b", "a,,;", "rolemgr-unknown; x=\"", "\x01"} {
		ask("6455-9.1", fmt.Sprintf("with malformed extensions %+q", v), header("Sec-WebSocket-Extensions: "+v), tolerated(NonStrict, refused(400)))
	}
	ask("6455-10.2", "from an origin that is not the server's", header("Origin: https://rolemgr-conformance.invalid"), []reply{
		{Informational, "status 403: foreign origins are refused", func(a answered) bool { return a.status == 403 }},
		{Informational, "any other answer: foreign origins are not looked at", func(a answered) bool { return a.status != 0 }},
	})
	ask("6455-4.1", "with a header of 60 KiB", header("X-Long: "+strings.Repeat("x", 60<<10)), []reply{
		{Informational, "status 101, 400, 413, 414 or 431, or the line closed", func(a answered) bool {
			return a.echoes || slices.Contains([]int{0, 400, 413, 414, 431}, a.status)
		}},
	})
}

// broken breaks each rule of RFC 6455, section 4.2.1.
func broken(ask func(string, string, func(*fields), []reply) *opening) {
	const section = "6455-4.2.1"
	for _, m := range []string{"POST", "PUT", "HEAD", "OPTIONS"} {
		statuses := []int{400, 405, 426, 501}
		if m == "OPTIONS" {
			statuses = append(statuses, 200, 204) // a server may say what it has, as long as it does not upgrade
		}
		ask(section, "with method "+m, func(f *fields) { f.method = m }, refused(statuses...))
	}
	ask(section, "in HTTP/1.0", func(f *fields) { f.version = "HTTP/1.0" }, refused(400, 426, 505))
	ask(section, "without Host", func(f *fields) { f.host = "" }, refused(400))
	ask(section, "with two Hosts", func(f *fields) { f.extra = []string{"Host: other.invalid"} }, refused(400))
	notAsked := []reply{{OK, "any status but 101", func(a answered) bool { return a.status >= 200 }}}
	ask(section, "without Upgrade", func(f *fields) { f.upgrade = "" }, notAsked)
	ask(section, "with \"Upgrade: h2c\"", func(f *fields) { f.upgrade = "h2c" }, notAsked)
	ask(section, "with \"Upgrade: websockets\"", func(f *fields) { f.upgrade = "websockets" }, notAsked)
	ask(section, "without Connection", func(f *fields) { f.connection = "" }, notAsked)
	ask(section, "with \"Connection: keep-alive\"", func(f *fields) { f.connection = "keep-alive" }, notAsked)
	ask(section, "with \"Connection: not-upgrade\"", func(f *fields) { f.connection = "not-upgrade" }, notAsked)
	ask(section, "without Sec-WebSocket-Key", func(f *fields) { f.key = "" }, refused(400))
	for _, k := range []struct{ about, key string }{
		{"of 15 bytes", "AAAAAAAAAAAAAAAAAAAA"}, {"of 17 bytes", "AAAAAAAAAAAAAAAAAAAAAAA="}, {"of 16 bytes in hexadecimal", strings.Repeat("ab", 16)},
		{"that is not base64", "!!!!!!!!!!!!!!!!!!!!!!=="}, {"without its padding", "AAAAAAAAAAAAAAAAAAAAAA"},
	} {
		// Section 4.2.2 says that a server need not decode it.
		ask(section, "with a Sec-WebSocket-Key "+k.about, func(f *fields) { f.key = k.key }, tolerated(NonStrict, refused(400)))
	}
	ask("6455-11.3.1", "with two equal Sec-WebSocket-Keys", func(f *fields) {
		f.extra = []string{"Sec-WebSocket-Key: " + f.key}
	}, tolerated(NonStrict, refused(400)))
	versions(ask)
	ask("6455-4.2.1", "with a body", func(f *fields) { f.extra = []string{"Content-Length: 5"} }, tolerated(Informational, refused(400, 413))).body = "hello"
	bad := func(f *fields) { f.protocol = "12" }
	ask("6455-4.2.2", "refused for its version, a second request behind it", bad, pipelined()).again = true
	ask("6455-4.2.2", "refused for its key, a second request behind it", func(f *fields) { f.key = "" }, pipelined()).again = true
	ask("6455-4.2.2", "refused for its method, a second request behind it", func(f *fields) { f.method = "DELETE" }, pipelined()).again = true
}

// pipelined is a refusal behind which nothing is executed: what stands there may be a stranger's, sent through a proxy
// that took the upgrade for granted.
func pipelined() []reply {
	return []reply{
		{OK, "refused with Connection: close, the second request not answered", func(a answered) bool {
			return a.status >= 400 && a.second == 0 && a.closed && a.close
		}},
		{NonStrict, "refused, the second request not answered", func(a answered) bool {
			return (a.status >= 400 || a.status == 0 && a.closed) && a.second == 0
		}},
	}
}

func versions(ask func(string, string, func(*fields), []reply) *opening) {
	listed := refused(426, 400)
	first := listed[0].is
	listed[0].about = "status 426 or 400 with Sec-WebSocket-Version: 13 and Connection: close, and the line closed"
	listed[0].is = func(a answered) bool {
		return first(a) && strings.Contains(strings.Join(a.header.Values("Sec-WebSocket-Version"), ","), "13")
	}
	for _, v := range []string{"", "0", "8", "12", "14", "113", "255", "256", "x"} {
		about := "with Sec-WebSocket-Version " + v
		if v == "" {
			about = "without Sec-WebSocket-Version"
		}
		ask("6455-4.4", about, func(f *fields) { f.protocol = v }, listed)
	}
	for _, v := range []string{"013", "13, 8"} {
		ask("6455-4.4", "with Sec-WebSocket-Version "+v, func(f *fields) { f.protocol = v }, tolerated(NonStrict, listed))
	}
}

// answer is what a client under test gets for its request.
type answer struct {
	about string
	text  func(key string) string
}

// response writes a 101 with some lines replaced: an empty value leaves one out.
func response(status, upgrade, connection, accept string, extra ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %s\r\n", status)
	for _, l := range [][2]string{{"Upgrade", upgrade}, {"Connection", connection}, {"Sec-WebSocket-Accept", accept}} {
		if l[1] != "" {
			b.WriteString(l[0] + ": " + l[1] + "\r\n")
		}
	}
	for _, l := range extra {
		b.WriteString(l + "\r\n")
	}
	return b.String() + "\r\n"
}

// answers breaks each rule that a client must hold a response to (RFC 6455, section 4.1). A message follows the
// answer: a client that takes it as good will echo.
func answers(d *deck) {
	d.group = "opening handshake, client"
	const good = "101 Switching Protocols"
	hello := lit("hello")
	add := func(about string, text func(accept string) string) *Case {
		c := d.add("6455-4.1", "answer "+about, append(one(fr{op: frame.Text, body: hello}), settle{}), []alternative{
			either(OK, gone()), either(NonStrict, closed(), gone()),
		})
		c.subjects = []Subject{Client}
		c.answer = &answer{about, func(key string) string { return text(handshake.AcceptKey(key)) }}
		return c
	}
	fine := func(about string, text func(accept string) string) {
		c := add(about, text)
		c.script = append(one(fr{op: frame.Text, body: hello}), await{1}, closeWith(1000))
		c.want = exactly([]want{echo(frame.Text, hello), closed(1000), gone()})
	}
	fine("as it should be", func(a string) string { return response(good, "websocket", "Upgrade", a) })
	fine("in other letter cases", func(a string) string { return response(good, "WebSocket", "upgrade", a) })
	fine("with unknown header fields", func(a string) string { return response(good, "websocket", "Upgrade", a, "X-Unknown: x") })
	for _, s := range []int{200, 204, 301, 400, 401, 403, 404, 426, 500, 503} {
		add(fmt.Sprintf("with status %d", s), func(a string) string {
			return response(fmt.Sprintf("%d %s", s, http.StatusText(s)), "websocket", "Upgrade", a, "Content-Length: 0")
		})
	}
	add("without Upgrade", func(a string) string { return response(good, "", "Upgrade", a) })
	add("with another Upgrade", func(a string) string { return response(good, "h2c", "Upgrade", a) })
	add("without Connection", func(a string) string { return response(good, "websocket", "", a) })
	add("with another Connection", func(a string) string { return response(good, "websocket", "close", a) })
	add("without Sec-WebSocket-Accept", func(string) string { return response(good, "websocket", "Upgrade", "") })
	add("with another key's Sec-WebSocket-Accept", func(string) string {
		return response(good, "websocket", "Upgrade", handshake.AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="))
	})
	add("with Sec-WebSocket-Accept in another letter case", func(a string) string {
		return response(good, "websocket", "Upgrade", strings.ToUpper(a))
	})
	add("with an extension that was not offered", func(a string) string {
		return response(good, "websocket", "Upgrade", a, "Sec-WebSocket-Extensions: rolemgr-unknown")
	})
	add("with a subprotocol that was not asked for", func(a string) string {
		return response(good, "websocket", "Upgrade", a, "Sec-WebSocket-Protocol: rolemgr-unknown")
	})
}
