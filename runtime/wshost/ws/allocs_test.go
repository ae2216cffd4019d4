package ws_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// An echo costs no allocation, under either driver, also where a message does not come in one read.
func TestEchoAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("under the race detector pools drop things at random; make test runs this without it, too")
	}
	for _, w := range []way{{ws.Automatic, false}, {ws.Goroutine, false}} {
		for _, size := range []int{0, 128, 16 << 10, 64 << 10} {
			t.Run(fmt.Sprintf("%v/%d", w, size), func(t *testing.T) {
				st := stand(t, w, &ws.Upgrader{}, handler{message: echoes})
				line := rawClient(t, st.url)
				h := frame.Header{FIN: true, Opcode: frame.Binary, Masked: true, Key: [4]byte{1, 2, 3, 4}, Length: uint64(size)}
				sent := append(frame.AppendHeader(nil, h), make([]byte, size)...)
				want := frame.AppendHeader(nil, frame.Header{FIN: true, Opcode: frame.Binary, Length: uint64(size)})
				got := make([]byte, len(want)+size)
				echo := func() {
					if _, err := line.Write(sent); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadFull(line, got); err != nil || !bytes.HasPrefix(got, want) {
						t.Fatalf("%x, %v", got[:10], err)
					}
				}
				for range 50 {
					echo()
				}
				if n := testing.AllocsPerRun(500, echo); n >= 1 {
					t.Errorf("%v allocations for an echo of %d bytes", n, size)
				}
			})
		}
	}
}

// Nor does one with permessage-deflate, whatever a message grows to when it is inflated.
func TestCompressedEchoAllocatesNothing(t *testing.T) {
	if underRace {
		t.Skip("under the race detector pools drop things at random; make test runs this without it, too")
	}
	for _, w := range []way{{ws.Automatic, false}, {ws.Goroutine, false}} {
		for _, size := range []int{100, 1 << 10, 64 << 10} {
			t.Run(fmt.Sprintf("%v/%d", w, size), func(t *testing.T) {
				st := stand(t, w, &ws.Upgrader{Compression: &ws.Compression{}}, handler{message: echoes})
				line := rawClient(t, st.url, "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
				message := bytes.Repeat([]byte("so many words, so many words. "), size/30+1)[:size]
				body, _ := deflate.NewCompressor(deflate.CompressorConfig{Pool: new(deflate.Pool)}).Append(nil, message)
				h := frame.Header{FIN: true, RSV: frame.RSV1, Opcode: frame.Text, Length: uint64(len(body))}
				want := append(frame.AppendHeader(nil, h), body...)
				h.Masked = true // with the key 0, which changes nothing
				sent := append(frame.AppendHeader(nil, h), body...)
				got := make([]byte, len(want))
				echo := func() {
					if _, err := line.Write(sent); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadFull(line, got); err != nil || !bytes.Equal(got, want) {
						t.Fatalf("%x, %v", got[:min(len(got), 10)], err)
					}
				}
				for range 50 {
					echo()
				}
				if n := testing.AllocsPerRun(500, echo); n >= 1 {
					t.Errorf("%v allocations for a compressed echo of %d bytes", n, size)
				}
			})
		}
	}
}

// rawClient opens a connection and performs the opening handshake by hand. What it offers as extensions must be
// accepted.
func rawClient(t testing.TB, url string, extensions ...string) net.Conn {
	t.Helper()
	line, err := net.Dial("tcp", url[len("ws://"):])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	req, _ := http.NewRequest(http.MethodGet, "http"+url[len("ws"):], nil)
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-WebSocket-Version": {"13"}, "Sec-WebSocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	for _, e := range extensions {
		req.Header.Add("Sec-WebSocket-Extensions", e)
	}
	if err := req.Write(line); err != nil {
		t.Fatal(err)
	}
	var head []byte
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, b...) {
		if _, err := line.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) || bytes.Contains(head, []byte("Sec-WebSocket-Extensions")) != (extensions != nil) {
		t.Fatalf("%s", head)
	}
	return line
}
