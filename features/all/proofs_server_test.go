package all_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

func serverProofs() []proofs {
	modules := func(s string) string { return `<modules>` + s + `</modules>` }
	const escaped = "/a%2531"
	return []proofs{
		{section: "system.applicationHost/webLimits", own: true, cases: []proof{
			{of: "@headerWaitTimeout", with: "00:00:01", without: unset, do: idle("GET / HT"), want: "cut", otherwise: "open"},
		}},
		{section: "system.webServer/modules", cases: []proof{
			{of: "add@name", in: modules(`<remove name="RequestFilteringModule"/><add §/>`), with: "RequestFilteringModule", without: "Nobody", ask: escaped, want: "404.11", otherwise: "404.0"},
			{of: "#remove", in: modules(`§`), with: `<remove name="RequestFilteringModule"/>`, without: unset, ask: escaped, want: "404.0", otherwise: "404.11"},
			{of: "#clear", in: modules(`§<add name="StaticFileModule"/>`), with: `<clear/>`, without: `<remove name="StaticFileModule"/>`, ask: escaped, want: "404", otherwise: "404.11"},
		}},
		{section: "system.webServer/globalModules", own: true, cases: []proof{
			{of: "add@name", in: `<globalModules><remove name="SslAccessModule"/><remove name="TestApp"/><add § image="x"/></globalModules>`, with: "TestApp", without: "SslAccessModule", ask: "/app/gone", want: "410", otherwise: "404.0"},
			{of: "#remove", in: `<globalModules>§</globalModules>`, with: `<remove name="TestApp"/>`, without: unset, ask: "/app/gone", want: "404.0", otherwise: "410"},
			{of: "#clear", in: `<globalModules>§</globalModules>`, with: `<clear/>`, without: unset, ask: "/app/gone", want: "no host", otherwise: "410"},
		}},
		{section: "system.webServer/httpLogging", cases: []proof{
			{of: "@selectiveLogging", with: "LogError", without: unset, see: "lines", want: "200 0", otherwise: "200 1"},
			{of: "@selectiveLogging", with: "LogSuccessful", without: unset, ask: "/none", see: "lines", want: "404.0 0", otherwise: "404.0 1"},
			{of: "@dontLog", with: "true", without: unset, see: "lines", want: "200 0", otherwise: "200 1"},
		}},
	}
}

func socketProofs() []proofs {
	list := func(s string) string { return `<webSocketEndpoints>` + s + `</webSocketEndpoints>` }
	const ws = `<add path="/ws" type="echo"/>`
	return []proofs{
		{section: "system.webServer/webSocket", beside: list(ws), cases: []proof{
			{of: "@enabled", with: "false", without: "true", ask: "/ws", want: "404.0", otherwise: "426.0"},
			{of: "@receiveBufferLimit", with: "4096", without: "4097", do: longMessage, want: "too big", otherwise: "echo"},
			{of: "@allowedOrigins", with: "http://a.example", without: unset, do: fromAnotherOrigin, want: "echo", otherwise: "403"},
			{of: "@pingInterval", by: "features/all TestPingInterval"},
		}},
		{section: "system.webServer/webSocketEndpoints", cases: []proof{
			{of: "add@path", in: list(`<add § type="echo"/>`), with: "/ws", without: "/other", ask: "/ws", want: "426.0", otherwise: "404.0"},
			{of: "add@type", in: list(`<add path="/ws" §/>`), with: "echo", without: unset, ask: "/ws", want: "426.0", otherwise: "500.19"},
			{of: "#remove", in: list(ws + "§"), with: `<remove path="/ws"/>`, without: unset, ask: "/ws", want: "404.0", otherwise: "426.0"},
			{of: "#clear", in: list(ws + "§"), with: `<clear/>`, without: unset, ask: "/ws", want: "404.0", otherwise: "426.0"},
		}},
		{section: "system.webServer/webSocketEndpoints", cases: endpointProofs()},
	}
}

// longMessage sends a message of 4097 bytes.
func longMessage(v *variant) string {
	ctx, cancel := context.WithTimeout(v.t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := ws.Dial(ctx, "ws://"+v.addr+"/ws", nil)
	if err != nil {
		return err.Error()
	}
	defer c.Close(frame.NormalClosure, "")
	if err := c.Write(ctx, frame.Binary, make([]byte, 4097)); err != nil {
		return err.Error()
	}
	_, payload, err := c.Read(ctx)
	var closed *ws.CloseError
	switch {
	case errors.As(err, &closed) && closed.Code == frame.MessageTooBig:
		return "too big"
	case err == nil && len(payload) == 4097:
		return "echo"
	}
	return err.Error()
}

// fromAnotherOrigin opens a WebSocket as a page of http://a.example does.
func fromAnotherOrigin(v *variant) string {
	ctx, cancel := context.WithTimeout(v.t.Context(), 10*time.Second)
	defer cancel()
	c, resp, err := ws.Dial(ctx, "ws://"+v.addr+"/ws", &ws.DialOptions{Header: http.Header{"Origin": {"http://a.example"}}})
	if err != nil && resp != nil {
		return strconv.Itoa(resp.StatusCode)
	}
	if err != nil {
		return err.Error()
	}
	_ = c.Close(frame.NormalClosure, "")
	return "echo"
}
