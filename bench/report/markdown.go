package report

import (
	"fmt"
	"strings"
)

// Markdown returns the page: how it was measured, one table of everything, and one for each scenario.
func Markdown(d *Data) string {
	var b strings.Builder
	m := d.Machine
	fmt.Fprintf(&b, `# Benchmark

What a message, a connection and a handshake cost the server: this engine, other WebSocket servers, and two that parse
nothing and so are the limit. This page is written by %[1]smake bench%[1]s; results in full are in [benchmark.json](benchmark.json).

![Server CPU time of each server in each scenario](benchmark.svg)

- Measured on %[2]s: %[3]s, %[4]d processors, %[5]s, %[6]s, node %[7]s.
- Each server runs in a fresh process on one processor (%[1]sGOMAXPROCS=1%[1]s), the load generator on another. Rounds over all
  servers in an order that turns: %[8]d, with %[9]g s for each run; the figures are medians, with the smallest and the largest.
- The figure to compare is **server CPU time**, user and system, from the kernel's clock of the process. Rates depend on
  the load generator as well.
- Every echo is compared byte for byte and in order; with compression all replies are counted, and those of two
  connections inflated and compared.
- *x raw* is the ratio to %[1]s%[10]s%[1]s, which moves the same bytes and parses nothing; *x net* that to %[1]s%[12]s%[1]s, which
  does so with a goroutine for each connection.
- *other load* is how much of a processor everything else on the machine used. Runs with %[11]g or more are left out where
  there are quieter ones, and marked with * where there are none.
`, "`", d.When.Format("2006-01-02"), m.Processor, m.CPUs, m.Kernel, m.Go, m.Node, d.Rounds, d.Seconds, Reference, QuietLoad, NetReference)
	summaryTable(&b, d)
	for _, s := range d.Scenarios {
		scenarioTable(&b, d, s)
	}
	serverTable(&b, d)
	failureList(&b, d)
	return b.String()
}

// summaryTable writes the medians of all servers in all scenarios, and their ratios.
func summaryTable(b *strings.Builder, d *Data) {
	fmt.Fprintf(b, "\n## All scenarios\n\nServer CPU in µs for each message, delivery or connection; in parentheses x raw. For %s: bytes of memory a connection after an echo.\n\n", "`idle`")
	head, line := "| server |", "|---|"
	cells := map[string]map[string]string{}
	for _, s := range d.Scenarios {
		head += " " + s.Name + " |"
		line += "---:|"
		cells[s.Name] = map[string]string{}
		for _, sum := range d.Summaries(s.Name) {
			text := number(sum.figure())
			if sum.Ratio > 0 && sum.Server.Name != Reference {
				text += fmt.Sprintf(" (%.2f)", sum.Ratio)
			}
			if !sum.Quiet {
				text += "*"
			}
			cells[s.Name][sum.Server.Name] = text
		}
	}
	fmt.Fprintf(b, "%s\n%s\n", head, line)
	for _, sv := range d.Servers {
		fmt.Fprintf(b, "| %s |", serverName(sv))
		for _, s := range d.Scenarios {
			text := cells[s.Name][sv.Name]
			if text == "" {
				text = "-"
			}
			fmt.Fprintf(b, " %s |", text)
		}
		b.WriteByte('\n')
	}
}

// scenarioTable writes all figures of a scenario.
func scenarioTable(b *strings.Builder, d *Data, s Scenario) {
	sums := d.Summaries(s.Name)
	if len(sums) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s: %s\n\n", s.Name, s.About)
	if sums[0].Median.Idle != nil {
		idleTable(b, sums)
		return
	}
	compressed := sums[0].Median.ReplyBytes > 0
	fmt.Fprintf(b, "| server | runs | CPU µs a %s (min..max) | user | system | x raw | x net | %ss/s | p50 µs | p99 µs | p99.9 µs | server load | client load | RSS MB |", s.Unit, s.Unit)
	rule := "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
	if compressed {
		b.WriteString(" reply B | kB a connection | after GC |")
		rule += "---:|---:|---:|"
	}
	fmt.Fprintf(b, " other load |\n%s---:|\n", rule)
	for _, v := range sums {
		m := v.Median
		fmt.Fprintf(b, "| %s | %s | %s (%s..%s) | %s | %s | %s | %s | %.0f | %s | %s | %s | %.2f | %.2f | %.1f |",
			serverName(v.Server), runs(v), number(m.CPU), number(v.Min), number(v.Max), number(m.User), number(m.System), ratio(v.Ratio), ratio(v.NetRatio),
			m.Rate, number(m.P50), number(m.P99), number(m.P999), m.ServerLoad, m.ClientLoad, float64(m.RSS)/1e6)
		if compressed {
			fmt.Fprintf(b, " %.0f | %.0f | %.0f |", m.ReplyBytes, m.ConnBytes/1e3, m.ConnGC/1e3)
		}
		fmt.Fprintf(b, " %.2f |\n", m.OtherLoad)
	}
}

// idleTable writes the figures of idle connections.
func idleTable(b *strings.Builder, sums []Summary) {
	fmt.Fprintf(b, "Bytes of resident memory (RSS) that each of %d connections adds. Sockets in the kernel are not in them and are alike for all.\n\n", sums[0].Median.Conns)
	b.WriteString("| server | runs | opened | after GC | after an echo of 4 KiB and a second (min..max) | after GC |\n|---|---:|---:|---:|---:|---:|\n")
	for _, v := range sums {
		i := v.Median.Idle
		fmt.Fprintf(b, "| %s | %s | %.0f | %.0f | %.0f (%.0f..%.0f) | %.0f |\n", serverName(v.Server), runs(v), i.Opened, i.OpenedGC, i.Echoed, v.Min, v.Max, i.EchoedGC)
	}
}

// serverTable says what the servers are.
func serverTable(b *strings.Builder, d *Data) {
	b.WriteString("\n## Servers\n\n| server | what it is | version |\n|---|---|---|\n")
	for _, s := range d.Servers {
		version := s.Version
		if version == "" {
			version = "-"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", serverName(s), s.About, version)
	}
}

// failureList names the runs that failed.
func failureList(b *strings.Builder, d *Data) {
	failed := d.Failures()
	if len(failed) == 0 {
		return
	}
	b.WriteString("\n## Failed runs\n\n")
	for _, r := range failed {
		fmt.Fprintf(b, "- %s, %s, round %d: %s\n", r.Scenario, r.Server, r.Round, strings.Join(strings.Fields(r.Error), " "))
	}
}

// serverName returns a server's name, bold when it is ours.
func serverName(s Server) string {
	if s.Ours {
		return "**" + s.Name + "**"
	}
	return s.Name
}

// runs returns how many runs count, of how many when some do not, and a mark when all were disturbed.
func runs(s Summary) string {
	switch {
	case !s.Quiet:
		return fmt.Sprintf("%d*", s.Runs)
	case s.Runs < s.All:
		return fmt.Sprintf("%d of %d", s.Runs, s.All)
	}
	return fmt.Sprint(s.Runs)
}

// ratio returns a ratio, or a dash when there is none.
func ratio(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// number returns a figure with three digits that count, and never an exponent.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
