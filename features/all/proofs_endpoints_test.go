package all_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// endpointProofs are those of the types of endpoints beside echo.
func endpointProofs() []proof {
	of := func(name, kind, rest, with, without string, do func(*variant) string, want, otherwise string) proof {
		return proof{
			of: "add@" + name, in: `<webSocketEndpoints><add path="/ws/*" type="` + kind + `" ` + rest + ` §/></webSocketEndpoints>`,
			with: with, without: without, do: do, want: want, otherwise: otherwise,
		}
	}
	by := func(name, test string) proof { return proof{of: "add@" + name, by: test} }
	const unit = "features/websocketendpoints "
	return []proof{
		of("command", "process", "", "echo one", "echo two", conversation, "one;1000", "two;1000"),
		of("workingDirectory", "process", `command="pwd"`, "/usr", "/tmp", conversation, "/usr;1000", "/tmp;1000"),
		of("framing", "process", `command='/usr/bin/printf "a\nb\n"'`, "binary", "lines", conversation, "a\nb\n;1000", "a;b;1000"),
		of("subprotocol", "process", `command="true"`, "mine", unset, subprotocol, "mine", ""),
		by("user", unit+"TestProgramsOfAnotherUser"), // only root may
		of("target", "tcp", "", "127.0.0.1:1", "unix:$SITE/s", targets(""), "502", "101"),
		of("allowedTargets", "tcp", "", "unix:$SITE/s", "unix:$SITE/t", targets("target"), "101", "403"),
		of("targetParameter", "tcp", `allowedTargets="unix:$SITE/s"`, "to", unset, targets("to"), "101", "400"),
		by("connectTimeout", unit+"TestTargetThatDoesNotAnswer"),
		of("maxConnections", "process", `command="cat"`, "1", "2", twice("/ws/", "/ws/"), "503", "101"),
		by("maxConnectionsPerClient", unit+"TestDoorkeeper"), // loopback is not counted
		of("history", "hub", `includeSender="true"`, "1", "2", newcomer, "b", "a b"),
		of("historyBytes", "hub", `includeSender="true" history="9"`, "1", "2", newcomer, "b", "a b"),
		of("includeSender", "hub", "", "true", "false", itself, "true", "false"),
		of("maxRooms", "hub", "", "1", "2", twice("/ws/a", "/ws/b"), "503", "101"),
		of("maxMembers", "hub", "", "1", "2", twice("/ws/a", "/ws/a"), "503", "101"),
		by("slowConsumer", unit+"TestSlowMember"),
	}
}

// dialSocket opens a socket of the variant; status is 101 when it is open.
func (v *variant) dialSocket(path string, o *ws.DialOptions) (c *ws.Conn, status string) {
	ctx, cancel := context.WithTimeout(v.t.Context(), 10*time.Second)
	defer cancel()
	c, resp, err := ws.Dial(ctx, "ws://"+v.addr+path, o)
	switch {
	case err == nil:
		v.t.Cleanup(c.Cut)
		return c, "101"
	case resp != nil:
		return nil, fmt.Sprint(resp.StatusCode)
	}
	return nil, err.Error()
}

// next reads a message, or how the socket ended.
func next(v *variant, c *ws.Conn) (string, bool) {
	ctx, cancel := context.WithTimeout(v.t.Context(), 10*time.Second)
	defer cancel()
	_, p, err := c.Read(ctx)
	var closed *ws.CloseError
	switch {
	case errors.As(err, &closed):
		return fmt.Sprint(int(closed.Code)), false
	case err != nil:
		return err.Error(), false
	}
	return string(p), true
}

// conversation tells all that comes.
func conversation(v *variant) string {
	c, status := v.dialSocket("/ws/", nil)
	if c == nil {
		return status
	}
	var heard []string
	for {
		text, more := next(v, c)
		heard = append(heard, text)
		if !more {
			return strings.Join(heard, ";")
		}
	}
}

func subprotocol(v *variant) string {
	c, status := v.dialSocket("/ws/", &ws.DialOptions{Subprotocols: []string{"other", "mine"}})
	if c == nil {
		return status
	}
	return c.Subprotocol()
}

// targets connects to a server that listens at the socket "s" in the folder of the site.
func targets(parameter string) func(*variant) string {
	return func(v *variant) string {
		file := v.home + "/" + v.name + "/s"
		l, err := net.Listen("unix", file)
		if err != nil {
			return err.Error()
		}
		defer l.Close()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
			}
		}()
		path := "/ws/"
		if parameter != "" {
			path += "?" + parameter + "=unix:" + file
		}
		_, status := v.dialSocket(path, nil)
		return status
	}
}

// twice opens two sockets and tells of the second.
func twice(first, second string) func(*variant) string {
	return func(v *variant) string {
		if c, status := v.dialSocket(first, nil); c == nil {
			return status
		}
		_, status := v.dialSocket(second, nil)
		return status
	}
}

// newcomer tells what somebody is told who comes after "a" and "b".
func newcomer(v *variant) string {
	c, status := v.dialSocket("/ws/", nil)
	if c == nil {
		return status
	}
	for _, text := range []string{"a", "b"} {
		_ = c.Write(v.t.Context(), frame.Text, []byte(text))
		_, _ = next(v, c)
	}
	late, _ := v.dialSocket("/ws/", nil)
	first, more := next(v, late) // before the next word, which would be history for one who is not in the room yet
	if !more {
		return first
	}
	_ = c.Write(v.t.Context(), frame.Text, []byte("!"))
	heard := []string{first}
	for {
		text, more := next(v, late)
		if text == "!" || !more {
			return strings.Join(heard, " ")
		}
		heard = append(heard, text)
	}
}

// itself tells whether a member hears itself before somebody else.
func itself(v *variant) string {
	a, status := v.dialSocket("/ws/", nil)
	if a == nil {
		return status
	}
	b, _ := v.dialSocket("/ws/", nil)
	// A socket is in its room a moment after the handshake: both are once one has heard the other.
	for heard := false; !heard; {
		_ = b.Write(v.t.Context(), frame.Text, []byte("ready"))
		ctx, cancel := context.WithTimeout(v.t.Context(), 100*time.Millisecond)
		_, p, err := a.Read(ctx)
		cancel()
		heard = err == nil && string(p) == "ready"
	}
	_ = a.Write(v.t.Context(), frame.Text, []byte("mine"))
	if text := nextOf(v, b); text != "mine" {
		return text
	}
	_ = b.Write(v.t.Context(), frame.Text, []byte("yours"))
	return fmt.Sprint(nextOf(v, a) == "mine")
}

// nextOf is next without what was said to find each other.
func nextOf(v *variant, c *ws.Conn) string {
	for {
		if text, _ := next(v, c); text != "ready" {
			return text
		}
	}
}
