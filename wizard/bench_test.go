package wizard

import (
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// expanded is the page Server Roles with the whole tree open.
func expanded(t testing.TB, w, h int) *driver {
	d := drive(t, newFake(realCatalog(t)), AddWizard, w, h, func(o *Options) { o.Look = Look{Color: true, Dark: true} })
	d.settle()
	return d.toPage(PageRoles).press("*")
}

// walk is what a hand does in the tree: it moves, ticks and looks for something.
func walk() []tea.KeyMsg {
	var keys []tea.KeyMsg
	for _, k := range []string{"down", "down", "down", "down", " ", "down", "pgdown", "up", " ", "/", "s", "o", "esc", "end", "home"} {
		keys = append(keys, keyMsg(k))
	}
	return keys
}

// underRace reports whether the race detector slows everything down about tenfold.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// BenchmarkKey is a key and the screen that follows, with the whole tree open.
func BenchmarkKey(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {300, 100}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			d, keys := expanded(b, size[0], size[1]), walk()
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				d.m.Update(keys[n%len(keys)])
				_ = d.m.View()
			}
		})
	}
}

// TestKeyIsAnsweredInTime holds the median of many keys, with the whole tree open, to one frame of a screen.
func TestKeyIsAnsweredInTime(t *testing.T) {
	if underRace() {
		t.Skip("times say nothing under the race detector")
	}
	const frame = 16 * time.Millisecond
	d, keys := expanded(t, 120, 40), walk()
	var took []time.Duration
	for n := range 600 {
		begin := time.Now()
		d.m.Update(keys[n%len(keys)])
		_ = d.m.View()
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	median := took[len(took)/2]
	t.Logf("median %v, 95 of 100 within %v, slowest %v", median, took[len(took)*95/100], took[len(took)-1])
	if median >= frame {
		t.Errorf("a key is answered in %v, want less than %v", median, frame)
	}
}

// TestIdleScreenAsksForNothing holds every page to being still: when all that was asked for has come, the model waits
// for a key and for nothing else, so an idle screen costs no processor time.
func TestIdleScreenAsksForNothing(t *testing.T) {
	rich, bundled := richCatalog(t), realCatalog(t)
	for _, sc := range scenes() {
		cat := bundled
		if sc.rich {
			cat = rich
		}
		d := play(t, cat, sc, [2]int{80, 24}, Look{})
		if d.timers > 0 {
			t.Errorf("%s: %d commands wait for the clock", sc.name, d.timers)
		}
		if len(d.pending) > 0 {
			t.Errorf("%s: %d commands are left", sc.name, len(d.pending))
		}
		if d.listening != (d.m.running != nil) {
			t.Errorf("%s: listening %v, a task runs %v", sc.name, d.listening, d.m.running != nil)
		}
		d.close()
	}
}
