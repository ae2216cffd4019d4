package websocket

import (
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The types of endpoints. All but echo are served by another feature.
const (
	typeEcho    = "echo" // sends every message back
	typeProcess = "process"
	typeTCP     = "tcp"
	typeHub     = "hub"
)

// endpointsFeature is the feature that serves the types beside echo.
const endpointsFeature = "websocket-endpoints"

// endpointConfig is system.webServer/webSocketEndpoints: which paths of a site the host itself serves.
type endpointConfig struct {
	Entries []endpoint `config:",collection"`
}

// endpoint is an entry, with what is judged here. The rest is read by the module that serves the type.
type endpoint struct {
	Path    string     `config:"path"`
	Type    string     `config:"type"`
	Command string     `config:"command"`
	User    string     `config:"user"`
	Target  string     `config:"target"`
	Allowed string     `config:"allowedTargets"`
	At      config.Pos `config:",pos"`
	Server  bool       `config:",server"`
}

// find returns the endpoint of a URL path, and what the path has in the place of the "*" of the endpoint's. Paths are
// compared exactly, as files are; one without "*" goes before one with it, and a longer one before a shorter.
func (c *endpointConfig) find(path string) (e endpoint, info string, ok bool) {
	best := -1
	for i := range c.Entries {
		e := &c.Entries[i]
		if e.Path == path {
			return *e, "", true
		}
		if prefix, wild := e.prefix(); wild && strings.HasPrefix(path, prefix) && (best < 0 || len(e.Path) > len(c.Entries[best].Path)) {
			best = i
		}
	}
	if best < 0 {
		return endpoint{}, "", false
	}
	prefix, _ := c.Entries[best].prefix()
	return c.Entries[best], path[len(prefix):], true
}

// prefix returns what the URL paths of an endpoint such as "/chat/*" begin with.
func (e *endpoint) prefix() (string, bool) {
	if strings.HasSuffix(e.Path, "/*") {
		return e.Path[:len(e.Path)-1], true
	}
	return "", false
}

// fault says why an endpoint cannot be served as it is written.
func (e *endpoint) fault() *config.Error {
	message, hint := "", ""
	switch {
	case e.Type == typeProcess && strings.Trim(e.Command, "\t \"") == "":
		message, hint = "has no command", `write command="..." with the program and its arguments`
	case e.Type == typeTCP && e.Target == "" && strings.Trim(e.Allowed, ", ") == "":
		message, hint = "has no target", `write target="HOST:PORT", or allowedTargets="..." for clients to choose from`
	case e.User != "" && !e.Server:
		message, hint = "names a user outside applicationHost.config", "write the endpoint into a location tag of applicationHost.config: whom programs run as is the administrator's to say"
	default:
		return nil
	}
	return &config.Error{
		Pos: e.At, HResult: config.HResultMalformed, Section: endpointSection,
		Message: fmt.Sprintf("the endpoint %q of type %q %s", e.Path, e.Type, message), Hint: hint,
	}
}

// missing is the refusal of a type whose feature is not installed.
func (e *endpoint) missing() *config.Error {
	return &config.Error{
		Pos: e.At, HResult: config.HResultMalformed, Section: endpointSection, Feature: endpointsFeature,
		Message: fmt.Sprintf("the endpoint %q is of type %q, which belongs to the feature WebSocket Endpoints, and that is not installed", e.Path, e.Type),
		Hint:    "install it with: rolemgr install " + endpointsFeature,
	}
}

// examineEndpoints tells of the entries that are refused, and of attributes that the type of their entry does not have.
func examineEndpoints(eff *config.Effective, _ bool) []config.Remark {
	c, err := config.Decode[endpointConfig](eff, endpointSection)
	node, ok := eff.Node(endpointSection)
	if err != nil || !ok {
		return nil // the declarations do not fit: a fault of this program
	}
	var out []config.Remark
	for i, n := range node.Entries() {
		if i >= len(c.Entries) {
			break
		}
		e := &c.Entries[i]
		if fault := e.fault(); fault != nil {
			out = append(out, config.Remark{At: e.At, Fault: fault.Message, Hint: fault.Hint})
		}
		for _, v := range n.Values() {
			if v.Set && !slices.Contains(typesOf(v.Attribute.Name), e.Type) {
				out = append(out, config.Remark{At: e.At, Attribute: v.Attribute.Name, Judgement: config.Judgement{NoEffect: "endpoints of type " + e.Type + " do not look at it"}})
			}
		}
	}
	return out
}

// typesOf returns the types of endpoints that an attribute is for.
func typesOf(attribute string) []string {
	switch attribute {
	case "command", "workingDirectory", "framing", "user":
		return []string{typeProcess}
	case "target", "allowedTargets", "targetParameter", "connectTimeout":
		return []string{typeTCP}
	case "history", "historyBytes", "includeSender", "maxRooms", "maxMembers", "slowConsumer":
		return []string{typeHub}
	case "maxConnections", "maxConnectionsPerClient":
		return []string{typeProcess, typeTCP}
	case "subprotocol":
		return []string{typeProcess, typeTCP, typeHub}
	}
	return []string{typeEcho, typeProcess, typeTCP, typeHub}
}

func endpointDeclaration() config.Section {
	number := func(name, def string, low, high int64) config.Attribute {
		return config.Attribute{Name: name, Type: config.Uint, Default: def, Check: config.IntegerRange(low, high)}
	}
	text := func(name string, check config.Check) config.Attribute {
		return config.Attribute{Name: name, Type: config.String, CaseSensitive: true, Check: check}
	}
	return config.Section{
		Path: endpointSection, OverrideModeDefault: config.Allow, Examine: examineEndpoints,
		Element: config.Element{Name: "webSocketEndpoints", Collection: &config.Collection{
			Remove: "remove", Clear: "clear",
			Add: config.Element{Name: "add", Judge: judgeEndpoint, Attributes: []config.Attribute{
				{Name: "path", Type: config.String, Required: true, Key: true, CaseSensitive: true, Check: checkPath},
				{Name: "type", Type: config.Enum, Required: true, Values: []config.Value{
					{Name: typeEcho, Value: 1}, {Name: typeProcess, Value: 2}, {Name: typeTCP, Value: 3}, {Name: typeHub, Value: 4},
				}},
				text("subprotocol", checkSubprotocol),
				text("command", nil), text("workingDirectory", nil),
				{Name: "framing", Type: config.Enum, Default: "lines", Values: []config.Value{{Name: "lines", Value: 1}, {Name: "binary", Value: 2}}},
				text("user", nil),
				text("target", checkTarget), text("allowedTargets", checkTargets),
				{Name: "targetParameter", Type: config.String, Default: "target", CaseSensitive: true, Check: config.NonEmpty()},
				{Name: "connectTimeout", Type: config.TimeSpan, Default: "00:00:10", Check: config.TimeSpanRange(1, 300, 1)},
				number("maxConnections", "256", 1, 100000), number("maxConnectionsPerClient", "16", 1, 100000),
				number("history", "0", 0, 10000), number("historyBytes", "65536", 1, 16<<20),
				{Name: "includeSender", Type: config.Bool, Default: "false"},
				number("maxRooms", "1000", 1, 100000), number("maxMembers", "1000", 1, 100000),
				{Name: "slowConsumer", Type: config.Enum, Default: "close", Values: []config.Value{{Name: "close", Value: 1}, {Name: "dropOldest", Value: 2}}},
			}},
		}},
	}
}

// judgeEndpoint names the feature that the types beside echo belong to.
func judgeEndpoint(attribute func(name string) string) config.Judgement {
	switch attribute("type") {
	case typeProcess, typeTCP, typeHub:
		return config.Judgement{Feature: endpointsFeature}
	}
	return config.Judgement{}
}

// checkTargets allows addresses of servers between commas.
func checkTargets(written string) error {
	for target := range strings.SplitSeq(written, ",") {
		if err := checkTarget(strings.TrimSpace(target)); err != nil {
			return err
		}
	}
	return nil
}

// checkTarget allows the address of a server: "127.0.0.1:5900", "[::1]:22", "unix:/run/app.sock".
func checkTarget(target string) error {
	if file, ok := strings.CutPrefix(target, "unix:"); target == "" || ok && strings.HasPrefix(file, "/") {
		return nil
	}
	host, port, err := net.SplitHostPort(target)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || strings.ContainsAny(host, ", ") || bad != nil || n == 0 {
		return errors.New(`must be written as HOST:PORT or unix:/PATH, such as "127.0.0.1:5900"; "` + target + `" is not`)
	}
	return nil
}

// checkSubprotocol allows one token (RFC 6455, section 4.1, item 10).
func checkSubprotocol(written string) error {
	if strings.ContainsFunc(written, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) }) {
		return errors.New(`must be the name of one subprotocol, such as "binary"`)
	}
	return nil
}

// checkPath allows decoded URL paths from the root of the site.
func checkPath(written string) error {
	if !strings.HasPrefix(written, "/") || strings.ContainsAny(written, "?#") {
		return errors.New(`must be a URL path from the root of the site, such as "/echo", without query or fragment`)
	}
	// Requests come with clean paths: an endpoint at another one would never be found.
	if clean := path.Clean(written); written != clean && written != strings.TrimSuffix(clean, "/")+"/" {
		return errors.New(`must have no empty segments and no "." or ".."; did you mean "` + clean + `"?`)
	}
	return nil
}
