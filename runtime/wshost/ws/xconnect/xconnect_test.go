// The tests stand outside: imports of a test file inside the package would be imports of the package, and net/http
// would initialise first.
package xconnect_test

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/xconnect"
)

// TestMain lets the test binary stand for a program: started with XCONNECT_TEST_PROGRAM it tells what its HTTP/2 server
// announces and what GODEBUG holds.
func TestMain(m *testing.M) {
	if os.Getenv("XCONNECT_TEST_PROGRAM") == "" {
		os.Exit(m.Run())
	}
	announced, err := announced()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("announced %v, enabled %v, GODEBUG=%s", announced, xconnect.Enabled(), os.Getenv("GODEBUG"))
}

// announced starts a server of net/http and reports whether its SETTINGS frame has 0x8 = 1 (RFC 8441, section 3).
func announced() (bool, error) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	line, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		return false, err
	}
	defer line.Close()
	_ = line.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(line, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		return false, err
	}
	head := make([]byte, 9) // RFC 9113, section 4.1
	if _, err := io.ReadFull(line, head); err != nil {
		return false, err
	}
	if head[3] != 4 {
		return false, fmt.Errorf("the first frame is of type %d, not SETTINGS", head[3])
	}
	settings := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	if _, err := io.ReadFull(line, settings); err != nil {
		return false, err
	}
	for s := range slices.Chunk(settings, 6) {
		if binary.BigEndian.Uint16(s) == 8 {
			return binary.BigEndian.Uint32(s[2:]) == 1, nil
		}
	}
	return false, nil
}

func TestAnnounced(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ godebug, want string }{
		{"", "announced true, enabled true, GODEBUG=http2xconnect=1"},
		{"madvdontneed=0", "announced true, enabled true, GODEBUG=madvdontneed=0,http2xconnect=1"},
		{"http2xconnect=1", "announced true, enabled true, GODEBUG=http2xconnect=1"},
		{"http2xconnect=0", "announced false, enabled false, GODEBUG=http2xconnect=0"},
		{"madvdontneed=0,http2xconnect=0", "announced false, enabled false, GODEBUG=madvdontneed=0,http2xconnect=0"},
	} {
		program := exec.Command(self)
		program.Env = append(without("GODEBUG"), "XCONNECT_TEST_PROGRAM=1")
		if c.godebug != "" {
			program.Env = append(program.Env, "GODEBUG="+c.godebug)
		}
		program.Stderr = os.Stderr
		out, err := program.Output()
		if string(out) != c.want || err != nil {
			t.Errorf("with GODEBUG=%s: %q, %v, want %q", c.godebug, out, err, c.want)
		}
	}
}

// without returns the environment without one variable.
func without(name string) []string {
	return slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, name+"=") })
}

// here names the path of this package.
type here struct{}

// What makes the package early enough: a path before net/http, and no import but os.
func TestInitialisedBeforeNetHTTP(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "xconnect.go", nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Imports) != 1 || f.Imports[0].Path.Value != `"os"` {
		t.Error("xconnect.go must import os and nothing else")
	}
	if files, _ := os.ReadDir("."); len(files) != 2 {
		t.Errorf("the folder holds %v: another file may bring imports", files)
	}
	if path := strings.TrimSuffix(reflect.TypeFor[here]().PkgPath(), "_test"); path >= "net/http" || path == "" {
		t.Errorf("import path %q does not sort before net/http", path)
	}
}

func TestWith(t *testing.T) {
	for _, c := range []struct{ godebug, want string }{
		{"", "http2xconnect=1"},
		{"a=1", "a=1,http2xconnect=1"},
		{"a=1,b=2", "a=1,b=2,http2xconnect=1"},
		{"http2xconnect=0", "http2xconnect=0"},
		{"a=1,http2xconnect=0,b=2", "a=1,http2xconnect=0,b=2"},
		{"http2xconnect=1", "http2xconnect=1"},
		{"http2xconnect=", "http2xconnect="},
		{"xhttp2xconnect=0", "xhttp2xconnect=0,http2xconnect=1"},
		{"http2xconnects=0", "http2xconnects=0,http2xconnect=1"},
		{"http2xconnect", "http2xconnect,http2xconnect=1"},
	} {
		if got := xconnect.With(c.godebug); got != c.want || xconnect.With(got) != got {
			t.Errorf("With(%q) = %q, want %q", c.godebug, got, c.want)
		}
	}
}

func TestWithout(t *testing.T) {
	for _, c := range []struct{ godebug, want string }{
		{"GODEBUG=http2xconnect=1", ""},
		{"GODEBUG=a=1,http2xconnect=1", "GODEBUG=a=1"},
		{"GODEBUG=http2xconnect=1,a=1", "GODEBUG=a=1"},
		{"GODEBUG=http2xconnect=0", "GODEBUG=http2xconnect=0"},
		{"GODEBUGX=http2xconnect=1", "GODEBUGX=http2xconnect=1"},
		{"GODEBUG", "GODEBUG"},
	} {
		env := []string{"A=b", c.godebug, "C="}
		want := []string{"A=b", c.want, "C="}
		if c.want == "" {
			want = []string{"A=b", "C="}
		}
		if got := xconnect.Without(env); !slices.Equal(got, want) || env[1] != c.godebug {
			t.Errorf("Without(%q) = %q", env, got)
		}
	}
}
