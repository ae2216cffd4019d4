package wizard

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// paper shows what a terminal shows that gets what a painter writes.
type paper struct {
	t     *testing.T
	lines []string // w letters each
	mouse bool
}

// take understands the sequences that the painter may use, and no other.
func (p *paper) take(text string, w, h int) {
	p.t.Helper()
	x, y := 0, 0
	for text != "" {
		if text[0] != '\x1b' {
			if y >= h || x >= w {
				p.t.Fatalf("%q is written at column %d of line %d; the screen has %dx%d", text[0], x, y, w, h)
			}
			p.lines[y] = p.lines[y][:x] + text[:1] + p.lines[y][x+1:]
			x++
			text = text[1:]
			continue
		}
		i := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' }) + 3
		seq := text[:i]
		text = text[i:]
		switch {
		case seq == ansi.EraseEntireScreen:
			p.lines = slices.Repeat([]string{strings.Repeat(" ", w)}, h)
		case seq == ansi.EraseLineRight:
			p.lines[y] = p.lines[y][:x] + strings.Repeat(" ", w-x)
		case seq == ansi.SetButtonEventMouseMode:
			p.mouse = true
		case seq == ansi.ResetButtonEventMouseMode:
			p.mouse = false
		case seq == ansi.SetSgrExtMouseMode, seq == ansi.ResetSgrExtMouseMode:
		case strings.HasSuffix(seq, "H"):
			x, y = 0, 0
			if body := seq[2 : len(seq)-1]; body != "" {
				if _, err := fmt.Sscanf(body+";", "%d;%d", &y, &x); err != nil {
					p.t.Fatalf("%q: %v", seq, err)
				}
				x, y = x-1, y-1
			}
		default:
			p.t.Fatalf("the painter writes %q", seq)
		}
	}
}

// Whatever the pictures, their sizes and their order: the terminal shows the last one, and only what differs is written.
func TestPaint(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p, on := painter{}, &paper{t: t}
	var lines []string
	w, h, mouse := 0, 0, false
	for i := range 5000 {
		if i == 0 || r.IntN(20) == 0 {
			w, h = 1+r.IntN(12), 1+r.IntN(6)
		}
		if r.IntN(10) == 0 {
			mouse = !mouse
		}
		old := slices.Clone(lines)
		lines = slices.Clone(lines)
		for range r.IntN(3) {
			lines = append(lines[:min(len(lines), r.IntN(h+2))], strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(w+3)))
		}
		sized := p.on.w != w || p.on.h != h
		text := p.paint(picture{strings.Join(lines, "\n"), w, h, mouse})
		if !sized && mouse == on.mouse && slices.Equal(old, lines) && text != "" {
			t.Fatalf("nothing has changed, and %q is written", text)
		}
		on.take(text, w, h)
		for y := range h {
			want := ""
			if y < len(lines) {
				want = lines[y][:min(len(lines[y]), w)]
			}
			if got := strings.TrimRight(on.lines[y], " "); got != want {
				t.Fatalf("picture %d, line %d of %d shows %q; want %q, after %q", i, y, h, got, want, text)
			}
		}
		if on.mouse != mouse {
			t.Fatalf("picture %d: mouse %v, want %v", i, on.mouse, mouse)
		}
	}
}

// One changed line of a screen costs that line and no other.
func TestPaintWritesWhatDiffers(t *testing.T) {
	var p painter
	p.paint(picture{"one\ntwo\nthree", 10, 3, false})
	got := p.paint(picture{"one\n2\nthree", 10, 3, false})
	if want := ansi.CursorPosition(1, 2) + "2" + ansi.EraseLineRight; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is no terminal is refused before anything is written to it.
func TestEnterWhatIsNoTerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, in := range []io.Reader{strings.NewReader("x"), file} {
		if _, err := enterTerminal(in, file); err == nil {
			t.Errorf("a %T passes for a keyboard", in)
		}
	}
	if _, err := enterTerminal(file, new(strings.Builder)); err == nil || !strings.Contains(err.Error(), "strings.Builder") {
		t.Errorf("a strings.Builder passes for a screen: %v", err)
	}
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("%v, %v was written", info, err)
	}
}
