//go:build unix

package ws_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// attackEnv is set for a process of attackers.
const attackEnv = "WS_ATTACK"

// order is what attackers are to do, a line of JSON each.
type order struct {
	Addr   string
	TLS    bool
	Attack string // one of attacks; "" for nothing but opening the connections, which stay open
	Conns  int
}

// outcome is what one attacker has seen.
type outcome struct {
	Code  uint16 // of the close frame; 0 for none
	Err   string // why none came
	Sent  int    // bytes
	Pongs int
}

// attackers is a process that attacks when it is told to.
type attackers struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

// recruit starts a process of attackers: this test binary, with nothing but TestAttackPeer.
func recruit(t testing.TB) *attackers {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestAttackPeer$", "-test.timeout=120s")
	cmd.Env = append(os.Environ(), attackEnv+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a := &attackers{cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // ends a stopped process, too
		_ = cmd.Wait()
	})
	if _, err := a.hear(); err != nil {
		t.Fatal(err)
	}
	return a
}

// hear returns what the attackers tell next.
func (a *attackers) hear() (all []outcome, err error) {
	for a.lines.Scan() {
		if text, ok := strings.CutPrefix(a.lines.Text(), attackSays); ok {
			return all, json.Unmarshal([]byte(text), &all)
		}
	}
	return nil, fmt.Errorf("the process of attackers has ended: %v", a.lines.Err())
}

// obey has an order carried out and returns what each attacker has seen.
func (a *attackers) obey(o order) ([]outcome, error) {
	text, err := json.Marshal(o)
	if err == nil {
		_, err = a.stdin.Write(append(text, '\n'))
	}
	if err != nil {
		return nil, fmt.Errorf("attackers: %w", err)
	}
	return a.hear()
}

// attackSays is in front of what the process of attackers tells.
const attackSays = "attack: "

// TestAttackPeer is no test but what a process of attackers does.
func TestAttackPeer(t *testing.T) {
	if os.Getenv(attackEnv) == "" {
		return
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, 5) // what it is for is told in attack_test.go
	ready := map[string]func(func([]byte) bool){}
	for name, prepare := range attacks {
		ready[name] = prepare()
	}
	fmt.Println(attackSays + "[]")
	var kept []net.Conn
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var o order
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		outcomes := make([]outcome, o.Conns)
		for i := range outcomes {
			wg.Go(func() {
				if o.Attack != "" {
					outcomes[i] = attackOnce(o, ready[o.Attack])
					return
				}
				conn, _, err := attackDial(o)
				if err != nil {
					outcomes[i].Err = err.Error()
				}
				mu.Lock()
				kept = append(kept, conn)
				mu.Unlock()
			})
		}
		wg.Wait()
		b, _ := json.Marshal(outcomes)
		fmt.Printf("%s%s\n", attackSays, b)
	}
	for _, conn := range kept {
		_ = conn.Close()
	}
}

// attackDial opens a connection, with permessage-deflate if the server likes it.
func attackDial(o order) (net.Conn, *bufio.Reader, error) {
	conn, err := net.Dial("tcp", o.Addr)
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(40 * time.Second))
	if o.TLS {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // the attacker does not care
	}
	req := "GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
	if _, err := io.WriteString(conn, req); err != nil {
		return nil, nil, err
	}
	br := bufio.NewReader(conn)
	resp, err := http.ReadResponse(br, nil)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("status %s", resp.Status)
	}
	return conn, br, err
}

// attackOnce attacks with one connection, and reads meanwhile what the server says to it.
func attackOnce(o order, attack func(write func([]byte) bool)) (out outcome) {
	conn, br, err := attackDial(o)
	if err != nil {
		return outcome{Err: err.Error()}
	}
	defer conn.Close()
	seen := make(chan outcome, 1)
	go func() { seen <- listen(br) }()
	sent := 0
	attack(func(b []byte) bool {
		n, err := conn.Write(b)
		sent += n
		return err == nil
	})
	out = <-seen
	out.Sent = sent
	return out
}

// listen reads frames up to a close frame.
func listen(br *bufio.Reader) (out outcome) {
	r := raw{br: br}
	for {
		first, p, err := r.recv()
		switch {
		case err != nil:
			out.Err = err.Error()
			return out
		case first == 0x8a:
			out.Pongs++
		case first == 0x88 && len(p) >= 2:
			out.Code = binary.BigEndian.Uint16(p)
			return out
		}
	}
}

// attacks are what can be ordered. Each is prepared once and then performed by every attacker: it writes until it is
// through or the line takes no more.
var attacks = map[string]func() func(write func([]byte) bool){
	// 32 KB on the wire, 32 MiB inflated.
	"bomb": func() func(func([]byte) bool) {
		b := masked(0xc2, string(bomb(32)))
		return func(write func([]byte) bool) { write(b) }
	},
	// The same in fragments of 100 bytes.
	"bomb in fragments": func() func(func([]byte) bool) {
		var b []byte
		text, first := string(bomb(32)), byte(0x42)
		for len(text) > 0 {
			n := min(100, len(text))
			b = append(b, masked(first, text[:n])...)
			text, first = text[n:], 0
		}
		return func(write func([]byte) bool) { write(b) }
	},
	"empty fragments": func() func(func([]byte) bool) { return repeat(masked(0x01, ""), masked(0x00, ""), scaled(5_000_000)) },
	"fragments of 1":  func() func(func([]byte) bool) { return repeat(masked(0x01, "x"), masked(0x00, "x"), 100_000) },
	"fragments of 65": func() func(func([]byte) bool) {
		return repeat(masked(0x01, ""), masked(0x00, strings.Repeat("x", 65)), 100_000)
	},
	"pings": func() func(func([]byte) bool) { return repeat(nil, masked(0x89, ""), scaled(1_000_000)) },
	"pongs": func() func(func([]byte) bool) { return repeat(nil, masked(0x8a, ""), scaled(1_000_000)) },
	"pings in a message": func() func(func([]byte) bool) {
		return repeat(masked(0x01, "x"), masked(0x89, strings.Repeat("p", 125)), scaled(1_000_000))
	},
	"2^63":             func() func(func([]byte) bool) { return declare(1 << 63) },
	"2^63-1":           func() func(func([]byte) bool) { return declare(1<<63 - 1) },
	"4 MiB and a byte": func() func(func([]byte) bool) { return declare(4<<20 + 1) },
}

// scaled makes a count small enough for the race detector.
func scaled(n int) int {
	if underRace {
		return n / 10
	}
	return n
}

// bomb returns n MiB of zeros, compressed, as a message's payload (RFC 7692, section 7.2.1): the second MiB, which
// refers to the first one, may be repeated.
func bomb(n int) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // fails for impossible levels only
	zeros := make([]byte, 1<<20)
	_, _ = w.Write(zeros)
	_ = w.Flush()
	first := b.Len()
	_, _ = w.Write(zeros)
	_ = w.Flush()
	second := bytes.Clone(b.Bytes()[first:])
	return bytes.TrimSuffix(append(b.Bytes(), bytes.Repeat(second, n-2)...), []byte{0, 0, 0xff, 0xff})
}

// repeat writes first and then frame n times.
func repeat(first, frame []byte, n int) func(func([]byte) bool) {
	const most = 64 << 10
	batch := bytes.Repeat(frame, most/len(frame))
	return func(write func([]byte) bool) {
		ok := len(first) == 0 || write(first)
		for left := n * len(frame); ok && left > 0; left -= len(batch) {
			ok = write(batch[:min(left, len(batch))])
		}
	}
}

// declare announces a frame of n bytes and sends a little of it.
func declare(n uint64) func(func([]byte) bool) {
	b := binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, n)
	b = append(b, make([]byte, 4+1000)...) // key and payload
	return func(write func([]byte) bool) { write(b) }
}
