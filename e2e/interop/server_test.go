//go:build e2e

package interop

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// patience is how long a condition may take before a test gives up; it bounds failures, not successes.
const patience = 30 * time.Second

// session is a socket of the engine, whatever drives it.
type session interface {
	Subprotocol() string
	write(op frame.Opcode, p []byte) error
	// ping sends a ping; pinged is written once it was sent, and by pull once it was answered.
	ping() error
	ponged() bool
	close(code frame.CloseCode, reason string) error
}

// stand is the engine as a server, with the wire before it.
type stand struct {
	t     *testing.T
	way   way
	wire  *wire // nil over TLS
	addr  string
	cert  string         // file of the certificate over TLS
	lie   string         // the kind of message that a bit is flipped of, "" for none
	ended chan ending    // one for each socket
	live  sync.WaitGroup // the sockets that have not ended

	log lockedBuffer // of net/http
}

// ending is how the engine saw a socket end.
type ending struct {
	err        error
	counts     ws.Counts
	compressed bool // as the engine says; unknown by pull
}

// lockedBuffer collects output while tests look at it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newStand serves until the end of the test. It may be told to lie.
func newStand(t *testing.T, w way, compression *ws.Compression, lie ...string) *stand {
	t.Helper()
	s := &stand{t: t, way: w, lie: strings.Join(lie, ""), ended: make(chan ending, 16)}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	up := &ws.Upgrader{
		Compression: compression, Driver: w.driver(), Subprotocols: []string{dumb, mirror},
		Origins: []string{"http://127.0.0.1"}, // what libwebsockets says over TLS too
	}
	srv := &http.Server{ErrorLog: log.New(&s.log, "", 0), Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/page") {
			rw.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(rw, "<!doctype html><title>interop</title><link rel=icon href=data:>")
			return
		}
		s.serve(up, rw, r)
	})}
	t.Cleanup(s.wait) // the last thing
	done := make(chan error, 1)
	if w == overTLS {
		var key string
		s.cert, key = certificate(t)
		s.addr = l.Addr().String()
		go func() { done <- srv.ServeTLS(l, s.cert, key) }()
	} else {
		go func() { done <- srv.Serve(l) }()
		s.wire = tap(t, l.Addr().String())
		s.addr = s.wire.addr()
	}
	t.Cleanup(func() {
		_ = srv.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
		if t.Failed() && s.log.String() != "" {
			t.Logf("log of the server:\n%s", s.log.String())
		}
	})
	return s
}

// wait waits until no socket is left.
func (s *stand) wait() {
	none := make(chan struct{})
	go func() {
		s.live.Wait()
		close(none)
	}()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-none:
	case <-timeout.C:
		s.t.Errorf("sockets are still open %v after the test", patience)
	}
}

// end waits for the end of a socket.
func (s *stand) end() ending {
	s.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case e := <-s.ended:
		return e
	case <-timeout.C:
		s.t.Fatalf("no socket ended within %v", patience)
	}
	return ending{}
}

// url returns the URL of a path: a behaviour of the server.
func (s *stand) url(path string) string {
	if s.way == overTLS {
		return "wss://" + s.addr + path
	}
	return "ws://" + s.addr + path
}

// serve makes a socket of a request in the way under test.
func (s *stand) serve(up *ws.Upgrader, w http.ResponseWriter, r *http.Request) {
	talk := behaviour(r.URL.Path, s.lie)
	s.live.Add(1)
	if s.way != pull {
		if err := up.Serve(w, r, &events{s, talk}); err != nil {
			s.t.Errorf("serve: %v", err)
			s.live.Done()
		}
		return
	}
	defer s.live.Done()
	c, err := up.Upgrade(w, r)
	if err != nil {
		s.t.Errorf("upgrade: %v", err)
		return
	}
	socket := &pulled{c}
	if talk.open != nil {
		talk.open(socket)
	}
	for {
		op, p, err := c.Read(context.Background())
		if err == nil {
			if err = talk.message(socket, op, p); errors.Is(err, ws.ErrClosing) {
				continue
			}
		}
		if err != nil {
			c.Cut()
			s.ended <- ending{err: err, counts: c.Counts()}
			return
		}
	}
}

// talker is what a server says; open may be nil.
type talker struct {
	open    func(session)
	message func(s session, op frame.Opcode, p []byte) error
}

// behaviour returns what the server says at a path; with lie it flips a bit of one kind of message.
func behaviour(path, lie string) talker {
	talk := talker{message: answer}
	switch {
	case strings.HasPrefix(path, "/socket.io/"):
		talk = talker{message: socketIO, open: socketIOOpen}
	case strings.HasPrefix(path, "/lws"):
		talk.open = countUp
	}
	if lie != "" {
		honest := talk.message
		talk.message = func(s session, op frame.Opcode, p []byte) error { return honest(liar{s, lie}, op, p) }
	}
	return talk
}

// answer is the echo, with commands for what only a server can begin.
func answer(s session, op frame.Opcode, p []byte) error {
	if op != frame.Text || len(p) > 64 {
		return s.write(op, p)
	}
	switch command, rest, _ := strings.Cut(string(p), " "); command {
	case "ping":
		return s.ping()
	case "ponged?":
		return s.write(frame.Text, fmt.Append(nil, s.ponged()))
	case "close":
		var code frame.CloseCode
		if _, err := fmt.Sscanf(rest, "%d", &code); err != nil {
			return err
		}
		_, reason, _ := strings.Cut(rest, " ")
		return s.close(code, reason)
	}
	return s.write(op, p)
}

// pulled is a connection that is read by its owner.
type pulled struct{ *ws.Conn }

func (c *pulled) write(op frame.Opcode, p []byte) error { return c.Write(context.Background(), op, p) }
func (c *pulled) ponged() bool                          { return !c.LastPong().At.IsZero() }

func (c *pulled) close(code frame.CloseCode, reason string) error {
	c.Shutdown(uint16(code), reason)
	return nil
}

// ping waits in a goroutine of its own: the pong comes by Read.
func (c *pulled) ping() error {
	go func() {
		if _, err := c.Ping(context.Background()); err == nil {
			_ = c.write(frame.Text, []byte("pinged")) // that it is missing fails the test
		}
	}()
	return nil
}

// events makes a Handler of a talker.
type events struct {
	stand *stand
	talk  talker
}

// Opened is called first.
func (e *events) Opened(s *ws.Socket) {
	if e.talk.open != nil {
		e.talk.open(&driven{s})
	}
}

// Message answers.
func (e *events) Message(s *ws.Socket, op frame.Opcode, p []byte) {
	if err := e.talk.message(&driven{s}, op, p); err != nil && !errors.Is(err, ws.ErrClosing) {
		fmt.Fprintln(&e.stand.log, "write:", err)
		s.Cut() // which is not how a socket should end
	}
}

// Closed reports the end.
func (e *events) Closed(s *ws.Socket, err error) {
	// Only the poller has no address any more: it has nothing but the descriptor.
	if polled := s.RemoteAddr() == nil; polled != (e.stand.way == poller) {
		e.stand.t.Errorf("driven by the poller: %v", polled)
	}
	e.stand.ended <- ending{err, s.Counts(), s.Compressed()}
	e.stand.live.Done()
}

// driven is a socket that calls a handler.
type driven struct{ *ws.Socket }

func (s *driven) write(op frame.Opcode, p []byte) error           { return s.Write(op, p) }
func (s *driven) ponged() bool                                    { return !s.LastPong().At.IsZero() }
func (s *driven) close(code frame.CloseCode, reason string) error { return s.Close(code, reason) }

func (s *driven) ping() error {
	if err := s.Ping(); err != nil {
		return err
	}
	return s.Write(frame.Text, []byte("pinged"))
}

// certificate makes a certificate for 127.0.0.1 and returns the files of it and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "interop"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
