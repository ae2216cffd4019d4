package report

import (
	"fmt"
	"math"
	"slices"
)

// Within is a ratio of two servers in one scenario, taken within each round, where both ran within seconds of each other:
// what the machine does in the course of minutes is in both and goes out.
type Within struct {
	Ratio     float64 // the median over the rounds; 0 when there is no round with both
	Low, High float64 // the range that holds the true median with nine tenths' certainty; with less in under five rounds
	Rounds    int
}

// Below reports whether the ratio is at most limit.
func (w Within) Below(limit float64) bool { return w.Ratio > 0 && w.Ratio <= limit }

// Above reports whether the ratio is more than limit, and more by more than the rounds differ.
func (w Within) Above(limit float64) bool { return w.Low > limit }

func (w Within) String() string { return fmt.Sprintf("%.2f, %.2f..%.2f", w.Ratio, w.Low, w.High) }

// Within compares a server with another one. Disturbed and failed runs do not count.
func (d *Data) Within(scenario, server, other string) Within {
	of := func(name string) map[int]float64 {
		all := map[int]float64{}
		for _, r := range d.Runs {
			if r.Scenario == scenario && r.Server == name && r.Error == "" && r.Quiet() {
				all[r.Round] = figure(r.Result)
			}
		}
		return all
	}
	base := of(other)
	var ratios []float64
	for round, v := range of(server) {
		if b := base[round]; b > 0 {
			ratios = append(ratios, v/b)
		}
	}
	n := len(ratios)
	if n == 0 {
		return Within{}
	}
	slices.Sort(ratios)
	k := cut(n)
	return Within{Ratio: median(ratios), Low: ratios[k], High: ratios[n-1-k], Rounds: n}
}

// cut returns how many of n sorted values may be left out at each end so that the median of what they are drawn from lies
// among the others with a certainty of 0.9: each value lies below that median with one half.
func cut(n int) int {
	p := math.Pow(0.5, float64(n)) // of k values below it
	k, sum := 0, 0.0
	for ; k < n/2; k++ {
		if sum += p; 2*sum > 0.1 { // at most k values below
			break
		}
		p *= float64(n-k) / float64(k+1)
	}
	return max(k-1, 0)
}
