package wshost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// adminServer serves the admin socket.
type adminServer struct {
	host    *Server
	dir     *runFolder
	http    *http.Server
	line    *net.UnixListener
	gone    chan struct{} // closed when the host has let go of its home
	serving sync.WaitGroup
}

// startAdmin opens the admin socket of a host that has its home's lock. Nothing is answered before serve.
func startAdmin(s *Server) (*adminServer, error) {
	dir, err := openRunFolder(s.home)
	if err != nil {
		return nil, fmt.Errorf("open the run folder: %w", err)
	}
	ln, err := dir.listen()
	if err != nil {
		dir.close()
		return nil, err
	}
	a := &adminServer{host: s, dir: dir, line: ln, gone: make(chan struct{})}
	a.http = &http.Server{
		Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	return a, nil
}

// serve begins to answer. Who connected since the socket is there has waited: a status from before the bindings are
// open would not be true.
func (a *adminServer) serve() {
	a.serving.Go(func() {
		// Anything else than the end of the server is visible to clients as a host that does not run.
		if err := a.http.Serve(&peerListener{a.line, administrators(uint32(os.Geteuid()))}); !errors.Is(err, http.ErrServerClosed) {
			a.host.log.Error("the admin socket stopped accepting", "error", err)
		}
	})
}

// close removes the socket, releases the home through release, tells the clients that wait for it, and ends.
func (a *adminServer) close(release func()) {
	a.dir.remove()
	a.dir.close()
	release()
	close(a.gone)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := a.http.Shutdown(ctx); err != nil {
		_ = a.http.Close()
	}
	_ = a.line.Close() // when it was never served
	a.serving.Wait()
}

func (a *adminServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) { answer(w, a.host.Status(), nil) })
	mux.HandleFunc("POST /v1/reload", func(w http.ResponseWriter, r *http.Request) {
		report, err := a.host.Reload(r.Context())
		answer(w, report, err)
	})
	mux.HandleFunc("POST /v1/stop", a.stop)
	mux.HandleFunc("POST /v1/probe", func(w http.ResponseWriter, r *http.Request) {
		addr, _, err := a.host.OpenProbe() // it closes by itself
		answer(w, wireProbe{addr}, err)
	})
	mux.HandleFunc("POST /v1/probe/close", func(w http.ResponseWriter, r *http.Request) {
		var in wireProbe
		if decode(w, r, &in) {
			a.host.probes.closeAt(in.Addr)
			answer(w, struct{}{}, nil)
		}
	})
	mux.HandleFunc("GET /v1/connections", func(w http.ResponseWriter, r *http.Request) { answer(w, a.host.Connections(), nil) })
	mux.HandleFunc("POST /v1/connections/close", a.closeConnections)
	return mux
}

// stop begins to stop the host and answers at once. The answer ends when the home is free: that is what the client
// waits for.
func (a *adminServer) stop(w http.ResponseWriter, r *http.Request) {
	var in wireStop
	if !decode(w, r, &in) {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(max(in.WithinMS, 0))*time.Millisecond)
		defer cancel()
		if err := a.host.Stop(ctx); err != nil {
			a.host.log.Warn("the host had to be cut", "error", err)
		}
	}()
	answer(w, struct{}{}, nil)
	_ = http.NewResponseController(w).Flush()
	select {
	case <-a.gone:
	case <-r.Context().Done():
	}
}

func (a *adminServer) closeConnections(w http.ResponseWriter, r *http.Request) {
	var in wireClose
	if !decode(w, r, &in) {
		return
	}
	if !closeCode(in.Code) || len(in.Reason) > 123 || !utf8.ValidString(in.Reason) {
		refuse(w, http.StatusBadRequest, errors.New("the close code or the reason cannot be sent (RFC 6455, sections 5.5 and 7.4)"))
		return
	}
	n := a.host.CloseConnections(in.Features, in.Code, in.Reason) + a.host.CloseSiteConnections(in.Sites, in.Code, in.Reason)
	answer(w, wireClosed{n}, nil)
}

// closeCode reports whether a code may be sent in a close frame (RFC 6455, section 7.4; the IANA registry).
func closeCode(c uint16) bool {
	return c >= 1000 && c <= 1003 || c >= 1007 && c <= 1014 || c >= 3000 && c <= 4999
}

// decode reads a JSON body of bounded size; no body leaves v as it is. On an error it has answered.
func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdminRequest))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case err == nil || errors.Is(err, io.EOF):
		return true
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, errors.New("the request is too large"))
	default:
		refuse(w, http.StatusBadRequest, fmt.Errorf("read the request: %w", err))
	}
	return false
}

// answer sends v, or err in its place.
func answer(w http.ResponseWriter, v any, err error) {
	switch ce := (*config.Error)(nil); {
	case err == nil:
		send(w, http.StatusOK, v)
	case errors.As(err, &ce):
		refuse(w, http.StatusUnprocessableEntity, err)
	case errors.Is(err, errStopping):
		refuse(w, http.StatusServiceUnavailable, err)
	default:
		refuse(w, http.StatusInternalServerError, err)
	}
}

func refuse(w http.ResponseWriter, status int, err error) {
	out := wireError{Message: err.Error()}
	if ce := (*config.Error)(nil); errors.As(err, &ce) {
		out.Config = toWire(ce)
	}
	send(w, status, out)
}

func send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone does not miss it
}
