package reverseproxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"time"
)

// healthBody is how much of an answer is searched for responseMatch.
const healthBody = 1 << 20

// parseHealthURL reads the URL that a health check asks for. Its host is the name of the farm, or what the servers want to
// see in the Host field.
func parseHealthURL(written string) (*url.URL, error) {
	u, err := url.Parse(written)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL for a health check: write one such as http://www.example.com/health", written)
	}
	return u, nil
}

// watch asks every server for the URL of the health check, time and again, until ctx ends.
func (f *farm) watch(ctx context.Context) {
	h := &f.Routing.Health
	u, err := parseHealthURL(h.URL)
	if h.URL == "" || err != nil {
		for _, s := range f.servers {
			s.state.sick.Store(false) // an earlier configuration may have looked
		}
		return
	}
	statuses, _ := parseStatuses(h.Statuses) // checked where
	match, _ := regexp.Compile(h.Match)      // the section is
	client := &http.Client{Timeout: h.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	transport := func(s *server) *http.Transport {
		return &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{ServerName: s.hostname(), RootCAs: f.lines.roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{Timeout: h.Timeout}).DialContext(ctx, "tcp", s.line(u.Scheme))
			},
		}
	}
	f.watchers.Go(func() {
		tick := time.NewTicker(h.Interval)
		defer tick.Stop()
		for {
			var round sync.WaitGroup
			for _, s := range f.servers {
				round.Go(func() {
					own := *client
					own.Transport = transport(s)
					f.note(ctx, s, check(ctx, &own, u, statuses, match))
				})
			}
			round.Wait()
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// check asks once.
func check(ctx context.Context, c *http.Client, u *url.URL, statuses []statusRange, match *regexp.Regexp) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("User-Agent", "rolemgr health check")
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if !slices.ContainsFunc(statuses, func(s statusRange) bool { return s.from <= resp.StatusCode && resp.StatusCode <= s.to }) {
		return fmt.Errorf("it answers with the status %d", resp.StatusCode)
	}
	if match.String() == "" {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, healthBody))
	if err != nil {
		return err
	}
	if !match.Match(body) {
		return fmt.Errorf("its answer does not hold what responseMatch says")
	}
	return nil
}

// note keeps what a check has found, and tells when it is news.
func (f *farm) note(ctx context.Context, s *server, err error) {
	if ctx.Err() != nil {
		return
	}
	if was := s.state.sick.Swap(err != nil); was == (err != nil) {
		return
	}
	if err != nil {
		f.log.Warn("a server of the farm does not pass its health check and gets no requests", "server", s.Address, "error", err)
		return
	}
	s.state.downUntil.Store(0)
	f.log.Info("a server of the farm passes its health check again", "server", s.Address)
}
