package ws

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// TestSlowPeersGetGreatMessages reads a message at the slowest speed that WriteTimeout allows, and a moment slower.
func TestSlowPeersGetGreatMessages(t *testing.T) {
	message := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // four pieces
	for _, wait := range []time.Duration{2*time.Second - 1, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			conn, line := pair(t, Limits{WriteTimeout: 2 * time.Second})
			wrote := make(chan error, 1)
			go func() { wrote <- conn.Write(context.Background(), frame.Binary, message) }()
			header := 10
			got := make([]byte, header+outBuffer)
			if _, err := io.ReadFull(line, got); err != nil {
				t.Fatal(err)
			}
			for len(got) < header+len(message) {
				time.Sleep(wait)
				synctest.Wait()
				piece := make([]byte, min(writePiece, header+len(message)-len(got)))
				if _, err := io.ReadFull(line, piece); err != nil {
					break
				}
				got = append(got, piece...)
			}
			err := <-wrote
			if alive := wait < 2*time.Second; alive != (err == nil) || alive != bytes.Equal(got[header:], message) {
				t.Errorf("read a piece every %v: %d bytes arrived, Write says %v", wait, len(got), err)
			}
			conn.Cut()
		})
	}
}

func TestWriteEndsWithItsContextBetweenPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, line := pair(t, Limits{WriteTimeout: time.Hour})
		ctx, cancel := context.WithCancel(context.Background())
		wrote := make(chan error, 1)
		go func() { wrote <- conn.Write(ctx, frame.Binary, make([]byte, 3*writePiece)) }()
		if _, err := io.ReadFull(line, make([]byte, 10+outBuffer+writePiece)); err != nil {
			t.Fatal(err)
		}
		cancel()
		synctest.Wait()
		if err := <-wrote; !errors.Is(err, context.Canceled) || conn.State() != Closed {
			t.Errorf("Write: %v, %v", err, conn.State())
		}
	})
}
