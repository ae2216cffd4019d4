package staticcontent

import (
	"io"
	"testing"
	"testing/iotest"
)

func TestMemory(t *testing.T) {
	if err := iotest.TestReader(&memory{b: []byte("0123456789")}, []byte("0123456789")); err != nil {
		t.Error(err)
	}
	m := &memory{b: []byte("0123456789")}
	if _, err := m.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n    int64
		want string
	}{{3, "456"}, {0, ""}, {9, "789"}, {1, ""}} {
		if got := string(m.next(c.n)); got != c.want {
			t.Errorf("the next %d bytes are %q, want %q", c.n, got, c.want)
		}
	}
	if n, err := m.Seek(20, io.SeekStart); n != 20 || err != nil || len(m.next(1)) != 0 {
		t.Errorf("past the end: %d, %v", n, err)
	}
	if _, err := m.Seek(-1, io.SeekStart); err == nil {
		t.Error("a position before the beginning passed")
	}
}
