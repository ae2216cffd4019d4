package target

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

const (
	// probeTimeout bounds one probe as a whole.
	probeTimeout = 10 * time.Second
	// probeBody is how much of an answer's body is looked at, in bytes.
	probeBody = 1 << 20
	// echoSize is the size of the message that is to come back, in bytes.
	echoSize = 32
)

// SwitchedOffError is a WebSocket probe that failed because the configuration switches WebSocket off where the probe
// looks: at the level of the server.
type SwitchedOffError struct {
	Unit  features.ID
	Where string // "file:line:column" of the <webSocket> element
	Err   error  // what the probe saw
}

// Error names the place.
func (e *SwitchedOffError) Error() string {
	return fmt.Sprintf("WebSocket is switched off for the whole server at %s: %v", e.Where, e.Err)
}

// Unwrap returns what the probe saw.
func (e *SwitchedOffError) Unwrap() error { return e.Err }

// prober performs probes on an open probe site.
type prober struct {
	addr    string   // host:port
	modules []string // loaded by the generation that serves it
	now     func() time.Time
}

// probe looks at a unit. detail is what was seen, for people.
func (p prober) probe(ctx context.Context, u features.Unit, what features.Probe) (detail string, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	switch what.Kind {
	case features.ProbeNone:
		return "", nil
	case features.ProbeModule:
		return p.module(u)
	case features.ProbeHTTP:
		return p.http(ctx, what)
	case features.ProbeWebSocket:
		return p.webSocket(ctx, what)
	}
	return "", fmt.Errorf("unknown kind of probe %q", what.Kind)
}

// module sees whether every module of the unit is loaded.
func (p prober) module(u features.Unit) (string, error) {
	var names, missing []string
	for _, m := range u.Modules {
		names = append(names, m.Name)
		if !slices.Contains(p.modules, m.Name) {
			missing = append(missing, m.Name)
		}
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("the host has not loaded %s", strings.Join(missing, ", "))
	}
	return "loaded: " + strings.Join(names, ", "), nil
}

// http sees whether a GET is answered as told.
func (p prober) http(ctx context.Context, what features.Probe) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.addr+what.Path, nil)
	if err != nil {
		return "", err
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	begin := p.now()
	resp, err := transport.RoundTrip(req) // not a Client: a redirect is an answer, not an order
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", what.Path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, probeBody))
	if err != nil {
		return "", fmt.Errorf("GET %s: read the answer: %w", what.Path, err)
	}
	if err := checkAnswer(resp, body, what); err != nil {
		return "", fmt.Errorf("GET %s: %w", what.Path, err)
	}
	return fmt.Sprintf("GET %s: %d, %d bytes in %s", what.Path, resp.StatusCode, len(body), inMillis(p.now().Sub(begin))), nil
}

// checkAnswer compares an answer with what the probe expects of it.
func checkAnswer(resp *http.Response, body []byte, what features.Probe) error {
	if what.Status != 0 && resp.StatusCode != what.Status {
		return fmt.Errorf("answered with %d instead of %d", resp.StatusCode, what.Status)
	}
	if what.Header != "" {
		name, value, _ := strings.Cut(what.Header, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !slices.Contains(resp.Header.Values(name), value) {
			return fmt.Errorf("the answer has %q in %s instead of %q", resp.Header.Get(name), name, value)
		}
	}
	if what.Contains != "" && !bytes.Contains(body, []byte(what.Contains)) {
		return fmt.Errorf("the answer does not contain %q", what.Contains)
	}
	return nil
}

// webSocket performs an opening handshake, sends a random message, expects it back, and closes properly
// (RFC 6455, sections 4, 5 and 7).
func (p prober) webSocket(ctx context.Context, what features.Probe) (string, error) {
	path := what.Path
	if path == "" {
		path = "/echo"
	}
	c, resp, err := ws.Dial(ctx, "ws://"+p.addr+path, &ws.DialOptions{})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return "", fmt.Errorf("the opening handshake at %s was answered with %d instead of 101", path, resp.StatusCode)
		}
		return "", fmt.Errorf("opening handshake at %s: %w", path, err)
	}
	message := make([]byte, echoSize)
	if _, err := rand.Read(message); err != nil {
		return "", err
	}
	begin := p.now()
	if err := echo(ctx, c, message); err != nil {
		_ = c.Close(closeGoingAway, "probe failed") // the probe has failed already
		return "", fmt.Errorf("echo at %s: %w", path, err)
	}
	took := p.now().Sub(begin)
	if err := c.Close(closeNormal, ""); err != nil && !isClose(err) {
		return "", fmt.Errorf("closing handshake at %s: %w", path, err)
	}
	return fmt.Sprintf("echo of %d bytes in %s", len(message), inMillis(took)), nil
}

// The close codes that a probe sends (RFC 6455, section 7.4.1).
const (
	closeNormal    frame.CloseCode = 1000
	closeGoingAway frame.CloseCode = 1001
)

func echo(ctx context.Context, c *ws.Conn, message []byte) error {
	if err := c.Write(ctx, frame.Binary, message); err != nil {
		return err
	}
	op, got, err := c.Read(ctx)
	if err != nil {
		return err
	}
	if op != frame.Binary || !bytes.Equal(got, message) {
		return errors.New("another message came back than was sent")
	}
	return nil
}

// isClose reports whether an error is a finished closing handshake, or a line that the peer cut right after it.
func isClose(err error) bool {
	var ce *ws.CloseError
	return errors.As(err, &ce) || errors.Is(err, net.ErrClosed)
}

// inMillis writes a duration as people read it: "0.4 ms", or "31 µs" where that would be nothing.
func inMillis(d time.Duration) string {
	if d < 100*time.Microsecond {
		return fmt.Sprintf("%d µs", d.Microseconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
