package ws_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
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

// rawClient opens a connection and performs the opening handshake by hand.
func rawClient(t testing.TB, url string) net.Conn {
	t.Helper()
	line, err := net.Dial("tcp", url[len("ws://"):])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = line.Close() })
	req, _ := http.NewRequest(http.MethodGet, "http"+url[len("ws"):], nil)
	req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-WebSocket-Version": {"13"}, "Sec-WebSocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	if err := req.Write(line); err != nil {
		t.Fatal(err)
	}
	var head []byte
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, b...) {
		if _, err := line.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
		t.Fatalf("%s", head)
	}
	return line
}
