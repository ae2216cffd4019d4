//go:build !linux

package poller

import (
	"net"
	"time"
)

// Supported tells whether there is a poller on this system.
const Supported = false

// What a descriptor can be watched for.
const (
	Read  Interest = 1
	Write Interest = 2
	Edge  Interest = 4
)

// MaxVector is how many slices WriteVector takes at most.
const MaxVector = 64

// Poller does not exist on this system.
type Poller struct{}

// Open returns ErrUnsupported.
func Open() (*Poller, error) { return nil, ErrUnsupported }

// Close does nothing.
func (p *Poller) Close() error { return nil }

// Add returns ErrUnsupported.
func (p *Poller) Add(int32, Interest) error { return ErrUnsupported }

// Modify returns ErrUnsupported.
func (p *Poller) Modify(int32, Interest) error { return ErrUnsupported }

// Remove returns ErrUnsupported.
func (p *Poller) Remove(int32) error { return ErrUnsupported }

// Wake does nothing.
func (p *Poller) Wake() {}

// Wait returns ErrUnsupported.
func (p *Poller) Wait([]Event, time.Duration) (int, error) { return 0, ErrUnsupported }

// ReadNow returns ErrUnsupported.
func ReadNow(int32, []byte) (int, bool, error) { return 0, false, ErrUnsupported }

// WriteNow returns ErrUnsupported.
func WriteNow(int32, []byte) (int, bool, error) { return 0, false, ErrUnsupported }

// WriteLast returns ErrUnsupported.
func WriteLast(int32, []byte) (int, bool, error) { return 0, false, ErrUnsupported }

// WriteVector returns ErrUnsupported.
func WriteVector(int32, [][]byte) (int, bool, error) { return 0, false, ErrUnsupported }

// Borrow lends nothing.
func Borrow(net.Conn) (int32, *net.TCPConn, bool) { return -1, nil, false }

// Duplicate returns ErrUnsupported.
func Duplicate(int32) (int32, error) { return -1, ErrUnsupported }

// Give returns ErrUnsupported.
func Give(int32) (net.Conn, error) { return nil, ErrUnsupported }

// Close does nothing.
func Close(int32) {}

// CloseWrite returns ErrUnsupported.
func CloseWrite(int32) error { return ErrUnsupported }

// RemoteAddr returns nil.
func RemoteAddr(int32) net.Addr { return nil }
