package ws_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

const docsFolder = "../../../docs/"

// docPackages are the packages that the pages name, and where they are.
func docPackages(t *testing.T) map[string]string {
	t.Helper()
	dirs := map[string]string{"ws": ".", "frame": "frame", "deflate": "deflate", "handshake": "handshake", "hub": "hub"}
	for name, path := range map[string]string{"http": "net/http", "tls": "crypto/tls", "net": "net", "io": "io", "errors": "errors"} {
		p, err := build.Import(path, "", build.FindOnly)
		if err != nil {
			t.Fatal(err)
		}
		dirs[name] = p.Dir
	}
	return dirs
}

// declaredIn returns the exported names of a folder, members as "Type.Member".
func declaredIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[receiverOf(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					declareSpec(names, s)
				}
			}
		}
	}
	return names
}

func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "?."
}

func declareSpec(names map[string]bool, s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, n := range s.Names {
			names[n.Name] = true
		}
	case *ast.TypeSpec:
		names[s.Name.Name] = true
		var members *ast.FieldList
		switch typ := s.Type.(type) {
		case *ast.StructType:
			members = typ.Fields
		case *ast.InterfaceType:
			members = typ.Methods
		default:
			return
		}
		for _, m := range members.List {
			for _, n := range m.Names {
				names[s.Name.Name+"."+n.Name] = true
			}
		}
	}
}

// Every Go name that the pages of the engine put into code exists: `ws.Dial`, `Conn.Read`, `http.Request.Header`.
func TestDocsNameWhatExists(t *testing.T) {
	packages := map[string]map[string]bool{}
	own := map[string]bool{} // what stands without its package
	for name, dir := range docPackages(t) {
		packages[name] = declaredIn(t, dir)
		if !filepath.IsAbs(dir) {
			for n := range packages[name] {
				own[n] = true
			}
		}
	}
	exists := func(name string) bool {
		first, rest, _ := strings.Cut(name, ".")
		if p := packages[first]; p != nil {
			return p[rest]
		}
		return own[name]
	}
	for _, wrong := range []string{"ws.Nothing", "Conn.Nothing", "Nothing.Read", "http.Request.Nothing", "Read"} {
		if exists(wrong) {
			t.Fatalf("%s is said to exist", wrong)
		}
	}
	name := regexp.MustCompile("`([A-Za-z]+(?:\\.[A-Za-z]+)+)`")
	for page, least := range map[string]int{"engine.md": 40, "websockets-net.md": 100} {
		text, err := os.ReadFile(docsFolder + page)
		if err != nil {
			t.Fatal(err)
		}
		found := name.FindAllStringSubmatch(string(text), -1)
		if len(found) < least {
			t.Errorf("%s: only %d names were found", page, len(found))
		}
		for _, m := range found {
			if !exists(m[1]) {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
		}
	}
}

// netMembers are what System.Net.WebSockets has, by the headings of the page.
func netMembers() map[string]string {
	return map[string]string{
		"WebSocket": "CloseStatus CloseStatusDescription State SubProtocol DefaultKeepAliveInterval Abort CloseAsync CloseOutputAsync ReceiveAsync SendAsync Dispose " +
			"CreateFromStream CreateClientWebSocket CreateClientBuffer CreateServerBuffer RegisterPrefixes IsApplicationTargeting45 IsStateTerminal ThrowOnInvalidState",
		"WebSocketState": "None Connecting Open CloseSent CloseReceived Closed Aborted",
		"WebSocketMessageType and WebSocketMessageFlags": "Text Binary Close None EndOfMessage DisableCompression",
		"WebSocketCloseStatus": "NormalClosure EndpointUnavailable ProtocolError InvalidMessageType Empty InvalidPayloadData PolicyViolation MessageTooBig MandatoryExtension " +
			"InternalServerError",
		"WebSocketReceiveResult and ValueWebSocketReceiveResult": "Count EndOfMessage MessageType CloseStatus CloseStatusDescription",
		"WebSocketException and WebSocketError": "WebSocketErrorCode ErrorCode Success InvalidMessageType Faulted NativeError NotAWebSocket UnsupportedVersion " +
			"UnsupportedProtocol HeaderError ConnectionClosedPrematurely InvalidState",
		"ClientWebSocket": "Options ConnectAsync HttpStatusCode HttpResponseHeaders",
		"ClientWebSocketOptions": "AddSubProtocol SetRequestHeader SetBuffer ClientCertificates Cookies Credentials UseDefaultCredentials Proxy " +
			"RemoteCertificateValidationCallback KeepAliveInterval KeepAliveTimeout DangerousDeflateOptions HttpVersion HttpVersionPolicy CollectHttpResponseDetails",
		"WebSocketCreationOptions and WebSocketDeflateOptions": "IsServer SubProtocol KeepAliveInterval KeepAliveTimeout DangerousDeflateOptions ClientMaxWindowBits " +
			"ServerMaxWindowBits ClientContextTakeover ServerContextTakeover",
		"WebSocketContext and HttpListenerWebSocketContext": "CookieCollection Headers IsAuthenticated IsLocal IsSecureConnection Origin RequestUri SecWebSocketKey " +
			"SecWebSocketProtocols SecWebSocketVersion User WebSocket",
		"Accepting: HttpListenerContext, WebSocketAcceptContext, WebSocketOptions, ASP.NET 4.5": "AcceptWebSocketAsync subProtocol receiveBufferSize keepAliveInterval " +
			"internalBuffer IsWebSocketRequest IsWebSocketRequestUpgrading WebSocketRequestedProtocols WebSocketNegotiatedProtocol AcceptWebSocketRequest RequireSameOrigin " +
			"SubProtocol KeepAliveInterval KeepAliveTimeout DangerousEnableCompression DisableServerContextTakeover ServerMaxWindowBits ReceiveBufferSize AllowedOrigins",
		"WebSocketProtocol and WebSocketStream": "CreateFromStream WebSocketStream",
	}
}

// The page has a row for every member, and no others.
func TestDocsMapEveryMember(t *testing.T) {
	text, err := os.ReadFile(docsFolder + "websockets-net.md")
	if err != nil {
		t.Fatal(err)
	}
	all := netMembers()
	for section := range strings.SplitSeq(string(text), "\n## ") {
		title, body, _ := strings.Cut(section, "\n")
		want, ok := all[title]
		if !ok {
			continue
		}
		delete(all, title)
		var got []string
		for _, m := range regexp.MustCompile(`(?m)^\| (\w+) \| (.*) \| ?.*\|$`).FindAllStringSubmatch(body, -1) {
			got = append(got, m[1])
		}
		names := strings.Fields(want)
		slices.Sort(names)
		slices.Sort(got)
		if !slices.Equal(got, names) {
			t.Errorf("%s has rows for\n%v\nand not\n%v", title, got, names)
		}
	}
	for title := range all {
		t.Errorf("the page has no section %q", title)
	}
}

// The table of limits has every field and its default.
func TestDocsTellTheLimits(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := new(ws.Upgrader).Upgrade(w, r); err == nil {
			c.Cut()
		}
	}))
	defer srv.Close()
	c, _, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	line, snap, err := c.Detach(t.Context()) // the snapshot has the defaults filled in
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	text, err := os.ReadFile(docsFolder + "engine.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `Limits\\.(\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2]
	}
	v := reflect.ValueOf(snap.Limits)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if want := asWritten(v.Field(i).Interface()); rows[name] != want {
			t.Errorf("the default of Limits.%s is %s, and the page says %q", name, want, rows[name])
		}
		delete(rows, name)
	}
	if len(rows) > 0 {
		t.Errorf("the page has limits that do not exist: %v", rows)
	}
}

// asWritten writes a limit as the page does.
func asWritten(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return fmt.Sprintf("%d s", v/time.Second)
	case int64:
		if v%(1<<20) == 0 {
			return fmt.Sprintf("%d MiB", v>>20)
		}
		return fmt.Sprintf("%d KiB", v>>10)
	}
	return fmt.Sprint(v)
}
