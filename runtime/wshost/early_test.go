package wshost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestNobodyIsAnsweredBeforeTheBindingsAreOpen asks between the opening of the admin socket and its service: who asks
// then must wait, for the ports are not known yet.
func TestNobodyIsAnsweredBeforeTheBindingsAreOpen(t *testing.T) {
	h := newTestHost(t, hello("hello"))
	s, err := newServer(h.options())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.takeHome(); err != nil {
		t.Fatal(err)
	}
	defer s.letGo()
	if s.admin, err = startAdmin(s); err != nil {
		t.Fatal(err)
	}
	a := NewAdmin(h.home)
	early, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.Status(early); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before: %v, want no answer", err)
	}
	s.admin.serve()
	if _, err := a.Status(t.Context()); err != nil {
		t.Errorf("after: %v", err)
	}
}

func TestFirstWarningOfAPlaceIsNeverPassedOver(t *testing.T) {
	log := &syncBuffer{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	now := time.Unix(1000, 0)
	n := &notices{now: func() time.Time { return now }}
	for range 100 {
		n.warnOf("a.config:1", logger, "x")
	}
	if got := strings.Count(log.String(), "\n"); got != 1+noticeBurst {
		t.Errorf("%d lines of 100 about one place, want %d", got, 1+noticeBurst)
	}
	before := strings.Count(log.String(), "\n")
	for i := range 2 * maxPlaces {
		n.warnOf(fmt.Sprint("b.config:", i), logger, "x")
	}
	if got := strings.Count(log.String(), "\n") - before; got != 2*maxPlaces || len(n.places) > maxPlaces {
		t.Errorf("%d lines about %d places, %d remembered", got, 2*maxPlaces, len(n.places))
	}
}
