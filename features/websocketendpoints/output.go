package websocketendpoints

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// maxLine is the longest line of a program that becomes a message, in bytes.
const maxLine = 4 << 20

// chunk is how much of a program or a server becomes one binary message at most.
const chunk = 16 << 10

var errLongLine = errors.New("the program wrote a line of more than 4 MiB")

// outputGrace is how long what a program has written is waited for after its end: something that has left its process group
// may hold the pipe for ever.
const outputGrace = time.Second

// output is the standard output of a program. It ends with the last of those who hold the pipe, or soon after the program.
type output struct {
	f    *os.File
	over chan struct{} // closed when the program has ended

	once sync.Once
}

func newOutput(f *os.File) *output { return &output{f: f, over: make(chan struct{})} }

// last says that the program has ended: what it has written is in the pipe.
func (o *output) last() {
	_ = o.f.SetReadDeadline(time.Now()) // wakes the reader
	close(o.over)
}

// close ends a Read in progress.
func (o *output) close() { o.once.Do(func() { _ = o.f.Close() }) }

// Read reads what there is. It returns io.EOF too when the program is gone and nothing comes any more.
func (o *output) Read(p []byte) (int, error) {
	for {
		last := false
		select {
		case <-o.over:
			last = true
			_ = o.f.SetReadDeadline(time.Now().Add(outputGrace))
		default:
		}
		n, err := o.f.Read(p)
		switch {
		case n > 0 || !errors.Is(err, os.ErrDeadlineExceeded):
			return n, err
		case last:
			return 0, io.EOF
		}
		<-o.over
	}
}

// copyLines makes each line a text message, without its end. What is not UTF-8 in it is replaced, for text must be.
func copyLines(r io.Reader, write func(frame.Opcode, []byte) error) error {
	b := bufio.NewReaderSize(r, chunk)
	var held []byte
	for {
		part, err := b.ReadSlice('\n')
		if len(held)+len(part) > maxLine+len("\r\n") {
			return errLongLine
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			held = append(held, part...)
			continue
		}
		line := part
		if len(held) > 0 {
			line = append(held, part...)
		}
		held = nil
		if err == nil || len(line) > 0 {
			if err := write(frame.Text, text(line)); err != nil {
				return err
			}
		}
		if err != nil {
			return ended(err)
		}
	}
}

func text(line []byte) []byte {
	line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	return bytes.ToValidUTF8(line, []byte("\uFFFD"))
}

// copyBytes makes what is read binary messages.
func copyBytes(r io.Reader, write func(frame.Opcode, []byte) error) error {
	p := make([]byte, chunk)
	for {
		n, err := r.Read(p)
		if n > 0 {
			if err := write(frame.Binary, p[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return ended(err)
		}
	}
}

// ended returns nil for the end of what is read.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
