package ws

import (
	"errors"
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// ErrDetached is returned by a Conn whose line has been taken over by Detach.
var ErrDetached = errors.New("websocket connection is detached")

// ErrClosing is returned by writes on a connection whose closing handshake has begun.
var ErrClosing = errors.New("websocket connection is closing")

// ErrCut is why a connection ended on which Cut was called.
var ErrCut = errors.New("websocket connection was cut")

// ErrText is returned by Write for a text message that is not UTF-8. Nothing was sent; the connection stays open.
var ErrText = errors.New("text message is not valid UTF-8")

// CloseError is a finished closing handshake.
type CloseError struct {
	Code   frame.CloseCode
	Reason string
	Sent   bool // true when this side sent its close frame first
}

// Error names the close code.
func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("websocket closed by handshake: %s", e.Code)
	}
	return fmt.Sprintf("websocket closed by handshake: %s: %q", e.Code, e.Reason)
}

// ProtocolError is a peer that broke the protocol or a limit. A close frame with Code has been sent before the line
// was cut.
type ProtocolError struct {
	Code frame.CloseCode // 1002, 1007, 1008 or 1009
	Err  error           // a *frame.Violation, or what limit was broken
}

// Error names the code and the breach.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("websocket failed with %s: %v", e.Code, e.Err)
}

// Unwrap returns the breach.
func (e *ProtocolError) Unwrap() error { return e.Err }

func failure(code frame.CloseCode, format string, args ...any) *ProtocolError {
	return &ProtocolError{Code: code, Err: fmt.Errorf(format, args...)}
}
