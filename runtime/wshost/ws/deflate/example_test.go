package deflate_test

import (
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// A server answers a browser's offer, compresses a message and would read one of the client.
func Example() {
	offers, err := handshake.ParseExtensions([]string{"permessage-deflate; client_max_window_bits"})
	if err != nil {
		fmt.Println(err)
		return
	}
	site := deflate.NewBudget(64 << 20)
	agreed, response, ok := deflate.Accept(offers, deflate.Policy{ReceiveBits: 12, Budget: site})
	if !ok {
		return // the connection does without
	}
	defer agreed.Lease.Release()
	fmt.Println(handshake.FormatExtensions([]handshake.Extension{response}))
	fmt.Println(site.Used()>>10, "KiB put by")

	pool := new(deflate.Pool)
	send, receive := agreed.Params.Server(), agreed.Params.Client()
	c := deflate.NewCompressor(deflate.CompressorConfig{Bits: send.Bits, Takeover: send.Takeover, Pool: pool})
	payload, compressed := c.Append(nil, []byte(strings.Repeat("Hello, ", 100)))
	fmt.Println(len(payload), compressed)

	d := deflate.NewDecompressor(receive.Bits, receive.Takeover, pool)
	message, err := d.Append(nil, []byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), 1<<20)
	if err == nil {
		message, err = d.Finish(message, 1<<20)
	}
	fmt.Printf("%s %v\n", message, err)
	// Output:
	// permessage-deflate; client_max_window_bits=12
	// 77 KiB put by
	// 15 true
	// Hello <nil>
}
