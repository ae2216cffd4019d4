//go:build e2e

package interop

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// way is how the engine is used.
type way string

const (
	pull      way = "pull"      // Upgrade and Dial
	poller    way = "poller"    // Serve and DialHandler, driven by the poller
	goroutine way = "goroutine" // Serve and DialHandler, driven by a goroutine
	overTLS   way = "TLS"       // Serve and DialHandler over TLS, where the poller cannot and a goroutine must
)

func (w way) driver() ws.Driver {
	if w == goroutine {
		return ws.Goroutine
	}
	return ws.Automatic
}

// row is one peer in one role: what docs/interop.md says of it and what its test does.
type row struct {
	peer  string
	role  string // what the peer is: "client" or "server"
	test  string // the function that tries it
	plain []way
	// deflate are the ways in which permessage-deflate is negotiated and used.
	deflate []way
	did     string // what is exchanged, in order
	note    string
}

// The exchanges. "repeated" is a text that a window kept from the message before makes small; "ping" is a ping of the
// peer and "pong" its answer to one of ours; "close" is a close of the client, "closed" one of the server.
const (
	everything = "text binary empty repeated fragmented large ping pong close closed"
	noFragment = "text binary empty repeated large ping pong close closed"
	noEmpty    = "text binary repeated fragmented large ping pong close closed"
	noPing     = "text binary empty repeated large pong close closed"
)

// matrix is everything that is tried.
func matrix() []row {
	plain, event := []way{pull, poller, goroutine, overTLS}, []way{pull, poller, goroutine}
	return []row{
		{"Node.js `ws`", "client", "TestNodeClient", plain, plain, everything, ""},
		{"Node.js `ws`, other windows", "client", "TestNodeClientWindows", nil, []way{poller, goroutine}, everything, "2^8 to 2^10 bytes, no context takeover, asked for by the client and by the server"},
		{"Chromium", "client", "TestChromium", plain, plain, noPing, "a page can neither fragment nor ping"},
		{"Python `websockets`", "client", "TestPythonClient", plain, plain, everything, "asks for windows of 2^12 bytes"},
		{"Java `HttpClient`", "client", "TestJava", plain, nil, everything, "knows no compression"},
		{"undici", "client", "TestUndici", plain, plain, noFragment, "does not fragment, and does not compress what it sends"},
		{"Socket.IO client", "client", "TestSocketIOClient", plain, plain, "text binary repeated large heartbeat close closed", "websocket transport; the heartbeat is Engine.IO's own"},
		{"libwebsockets", "client", "TestLibwebsocketsClient", plain, nil, everything, "the library, through a small program in C"},
		{"libwebsockets, compressed", "client", "TestLibwebsocketsClientDeflate", nil, plain, strings.Replace(noEmpty, "ping ", "", 1), "version 4.1 ends itself when it compresses an empty message, and takes what we do not compress, pongs too, for the same again and again: `MinSize` is negative here"},
		{"libwebsockets' test client", "client", "TestLibwebsocketsTestClient", plain, nil, "text closed", "prints what it receives; its buffer is too small for its own compression"},
		{"curl", "client", "TestCurl", plain, nil, "handshake", "Debian 12's is built without `ws://`: the opening handshake alone"},
		{"Node.js `ws`", "server", "TestNodeServer", plain, plain, everything, ""},
		{"Node.js `ws`, other windows", "server", "TestNodeServerWindows", nil, []way{poller, goroutine}, everything, "as above"},
		{"Python `websockets`", "server", "TestPythonServer", event, event, everything, "also with windows of 2^9 bytes"},
		{"Socket.IO server", "server", "TestSocketIOServer", event, event, "text binary repeated large heartbeat close closed", "websocket transport; the heartbeat is Engine.IO's own"},
		{"libwebsockets", "server", "TestLibwebsocketsServer", event, nil, everything, "the library, through a small program in C"},
		{"libwebsockets, compressed", "server", "TestLibwebsocketsServerDeflate", nil, event, noEmpty, "as above; what we send may be uncompressed"},
	}
}

// find returns the row of the running test.
func find(t *testing.T) row {
	t.Helper()
	for _, r := range matrix() {
		if r.test == t.Name() {
			return r
		}
	}
	t.Fatal("this test has no row in the matrix")
	return row{}
}

// cell is one row in one way, compressed or not.
type cell struct {
	row
	way      way
	compress bool
	windows  bool // other windows than the default are agreed on
}

// each runs f for each cell of a row, as subtests.
func (r row) each(t *testing.T, f func(t *testing.T, c cell)) {
	t.Helper()
	for _, compress := range []bool{false, true} {
		ways, name := r.plain, "plain"
		if compress {
			ways, name = r.deflate, "deflate"
		}
		for _, w := range ways {
			t.Run(name+"/"+string(w), func(t *testing.T) { f(t, cell{row: r, way: w, compress: compress}) })
		}
	}
}

func (c cell) compression() *ws.Compression {
	if !c.compress {
		return nil
	}
	return &ws.Compression{}
}

// table renders the rows of one role.
func table(role string) string {
	var b strings.Builder
	b.WriteString("| Peer | Plain: pull | poller | goroutine | TLS | Compressed: pull | poller | goroutine | TLS | Exchanged | Remarks |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range matrix() {
		if r.role != role {
			continue
		}
		fmt.Fprintf(&b, "| %s |", r.peer)
		for _, ways := range [][]way{r.plain, r.deflate} {
			for _, w := range []way{pull, poller, goroutine, overTLS} {
				mark := "–"
				if slices.Contains(ways, w) {
					mark = "yes"
				}
				fmt.Fprintf(&b, " %s |", mark)
			}
		}
		fmt.Fprintf(&b, " %s | %s |\n", strings.ReplaceAll(r.did, " ", ", "), r.note)
	}
	return b.String()
}

// TestTable holds docs/interop.md to the matrix, and the matrix to the tests that there are. With
// "go test -tags e2e ./e2e/interop -run TestTable -args update" it writes the tables.
func TestTable(t *testing.T) {
	const file = "../../docs/interop.md"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(doc)
	for _, role := range []string{"client", "server"} {
		begin, end := "<!-- peers: "+role+" -->\n", "<!-- end: "+role+" -->"
		head, rest, ok := strings.Cut(text, begin)
		got, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no place for the table of %ss", file, role)
		}
		want := table(role)
		if got != want && flag.Arg(0) != "update" {
			t.Errorf("%s: the table of %ss is not what the tests try; it should be\n%s", file, role, want)
		}
		text = head + begin + want + end + tail
	}
	if flag.Arg(0) == "update" {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := tests(t), rowTests(); !slices.Equal(got, want) {
		t.Errorf("the tests of peers are %v, the rows of the matrix name %v", got, want)
	}
}

func rowTests() []string {
	var names []string
	for _, r := range matrix() {
		names = append(names, r.test)
	}
	slices.Sort(names)
	return names
}

// tests returns the tests of this package that try a peer: those that find their row.
func tests(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !strings.HasPrefix(fn.Name.Name, "Test") {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "find" || id.Name == "try") {
						names = append(names, fn.Name.Name)
					}
				}
				return true
			})
		}
	}
	slices.Sort(names)
	return names
}
