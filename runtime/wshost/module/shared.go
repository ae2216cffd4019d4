package module

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Shared keeps values that outlive generations, counted by their users: the first Acquire of a key makes the value,
// the last release closes it when it is an io.Closer. The zero value is ready; methods may be called concurrently.
type Shared struct {
	mu sync.Mutex
	m  map[string]*sharedValue
}

type sharedValue struct {
	once  sync.Once
	v     any
	err   error
	users int
}

// Acquire returns the value under key, calling make for it when nobody holds it yet. When make fails nothing is
// kept. The caller calls release once, when it no longer uses the value.
func (s *Shared) Acquire(key string, make func() (any, error)) (v any, release func(), err error) {
	s.mu.Lock()
	if s.m == nil {
		s.m = map[string]*sharedValue{}
	}
	e := s.m[key]
	if e == nil {
		e = &sharedValue{}
		s.m[key] = e
	}
	e.users++
	s.mu.Unlock()
	e.once.Do(func() { e.v, e.err = make() })
	if e.err != nil {
		s.release(key, e)
		return nil, nil, e.err
	}
	var once sync.Once
	return e.v, func() { once.Do(func() { s.release(key, e) }) }, nil
}

func (s *Shared) release(key string, e *sharedValue) {
	s.mu.Lock()
	e.users--
	last := e.users == 0
	if last && s.m[key] == e {
		delete(s.m, key)
	}
	s.mu.Unlock()
	if c, ok := e.v.(io.Closer); ok && last && e.err == nil {
		_ = c.Close() // nobody is left to be told
	}
}

// Conn is an upgraded connection as the host sees it.
type Conn interface {
	// Shutdown starts the closing handshake with code (RFC 6455, section 7.4) and reason, and cuts the connection
	// when the peer does not answer in time. It returns without waiting and may be called concurrently.
	Shutdown(code uint16, reason string)
	// Counts returns the bytes and messages received and sent so far. It may be called concurrently.
	Counts() ConnCounts
}

// ConnCounts is how much has passed over an upgraded connection.
type ConnCounts struct {
	BytesIn     int64 `json:"bytes_in"`
	BytesOut    int64 `json:"bytes_out"`
	MessagesIn  int64 `json:"messages_in"`
	MessagesOut int64 `json:"messages_out"`
}

// ConnInfo describes an upgraded connection in the host's registry.
type ConnInfo struct {
	ID       uint64    `json:"id"` // given by the registry
	Feature  string    `json:"feature"`
	SiteID   uint32    `json:"site_id"`
	Site     string    `json:"site"`
	Path     string    `json:"path"`
	Remote   string    `json:"remote"`
	Since    time.Time `json:"since"`
	Endpoint string    `json:"endpoint,omitempty"` // type of the endpoint that serves it: "echo"
	Protocol string    `json:"protocol,omitempty"` // that it was opened in: "HTTP/1.1", "HTTP/2"
	TLS      string    `json:"tls,omitempty"`      // version: "TLS 1.3"; "" for none
}

// SetLine tells what the connection of r is: the protocol and the version of TLS.
func (i *ConnInfo) SetLine(r *http.Request) {
	if i.Protocol = r.Proto; r.ProtoMajor == 2 {
		i.Protocol = "HTTP/2"
	}
	if r.TLS != nil {
		i.TLS = tls.VersionName(r.TLS.Version)
	}
}

// AskedPath returns the URL path that the client asked for, whatever it was rewritten to.
func AskedPath(r *http.Request) string {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil && u.Path != "" {
		return u.Path
	}
	return r.URL.Path
}

// ConnRegistry knows every upgraded connection of the host, across generations. Methods may be called concurrently.
type ConnRegistry interface {
	// Add enters a connection and returns the function that takes it out again, to be called exactly once.
	Add(ConnInfo, Conn) (remove func())
}
