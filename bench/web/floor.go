package web

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// floorCommand makes this program the server "net-http"; main passes the rest of its command line to Floor.
const floorCommand = "floor"

// prepareFloor starts this program again.
func prepareFloor(s *stage) ([]string, error) {
	return []string{floorCommand, s.plain, strconv.Itoa(s.ports[0]), strconv.Itoa(s.ports[1])}, nil
}

// Floor serves a folder on two ports with package net/http and nothing else: every file is in memory, every field of the
// header is ready, no log is written, no rule is tried. What it costs is the least that a server on net/http can.
func Floor(args []string) error {
	if len(args) != 3 {
		return errors.New("floor needs a folder and two ports")
	}
	files := map[string][]byte{}
	for _, s := range Scenarios() {
		name := s.Path
		if s.Gzip {
			name = "/ready/text.txt.gz"
		}
		b, err := os.ReadFile(filepath.Join(args[0], name))
		if err != nil {
			return fmt.Errorf("reading what is to be served: %w", err)
		}
		files[s.Path] = b
	}
	modified, tag := []string{time.Now().UTC().Format(http.TimeFormat)}, []string{`"1"`}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := files[strings.TrimPrefix(r.URL.Path, "/files")]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		h := w.Header()
		h["Etag"], h["Last-Modified"], h["Accept-Ranges"] = tag, modified, []string{"bytes"}
		if len(r.Header["If-None-Match"]) > 0 {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if len(r.Header["Accept-Encoding"]) > 0 {
			h["Content-Encoding"], h["Vary"] = []string{"gzip"}, []string{"Accept-Encoding"}
		}
		h["Content-Type"], h["Content-Length"] = []string{"application/octet-stream"}, []string{strconv.Itoa(len(b))}
		_, _ = w.Write(b) // a client that went away needs no answer
	})
	ended := make(chan error, 2)
	for _, port := range args[1:] {
		s := &http.Server{Addr: "127.0.0.1:" + port, Handler: handler, ReadHeaderTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
		go func() { ended <- s.ListenAndServe() }()
	}
	return <-ended
}
