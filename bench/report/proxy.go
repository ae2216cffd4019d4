package report

import (
	"fmt"
	"strings"
)

// The two ways of rolemgr to be a WebSocket proxy, and how much the relay, which knows messages, may cost beside the best
// proxy of bytes.
const (
	proxyTunnel = "rolemgr-tunnel"
	proxyRelay  = "rolemgr-relay"
	relayLimit  = 1.3
)

// ProxyMarkdown returns the page of a benchmark of WebSocket proxies.
func ProxyMarkdown(d *Data) string {
	var b strings.Builder
	m := d.Machine
	fmt.Fprintf(&b, `# Benchmark of WebSocket proxies

What a WebSocket message costs a proxy between client and application: rolemgr as a tunnel and as a relay, nginx, HAProxy
and Caddy. This page is written by %[1]smake bench-proxy%[1]s; results in full are in
[benchmark-proxy.json](benchmark-proxy.json).

![CPU time and memory of each proxy in each scenario](benchmark-proxy.svg)

- Measured on %[2]s: %[3]s, %[4]d processors, %[5]s, %[6]s.
- All proxies run from the beginning to the end, each bound to the same one processor; their applications and the load
  generator to another. A proxy that is not asked does nothing. Rounds over all proxies and scenarios in an order that turns:
  %[7]d, with %[8]g s for each run; the figures are medians, with the smallest and the largest.
- The figure to compare is **CPU time of the proxy a message**, to the application and back, user and system, from the
  kernel's clocks of all processes of the proxy. The application is not in it. Rates and latencies are those of three programs on
  two processors, and of what else the machine did meanwhile.
- Memory is measured with a proxy that was just started: the proportional resident memory (PSS) of all its processes with 5,000
  connections through it, less what it was before, after one echo on each and three seconds of rest. Memory of the kernel,
  for the sockets, is not in it and alike for all, two sockets a connection.
- Every echo is compared with what was sent, byte for byte.
- *other load* is how much of a processor everything but proxy, application and load used. Runs with %[9]g or more are left out
  where there are quieter ones, and marked with * where there are none. Ratios are to the best of
  nginx, HAProxy and Caddy in that scenario. Goals are judged by ratios taken within each round, where all run in the same seconds:
  this machine's speed changes by half in minutes.
`, "`", d.When.Format("2006-01-02"), m.Processor, m.CPUs, m.Kernel, m.Go, d.Rounds, d.Seconds, QuietLoad)
	b.WriteString(proxySetUp)
	proxyVerdict(&b, d)
	proxySummary(&b, d)
	b.WriteString(proxyCauses)
	for _, s := range d.Scenarios {
		proxyTable(&b, d, s)
	}
	serverTable(&b, d)
	failureList(&b, d)
	return b.String()
}

// bestPeer returns the best proxy that is not ours; its figure is 0 when there is none.
func bestPeer(sums []Summary) Summary {
	for _, v := range sums { // the best first
		if !v.Server.Ours {
			return v
		}
	}
	return Summary{}
}

// proxyVerdict says where the goals are met.
func proxyVerdict(b *strings.Builder, d *Data) {
	goals := []struct {
		server, text string
		limit        float64
		memory       bool
	}{
		{proxyTunnel, "the tunnel costs no more CPU time a message than the best of nginx, HAProxy and Caddy", 1, false},
		{proxyRelay, "the relay costs at most 1.3 times as much as the best of them", relayLimit, false},
		{proxyTunnel, "an idle connection through the tunnel takes less memory than with any of them", 1, true},
		{proxyRelay, "an idle connection through the relay takes less memory than with any of them", 1, true},
	}
	b.WriteString("\n## Result\n\n")
	for _, g := range goals {
		var missed, even []string
		done := 0
		for _, s := range d.Scenarios {
			sums := d.Summaries(s.Name)
			best := bestPeer(sums)
			if best.figure() == 0 || s.Unit == "connection" && !g.memory || (sums[0].Median.Idle != nil) != g.memory {
				continue
			}
			w := d.Within(s.Name, g.server, best.Server.Name)
			if w.Rounds == 0 {
				continue
			}
			done++
			text := fmt.Sprintf("%s (%v)", s.Name, w)
			switch {
			case g.memory && w.Ratio >= 1, w.Above(g.limit): // "below" is less, "no more" may be as much
				missed = append(missed, text)
			case !w.Below(g.limit):
				even = append(even, text)
			}
		}
		if done == 0 {
			continue
		}
		fmt.Fprintf(b, "- Goal: %s. ", g.text)
		switch {
		case len(missed) > 0:
			fmt.Fprintf(b, "Not met in %s, of %d scenarios.", strings.Join(missed, ", "), done)
		case len(even) == done:
			fmt.Fprintf(b, "This run cannot tell.")
		default:
			b.WriteString("Met.")
		}
		if len(even) > 0 {
			fmt.Fprintf(b, " As near to the limit as this run can tell: %s.", strings.Join(even, ", "))
		}
		b.WriteByte('\n')
	}
}

// proxyWithin writes the ratios of ours to the best of the others, each taken within the rounds.
func proxyWithin(b *strings.Builder, d *Data) {
	var rows strings.Builder
	for _, s := range d.Scenarios {
		best := bestPeer(d.Summaries(s.Name))
		tunnel, relay := d.Within(s.Name, proxyTunnel, best.Server.Name), d.Within(s.Name, proxyRelay, best.Server.Name)
		if best.figure() > 0 && tunnel.Rounds > 0 && relay.Rounds > 0 {
			fmt.Fprintf(&rows, "| %s | %s | %v | %v |\n", s.Name, best.Server.Name, tunnel, relay)
		}
	}
	if rows.Len() > 0 {
		b.WriteString("\nThe same ratios taken within each round: their median, and the range that holds it with nine tenths' certainty.\n\n" +
			"| scenario | the best of the others | tunnel x best | relay x best |\n|---|---|---:|---:|\n" + rows.String())
	}
}

// proxySummary writes the medians of all proxies in all scenarios, and the largest spread of a proxy's runs.
func proxySummary(b *strings.Builder, d *Data) {
	b.WriteString("\nCPU in µs a message, or a connection for `connect`; for `idle` bytes a connection. In parentheses x the best of the others.\n\n| scenario |")
	rule := "|---|"
	for _, s := range d.Servers {
		b.WriteString(" " + serverName(s) + " |")
		rule += "---:|"
	}
	b.WriteString("\n" + rule + "\n")
	worst, where := 0.0, ""
	for _, s := range d.Scenarios {
		sums := d.Summaries(s.Name)
		cells := map[string]string{}
		for _, v := range sums {
			cells[v.Server.Name] = proxyText(v, bestPeer(sums).figure())
			if spread := v.Max / v.Min; v.Min > 0 && spread > worst {
				worst, where = spread, s.Name+", "+v.Server.Name
			}
		}
		fmt.Fprintf(b, "| %s |", s.Name)
		for _, sv := range d.Servers {
			text := cells[sv.Name]
			if text == "" {
				text = "-"
			}
			b.WriteString(" " + text + " |")
		}
		b.WriteByte('\n')
	}
	proxyWithin(b, d)
	if where != "" {
		fmt.Fprintf(b, "\nThe widest spread, largest over smallest run: %.2f (%s).\n", worst, where)
	}
}

// proxyText returns a figure, and for ours the ratio to the best of the others.
func proxyText(v Summary, best float64) string {
	text := number(v.figure())
	if best > 0 && v.Server.Ours {
		text += fmt.Sprintf(" (%.2f)", v.figure()/best)
	}
	if !v.Quiet {
		text += "*"
	}
	return text
}

// proxyTable writes all figures of a scenario.
func proxyTable(b *strings.Builder, d *Data, s Scenario) {
	sums := d.Summaries(s.Name)
	if len(sums) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s: %s\n\n", s.Name, s.About)
	best := bestPeer(sums).figure()
	x := func(v Summary) string {
		if best == 0 {
			return "-"
		}
		return ratio(v.figure() / best)
	}
	if sums[0].Median.Idle != nil {
		fmt.Fprintf(b, "Bytes that each of %d connections adds.\n\n| proxy | runs | opened | after an echo (min..max) | x best |\n|---|---:|---:|---:|---:|\n", sums[0].Median.Conns)
		for _, v := range sums {
			i := v.Median.Idle
			fmt.Fprintf(b, "| %s | %s | %.0f | %.0f (%.0f..%.0f) | %s |\n", serverName(v.Server), runs(v), i.Opened, i.Echoed, v.Min, v.Max, x(v))
		}
		return
	}
	fmt.Fprintf(b, "| proxy | runs | CPU µs a %s (min..max) | user | system | x best | %ss/s | p50 µs | p99 µs | proxy load | client load | RSS MB | other load |\n", s.Unit, s.Unit)
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, v := range sums {
		m := v.Median
		fmt.Fprintf(b, "| %s | %s | %s (%s..%s) | %s | %s | %s | %.0f | %s | %s | %.2f | %.2f | %.1f | %.2f |\n",
			serverName(v.Server), runs(v), number(m.CPU), number(v.Min), number(v.Max), number(m.User), number(m.System), x(v),
			m.Rate, number(m.P50), number(m.P99), m.ServerLoad, m.ClientLoad, float64(m.RSS)/1e6, m.OtherLoad)
	}
}

// ProxySVG returns the plot of a benchmark of WebSocket proxies: a bar chart for each scenario.
func ProxySVG(d *Data) string {
	var all []panel
	for _, s := range d.Scenarios {
		sums := d.Summaries(s.Name)
		if len(sums) == 0 {
			continue
		}
		p := panel{title: s.Name + ": " + s.About, note: "CPU of the proxy in µs a " + s.Unit + ", less is better"}
		if sums[0].Median.Idle != nil {
			p.note = "bytes of the proxy's memory a connection, after an echo on each, less is better"
		}
		for _, v := range sums {
			p.bars = append(p.bars, bar{v.Server, v.figure(), proxyText(v, bestPeer(sums).figure())})
		}
		all = append(all, p)
	}
	return plot("Benchmark of WebSocket proxies", all)
}
