package wshost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"
)

// Admin is a client of a running host's admin socket. Methods may be called concurrently; each makes a connection of
// its own.
type Admin struct {
	home string
	http *http.Client
}

// NewAdmin returns a client for the host of that home. It does not connect.
func NewAdmin(home string) *Admin {
	if abs, err := filepath.Abs(home); err == nil {
		home = abs
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialAdmin(ctx, home) }
	return &Admin{home, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status asks the host what it is doing; ErrNotRunning when none runs.
func (a *Admin) Status(ctx context.Context) (Status, error) {
	var out Status
	return out, a.call(ctx, http.MethodGet, "status", nil, &out)
}

// Reload asks for Server.Reload. An error of the configuration is a *config.Error.
func (a *Admin) Reload(ctx context.Context) (ReloadReport, error) {
	var out ReloadReport
	return out, a.call(ctx, http.MethodPost, "reload", nil, &out)
}

// Stop asks the host to stop within the given time and returns when it has let go of its home.
func (a *Admin) Stop(ctx context.Context, within time.Duration) error {
	resp, err := a.send(ctx, http.MethodPost, "stop", wireStop{WithinMS: within.Milliseconds()})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// The answer goes on until the home is free. A host that dies has let go of it, too.
	if _, err := io.Copy(io.Discard, resp.Body); err != nil && ctx.Err() != nil {
		return fmt.Errorf("wait for the host to stop: %w", ctx.Err())
	}
	return nil
}

// OpenProbe asks for Server.OpenProbe; the host closes it by itself after 30 s.
func (a *Admin) OpenProbe(ctx context.Context) (addr string, err error) {
	var out wireProbe
	err = a.call(ctx, http.MethodPost, "probe", nil, &out)
	return out.Addr, err
}

// CloseProbe closes a probe that OpenProbe opened, by its address. One that is closed already is no error.
func (a *Admin) CloseProbe(ctx context.Context, addr string) error {
	return a.call(ctx, http.MethodPost, "probe/close", wireProbe{addr}, &struct{}{})
}

// Connections lists the upgraded connections, by id.
func (a *Admin) Connections(ctx context.Context) ([]Connection, error) {
	var out []Connection
	return out, a.call(ctx, http.MethodGet, "connections", nil, &out)
}

// CloseConnections asks for Server.CloseConnections.
func (a *Admin) CloseConnections(ctx context.Context, features []string, code uint16, reason string) (int, error) {
	var out wireClosed
	err := a.call(ctx, http.MethodPost, "connections/close", wireClose{Features: features, Code: code, Reason: reason}, &out)
	return out.Closed, err
}

// CloseSiteConnections asks for Server.CloseSiteConnections.
func (a *Admin) CloseSiteConnections(ctx context.Context, sites []uint32, code uint16, reason string) (int, error) {
	var out wireClosed
	err := a.call(ctx, http.MethodPost, "connections/close", wireClose{Sites: sites, Code: code, Reason: reason}, &out)
	return out.Closed, err
}

// call makes one call and reads its answer into out.
func (a *Admin) call(ctx context.Context, method, name string, in, out any) error {
	resp, err := a.send(ctx, method, name, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAdminResponse)).Decode(out); err != nil {
		return fmt.Errorf("read the host's answer to %s: %w", name, err)
	}
	return nil
}

// send makes one call. A refusal is returned as the host's own error.
func (a *Admin) send(ctx context.Context, method, name string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("write the request for %s: %w", name, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://wshost/v1/"+name, body)
	if err != nil {
		return nil, fmt.Errorf("ask the host for %s: %w", name, err)
	}
	resp, err := a.http.Do(req)
	if errors.Is(err, ErrNotRunning) {
		return nil, fmt.Errorf("%w: %q", ErrNotRunning, a.home)
	}
	if err != nil {
		return nil, fmt.Errorf("ask the host for %s: %w", name, withoutURL(err))
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var refusal wireError
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAdminRequest)).Decode(&refusal); err != nil || refusal.Message == "" {
		return nil, fmt.Errorf("ask the host for %s: unexpected answer %s", name, resp.Status)
	}
	return nil, refusal.err()
}

// withoutURL leaves the made-up URL of the admin socket out of an error.
func withoutURL(err error) error {
	if ue := (*url.Error)(nil); errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
