package fcgi

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The types of records (FastCGI specification, section 8).
const (
	typeBegin           = 1
	typeEnd             = 3
	typeParams          = 4
	typeStdin           = 5
	typeStdout          = 6
	typeStderr          = 7
	typeGetValues       = 9
	typeGetValuesResult = 10
	typeUnknown         = 11
)

const (
	version       = 1
	headerLen     = 8
	maxContent    = 65535 // of a record: its length has two bytes
	roleResponder = 1
	requestID     = 1 // one request at a time on a connection
)

// The values of protocolStatus in FCGI_END_REQUEST.
const (
	statusComplete      = 0
	statusCantMultiplex = 1
	statusOverloaded    = 2
	statusUnknownRole   = 3
)

// ErrProtocol is wrapped by the errors of what is no FastCGI.
var ErrProtocol = errors.New("the application does not speak FastCGI")

// ErrOverloaded is the error of an application that takes no request now.
var ErrOverloaded = errors.New("the application is overloaded")

// appendRecord appends a record whose content has at most maxContent bytes. It is not padded: every peer takes that.
func appendRecord(dst []byte, typ byte, id uint16, content []byte) []byte {
	dst = append(dst, version, typ)
	dst = binary.BigEndian.AppendUint16(dst, id)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(content)))
	dst = append(dst, 0, 0)
	return append(dst, content...)
}

// appendStream appends content as records of a stream, which is not ended.
func appendStream(dst []byte, typ byte, content []byte) []byte {
	for len(content) > 0 {
		n := min(len(content), maxContent)
		dst = appendRecord(dst, typ, requestID, content[:n])
		content = content[n:]
	}
	return dst
}

// appendPair appends a name-value pair (section 3.4): lengths below 128 take one byte, others four.
func appendPair(dst []byte, name, value string) []byte {
	dst = appendLength(appendLength(dst, len(name)), len(value))
	return append(append(dst, name...), value...)
}

func appendLength(dst []byte, n int) []byte {
	if n < 128 {
		return append(dst, byte(n))
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n)|1<<31)
}

// record is a record as it is read; content is valid until the next one is.
type record struct {
	typ     byte
	id      uint16
	content []byte
}

// records reads records.
type records struct {
	r   io.Reader
	buf [maxContent + 255]byte
}

// next reads a record. io.EOF is an end between two records.
func (s *records) next() (record, error) {
	var h [headerLen]byte
	if _, err := io.ReadFull(s.r, h[:]); err != nil {
		return record{}, err
	}
	if h[0] != version {
		return record{}, fmt.Errorf("%w: a record has version %d", ErrProtocol, h[0])
	}
	n, padding := int(binary.BigEndian.Uint16(h[4:])), int(h[6])
	if _, err := io.ReadFull(s.r, s.buf[:n+padding]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return record{}, err
	}
	return record{typ: h[1], id: binary.BigEndian.Uint16(h[2:]), content: s.buf[:n]}, nil
}
