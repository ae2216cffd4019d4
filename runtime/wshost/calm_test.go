package wshost

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryIsGivenBackWhenManyConnectionsHaveCome(t *testing.T) {
	for _, test := range []struct {
		name   string
		opened int
		pause  time.Duration // between the last but one and the last
		want   int           // how often memory is given back
	}{
		{"few", calmFrom - 1, 0, 0},
		{"many", calmFrom, 0, 1},
		{"still coming", calmFrom + 1, calmTime / 2, 1},
		{"one more later", calmFrom + 1, 3 * calmTime, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var freed atomic.Int64
				c := calm{free: func() { freed.Add(1) }}
				for i := range test.opened {
					if i == test.opened-1 {
						time.Sleep(test.pause)
					}
					c.note()
				}
				time.Sleep(calmTime / 2)
				synctest.Wait()
				if test.pause < calmTime && freed.Load() != 0 {
					t.Error("memory is given back while connections come")
				}
				time.Sleep(3 * calmTime)
				synctest.Wait()
				if n := int(freed.Load()); n != test.want {
					t.Errorf("memory was given back %d times, want %d", n, test.want)
				}
			})
		})
	}
}
