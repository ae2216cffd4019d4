package fcgi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	stdfcgi "net/http/fcgi"
	"os"
	"strings"
	"testing"
	"time"
)

// dialServer serves a handler with the FastCGI of the standard library and connects to it.
func dialServer(t *testing.T, h http.HandlerFunc) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go stdfcgi.Serve(l, h)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func get(more ...Param) []Param {
	return append([]Param{{"REQUEST_METHOD", "GET"}, {"SERVER_PROTOCOL", "HTTP/1.1"}, {"REQUEST_URI", "/a?b"}}, more...)
}

func TestExchangeWithTheStandardLibrary(t *testing.T) {
	for _, size := range []int{0, 1, maxContent - 1, maxContent, maxContent + 1, 3 << 20} {
		body := bytes.Repeat([]byte("x"), size)
		c := dialServer(t, func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %d %v\n", r.Header.Get("X-Long"), len(b), err)
			w.Write(b)
		})
		long := strings.Repeat("h", size%100000)
		x := Start(c, get(Param{"HTTP_X_LONG", long}, Param{"CONTENT_LENGTH", fmt.Sprint(size)}), bytes.NewReader(body), time.Minute, time.Minute)
		got, err := io.ReadAll(x)
		if err != nil {
			t.Fatalf("%d: %v", size, err)
		}
		_, answer, _ := strings.Cut(string(got), "\r\n\r\n")
		if want := fmt.Sprintf("%s %d <nil>\n%s", long, size, body); answer != want {
			t.Errorf("%d: an answer of %d bytes, want %d", size, len(answer), len(want))
		}
		if err := x.SendErr(); err != nil {
			t.Errorf("%d: %v", size, err)
		}
	}
}

func TestLengthsOfPairs(t *testing.T) {
	for n, want := range map[int][]byte{0: {0}, 127: {127}, 128: {0x80, 0, 0, 128}, 65536: {0x80, 1, 0, 0}} {
		if got := appendLength(nil, n); !bytes.Equal(got, want) {
			t.Errorf("%d: % x, want % x", n, got, want)
		}
	}
}

func TestTooManyParameters(t *testing.T) {
	for size, fits := range map[int]bool{maxParams - 100: true, maxParams: false} {
		c, peer := net.Pipe()
		go io.Copy(io.Discard, peer)
		x := Start(c, []Param{{"A", strings.Repeat("x", size)}}, nil, time.Minute, time.Minute)
		if err := x.SendErr(); (err == nil) != fits {
			t.Errorf("%d bytes: %v", size, err)
		}
		c.Close()
		peer.Close()
	}
}

// scripted answers a request with bytes as they are and closes the connection.
func scripted(t *testing.T, answer []byte) *Exchange {
	t.Helper()
	c, peer := net.Pipe()
	t.Cleanup(func() { c.Close() })
	go func() {
		go io.Copy(io.Discard, peer)
		peer.Write(answer)
		peer.Close()
	}()
	return Start(c, nil, nil, time.Minute, time.Minute)
}

func end(status, protocol byte) []byte {
	return appendRecord(nil, typeEnd, requestID, []byte{0, 0, 0, status, protocol, 0, 0, 0})
}

func TestAnswers(t *testing.T) {
	out := func(s string) []byte { return appendRecord(nil, typeStdout, requestID, []byte(s)) }
	padded := []byte{version, typeStdout, 0, requestID, 0, 2, 3, 0, 'h', 'i', 1, 2, 3}
	for name, c := range map[string]struct {
		in     [][]byte
		out    string
		stderr string
		err    error
	}{
		"whole":           {[][]byte{out("a"), out("b"), out(""), end(0, 0)}, "ab", "", nil},
		"padding":         {[][]byte{padded, end(0, 0)}, "hi", "", nil},
		"error stream":    {[][]byte{appendRecord(nil, typeStderr, requestID, []byte("bad")), out("a"), end(0, 0)}, "a", "bad", nil},
		"another request": {[][]byte{appendRecord(nil, typeStdout, 2, []byte("x")), out("a"), end(0, 0)}, "a", "", nil},
		"unknown type":    {[][]byte{appendRecord(nil, 99, requestID, []byte("x")), end(0, 0)}, "", "", nil},
		"nothing":         {nil, "", "", io.ErrUnexpectedEOF},
		"no end":          {[][]byte{out("a")}, "a", "", io.ErrUnexpectedEOF},
		"half a header":   {[][]byte{out("a")[:5]}, "", "", io.ErrUnexpectedEOF},
		"half a record":   {[][]byte{out("abc")[:10]}, "", "", io.ErrUnexpectedEOF},
		"another version": {[][]byte{{2, 6, 0, 1, 0, 0, 0, 0}}, "", "", ErrProtocol},
		"HTTP":            {[][]byte{[]byte("HTTP/1.1 400 Bad Request\r\n\r\n")}, "", "", ErrProtocol},
		"short end":       {[][]byte{appendRecord(nil, typeEnd, requestID, []byte{0, 0, 0, 0})}, "", "", ErrProtocol},
		"can't multiplex": {[][]byte{end(0, statusCantMultiplex)}, "", "", ErrOverloaded},
		"overloaded":      {[][]byte{end(0, statusOverloaded)}, "", "", ErrOverloaded},
		"unknown role":    {[][]byte{end(0, statusUnknownRole)}, "", "", ErrProtocol},
		"unknown status":  {[][]byte{end(0, 4)}, "", "", ErrProtocol},
	} {
		x := scripted(t, bytes.Join(c.in, nil))
		var stderr strings.Builder
		x.Stderr = func(p []byte) { stderr.Write(p) }
		got, err := io.ReadAll(x)
		if string(got) != c.out || stderr.String() != c.stderr || !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %q, %q, %v", name, got, &stderr, err)
		}
	}
}

func TestAppStatus(t *testing.T) {
	x := scripted(t, end(3, 0))
	if _, err := io.ReadAll(x); err != nil || x.AppStatus() != 3 {
		t.Errorf("%v, %d", err, x.AppStatus())
	}
}

func TestTimes(t *testing.T) {
	for name, c := range map[string]struct{ idle, total time.Duration }{
		"idle":  {10 * time.Millisecond, time.Hour},
		"total": {time.Hour, 10 * time.Millisecond},
	} {
		client, peer := net.Pipe()
		go io.Copy(io.Discard, peer)
		x := Start(client, nil, nil, c.idle, c.total)
		if _, err := x.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		client.Close()
		peer.Close()
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	client, peer := net.Pipe()
	defer peer.Close()
	go io.Copy(io.Discard, peer)
	x := Start(client, nil, io.MultiReader(strings.NewReader("half"), iotestErr{}), time.Minute, time.Minute)
	var body *BodyError
	if err := x.SendErr(); !errors.As(err, &body) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	if _, err := x.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is not closed: half a body could be taken for a whole one")
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestPing(t *testing.T) {
	for name, c := range map[string]struct {
		answer []byte
		ok     bool
	}{
		"values":   {appendRecord(nil, typeGetValuesResult, 0, nil), true},
		"unknown":  {appendRecord(nil, typeUnknown, 0, make([]byte, 8)), true},
		"closed":   {nil, true},
		"anything": {end(0, 0), false},
	} {
		client, peer := net.Pipe()
		go func() {
			peer.Read(make([]byte, 100))
			peer.Write(c.answer)
			peer.Close()
		}()
		if err := Ping(client, time.Minute); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	client, peer := net.Pipe()
	defer peer.Close()
	if err := Ping(client, time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nobody: %v", err)
	}
}

// FuzzAnswer holds that whatever an application writes, reading ends, and never with a complete answer that has no end.
func FuzzAnswer(f *testing.F) {
	f.Add(append(appendRecord(nil, typeStdout, requestID, []byte("Status: 200\r\n\r\nhi")), end(0, 0)...))
	f.Add(appendRecord(nil, typeStderr, requestID, []byte("bad")))
	f.Add([]byte{version, typeStdout, 0, 1, 0xff, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		x := &Exchange{in: records{r: bytes.NewReader(in)}}
		got, err := io.ReadAll(x)
		if len(got) > len(in) {
			t.Fatalf("%d bytes out of %d", len(got), len(in))
		}
		if err == nil && !bytes.Contains(in, []byte{version, typeEnd, 0, requestID}) {
			t.Fatal("an answer without an end is complete")
		}
	})
}
