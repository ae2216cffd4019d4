package report

import (
	"math"
	"strings"
	"testing"
)

func TestCut(t *testing.T) {
	binomial := func(n, most int) float64 { // of at most so many heads in n throws
		sum, p := 0.0, math.Pow(0.5, float64(n))
		for k := 0; k <= most; k++ {
			sum += p
			p *= float64(n-k) / float64(k+1)
		}
		return sum
	}
	for n := 5; n < 60; n++ {
		k := cut(n)
		if 2*binomial(n, k) > 0.1 || 2*binomial(n, k+1) <= 0.1 {
			t.Errorf("%d of %d are left out", k, n)
		}
	}
	for n := 1; n < 5; n++ {
		if cut(n) != 0 {
			t.Errorf("%d of %d are left out", cut(n), n)
		}
	}
}

// roundsOf are the runs of a server, one CPU time for each round.
func roundsOf(server string, cpu ...float64) []Run {
	var all []Run
	for i, v := range cpu {
		r := run("p1", server, v, 0)
		r.Round = i + 1
		all = append(all, r)
	}
	return all
}

func TestWithinComparesRoundByRound(t *testing.T) {
	d := &Data{Runs: roundsOf("a", 10, 22, 30, 44, 50, 99, 7)} // the machine gets slower; a is as fast as b or a tenth slower
	d.Runs = append(d.Runs, roundsOf("b", 10, 20, 30, 40, 50, 1)...)
	d.Runs[5].Result.OtherLoad = QuietLoad // disturbed; the seventh has no other
	if w := d.Within("p1", "a", "b"); w.Rounds != 5 || w.Ratio != 1 || w.Low != 1 || math.Abs(w.High-1.1) > 1e-9 {
		t.Errorf("%+v", w)
	}
	if w := d.Within("p1", "a", "c"); w != (Within{}) || w.Below(1) || w.Above(0.5) {
		t.Errorf("%+v", w)
	}
}

// TestVerdicts: a goal is met, missed, or too near to tell.
func TestVerdicts(t *testing.T) {
	const goal = "the tunnel costs no more CPU time a message than the best of nginx, HAProxy and Caddy. "
	for _, c := range []struct {
		name   string
		tunnel []float64
		want   string
	}{
		{"less", []float64{9, 9, 9, 9, 11}, "Met.\n"},
		{"as much", []float64{10, 10, 10, 10, 10}, "Met.\n"},
		{"a little more now and then", []float64{9.9, 10.1, 10.2, 10.1, 9.8}, "This run cannot tell. As near to the limit as this run can tell: p1 (1.01, 0.98..1.02).\n"},
		{"more each time", []float64{10.1, 10.1, 10.2, 10.1, 10.1}, "Not met in p1 (1.01, 1.01..1.02), of 1 scenarios.\n"},
	} {
		d := &Data{
			Scenarios: []Scenario{{Name: "p1", Unit: "message"}},
			Servers:   []Server{{Name: proxyTunnel, Ours: true}, {Name: proxyRelay, Ours: true}, {Name: "nginx"}, {Name: "caddy"}},
			Runs:      append(roundsOf(proxyTunnel, c.tunnel...), roundsOf("nginx", 10, 10, 10, 10, 10)...),
		}
		d.Runs = append(d.Runs, roundsOf("caddy", 12, 12, 12, 12, 12)...)
		d.Runs = append(d.Runs, roundsOf(proxyRelay, 12, 12, 12, 12, 12)...)
		page := ProxyMarkdown(d)
		if !strings.Contains(page, goal+c.want) || !strings.Contains(page, "| p1 | nginx | ") {
			t.Errorf("%s: %s", c.name, page[strings.Index(page, "## Result"):strings.Index(page, "## Where")])
		}
	}
}
