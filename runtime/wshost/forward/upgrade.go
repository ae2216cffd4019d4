package forward

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/tunnel"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// handshakeTime is how long an application may take to answer an opening handshake when Options.Timeout sets no limit.
const handshakeTime = 2 * time.Minute

// refusalBody is how much of the body of an application's refusal is passed on.
const refusalBody = 1 << 20

// upgrade passes an opening handshake on, as a relay or as a tunnel. It is judged first: an application never sees one
// that is not correct.
func (f *Forwarder) upgrade(w http.ResponseWriter, r *http.Request, q *module.Request) {
	if refusal := judge(r); refusal != nil {
		e := &module.HTTPError{Status: refusal.Status, Module: f.o.Module, Summary: refusal.Reason, Header: refusal.Header}
		if e.Status == http.StatusBadRequest {
			e.SubStatus = 11 // "invalid WebSocket request" of IIS
		}
		q.Fail(w, r, e)
		return
	}
	out := f.opening(r)
	if q.Sockets.Relay == nil {
		f.tunnel(w, r, q, out)
		return
	}
	header := out.Header.Clone()
	stripUpgrade(header)
	q.Sockets.Relay(w, r, &module.SocketApp{
		Name: f.o.Name, URL: out.URL, Host: out.Host, Header: header, Dial: f.dial, Refused: f.refused, Failed: f.failed, Opened: f.o.Opened,
	})
}

// judge checks an opening handshake. Its origin is for the relay or the application to judge.
func judge(r *http.Request) *handshake.Error {
	var err error
	if handshake.WantedConnect(r) {
		_, err = handshake.CheckConnect(r, handshake.Options{Origins: []string{"*"}})
	} else {
		_, err = handshake.Check(r, handshake.Options{Origins: []string{"*"}})
	}
	var refusal *handshake.Error
	errors.As(err, &refusal)
	return refusal
}

// opening returns the opening handshake as the application gets it: over HTTP/1.1, whatever the client speaks.
func (f *Forwarder) opening(r *http.Request) *http.Request {
	out := (&http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: r.Header.Clone(), Host: f.o.Host,
		URL: &url.URL{Scheme: f.base.Scheme, Host: f.base.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
	}).WithContext(r.Context())
	if out.Host == "" {
		out.Host = r.Host
	}
	RemoveHop(out.Header)
	out.Header.Del(":protocol") // where net/http puts the pseudo-header field of RFC 8441
	out.Header.Set("Connection", "Upgrade")
	out.Header.Set("Upgrade", "websocket")
	if r.ProtoMajor == 2 {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		out.Header.Set("Sec-Websocket-Key", handshake.NewKey(random))
		out.Header.Set("Sec-Websocket-Version", handshake.Version)
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header.Set("User-Agent", "") // or net/http writes its own
	}
	Forwarded(out.Header, r)
	if f.o.Prepare != nil {
		f.o.Prepare(out, r)
	}
	return out
}

// tunnel has the application answer the handshake itself and passes the bytes on from then on.
func (f *Forwarder) tunnel(w http.ResponseWriter, r *http.Request, q *module.Request, out *http.Request) {
	limit := f.o.Timeout
	if limit <= 0 {
		limit = handshakeTime
	}
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	line, err := f.dial(ctx)
	if err != nil {
		f.failed(w, r, err)
		return
	}
	stop := context.AfterFunc(ctx, func() { _ = line.SetDeadline(time.Unix(1, 0)) })
	resp, br, err := exchange(line, out)
	if err == nil {
		err = f.checked(resp, out)
	}
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	switch {
	case err != nil:
		_ = line.Close()
		f.failed(w, r, err)
	case resp.StatusCode != http.StatusSwitchingProtocols:
		left := context.AfterFunc(r.Context(), func() { _ = line.Close() })
		defer func() { left(); _ = line.Close() }()
		f.refused(w, r, resp)
	default:
		_ = line.SetDeadline(time.Time{})
		early, _ := br.Peek(br.Buffered())
		f.join(w, r, q, resp, line, early)
	}
}

// exchange sends the handshake and reads the header of the answer.
func exchange(line net.Conn, out *http.Request) (*http.Response, *bufio.Reader, error) {
	if err := out.Write(line); err != nil {
		return nil, nil, err
	}
	header := &headerLimit{r: line, left: maxResponseHeader}
	br := bufio.NewReaderSize(header, 4<<10)
	for {
		resp, err := http.ReadResponse(br, out)
		if err != nil {
			return nil, nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			header.left = math.MaxInt // what follows is no header
			return resp, br, nil
		}
	}
}

// headerLimit ends a header that is too long.
type headerLimit struct {
	r    io.Reader
	left int
}

// Read reads until the limit is reached.
func (l *headerLimit) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("the header of the answer is longer than %d bytes", maxResponseHeader)
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// checked judges a 101: a server that did not understand the handshake must not become the end of a tunnel (RFC 6455,
// section 4.1).
func (f *Forwarder) checked(resp *http.Response, out *http.Request) error {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		upgrade := resp.Header.Get("Upgrade")
		want := handshake.AcceptKey(out.Header.Get("Sec-Websocket-Key"))
		switch {
		case !strings.EqualFold(upgrade, "websocket"):
			return fmt.Errorf("it answered 101 and switched to %q instead of websocket", upgrade)
		case resp.Header.Get("Sec-Websocket-Accept") != want:
			return errors.New("it answered 101 with a Sec-WebSocket-Accept that does not belong to the key")
		}
	}
	if f.o.Answered != nil {
		return f.o.Answered(resp)
	}
	return nil
}

// refused passes on what an application answers instead of 101.
func (f *Forwarder) refused(w http.ResponseWriter, _ *http.Request, resp *http.Response) {
	RemoveHop(resp.Header)
	h := w.Header()
	for name, values := range resp.Header {
		h[name] = append(h[name], values...)
	}
	h.Del("Content-Length") // the body may be cut
	w.WriteHeader(resp.StatusCode)
	n, err := io.Copy(w, io.LimitReader(resp.Body, refusalBody+1))
	_ = resp.Body.Close()
	if err != nil || n > refusalBody {
		panic(http.ErrAbortHandler) // the client must see that something is missing
	}
}

// join answers the client with the application's 101 and joins both lines.
func (f *Forwarder) join(w http.ResponseWriter, r *http.Request, q *module.Request, resp *http.Response, line net.Conn, early []byte) {
	RemoveHop(resp.Header)
	if r.ProtoMajor == 2 {
		f.joinStream(w, r, q, resp, line, early)
		return
	}
	client, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = line.Close()
		q.Fail(w, r, &module.HTTPError{Status: http.StatusInternalServerError, Module: f.o.Module, Summary: "the connection cannot be handed over: " + err.Error()})
		return
	}
	var unread []byte
	if n := rw.Reader.Buffered(); n > 0 {
		unread, _ = rw.Reader.Peek(n)
	}
	_ = client.SetDeadline(time.Time{})
	head := append([]byte(nil), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"...)
	for name, values := range resp.Header {
		for _, v := range values {
			head = append(head, name+": "+v+"\r\n"...)
		}
	}
	head = append(head, "\r\n"...)
	f.carry(r, q, client, line, append(head, early...), unread, int64(len(head)))
}

// carried is a tunnel in the host's registry. Nothing is known of messages in it.
type carried struct {
	tunnel *tunnel.Tunnel
	ready  chan struct{} // closed when tunnel is set
	header int64         // bytes to the client that were no frames
}

var _ module.Conn = (*carried)(nil)

// Shutdown cuts both lines: the closing handshake belongs to those who speak the protocol.
func (c *carried) Shutdown(uint16, string) {
	<-c.ready
	c.tunnel.Cut()
}

// Counts returns how many bytes have passed. Messages are not counted.
func (c *carried) Counts() module.ConnCounts {
	<-c.ready
	n := c.tunnel.Counts()
	return module.ConnCounts{BytesIn: n.ToServer, BytesOut: n.ToClient - c.header}
}

// carry enters the connection in the host's registry and starts the tunnel.
func (f *Forwarder) carry(r *http.Request, q *module.Request, client, line net.Conn, toClient, toServer []byte, header int64) *tunnel.Tunnel {
	c := &carried{ready: make(chan struct{}), header: header}
	end := q.Detach()
	info := module.ConnInfo{
		Feature: "websocket", SiteID: q.SiteID, Site: q.SiteName, Path: module.AskedPath(r), Remote: r.RemoteAddr, Since: q.Start, Endpoint: "tunnel",
	}
	info.SetLine(r)
	remove := q.Connections.Add(info, c)
	closed := func() {}
	if f.o.Opened != nil {
		closed = f.o.Opened(c)
	}
	c.tunnel = f.o.Tunnels.Start(client, line, toClient, toServer, func(n tunnel.Counts) {
		q.Outcome.BytesRecv, q.Outcome.BytesSent = n.ToServer, n.ToClient-header
		remove()
		closed()
		end()
	})
	close(c.ready)
	return c.tunnel
}
