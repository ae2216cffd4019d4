package process

import "bytes"

// maxLine is how much of a line is handed out at once; a longer one comes in several.
const maxLine = 4096

// Lines is an io.Writer that hands out what is written to it line by line, for a log: Spec.Stderr. It is used by one
// goroutine at a time.
type Lines struct {
	out  func(line string)
	held []byte
}

// NewLines returns a writer that calls out for each line, without its end and not when it is empty.
func NewLines(out func(line string)) *Lines { return &Lines{out: out} }

// Write takes a part of the output. It does not fail.
func (l *Lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		take := p
		if i >= 0 {
			take = p[:i]
		}
		if room := maxLine - len(l.held); len(take) > room {
			take, i = p[:room], -1
		}
		l.held = append(l.held, take...)
		p = p[len(take):]
		if i >= 0 {
			p = p[1:]
		}
		if i >= 0 || len(l.held) == maxLine {
			l.Flush()
		}
	}
	return n, nil
}

// Flush hands out what has no end of line yet. It is called when the program has ended.
func (l *Lines) Flush() {
	line := string(bytes.TrimRight(l.held, "\r"))
	l.held = l.held[:0]
	if line != "" {
		l.out(line)
	}
}
