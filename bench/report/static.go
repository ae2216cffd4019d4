package report

import (
	"fmt"
	"strings"
)

// StaticReference is the server that static files are compared with.
const StaticReference = "nginx"

// StaticMarkdown returns the page of a benchmark of static files.
func StaticMarkdown(d *Data) string {
	var b strings.Builder
	m := d.Machine
	fmt.Fprintf(&b, `# Benchmark of static files

What a request for a static file costs: rolemgr, nginx, Caddy and Apache, and a server on Go's net/http that does nothing
else. This page is written by %[1]smake bench-static%[1]s; results in full are in [benchmark-static.json](benchmark-static.json).

![Server CPU time of each server in each scenario](benchmark-static.svg)

- Measured on %[2]s: %[3]s, %[4]d processors, %[5]s, %[6]s.
- All servers run from the beginning to the end, each bound to the same one processor, the load generator to another. A
  server that is not asked does nothing. Rounds over all servers and scenarios in an order that turns: %[7]d, with %[8]g s for
  each run; the figures are medians, with the smallest and the largest.
- The figure to compare is **server CPU time a request**, user and system, from the kernel's clocks of all processes of the
  server. Rates and latencies are those of a load that waits for every answer, on connections that stay open (HTTP/1.1,
  64, for 10 MiB 16); what else the machine did meanwhile changes them first.
- The load generator is %[1]sbench/load%[1]s: one thread, epoll, requests written beforehand, content of a known length dropped by
  the kernel without a copy. wrk would parse more, knows nothing of the CPU time of others, and takes a compressed or a
  wrong answer for a good one: here the first answer is compared with the file, byte for byte, and of every answer status and
  length are checked.
- *x nginx* is the ratio to nginx. *other load* is how much of a processor everything else on the machine used. Runs with %[9]g
  or more are left out where there are quieter ones, and marked with * where there are none.
`, "`", d.When.Format("2006-01-02"), m.Processor, m.CPUs, m.Kernel, m.Go, d.Rounds, d.Seconds, QuietLoad)
	b.WriteString(staticSetUp)
	staticVerdict(&b, d)
	staticSummary(&b, d)
	b.WriteString(staticCauses)
	for _, s := range d.Scenarios {
		staticTable(&b, d, s)
	}
	serverTable(&b, d)
	failureList(&b, d)
	return b.String()
}

// staticVerdict says in which scenarios rolemgr costs more than Caddy or Apache: it is to cost no more.
func staticVerdict(b *strings.Builder, d *Data) {
	var more []string
	done := 0
	for _, s := range d.Scenarios {
		sums := d.Summaries(s.Name)
		for _, ours := range sums {
			if !ours.Server.Ours {
				continue
			}
			done++
			for _, peer := range []string{"caddy", "apache"} {
				if cost := figureOf(sums, peer); cost > 0 && ours.figure() > cost {
					more = append(more, fmt.Sprintf("%s (%.2f x %s)", s.Name, ours.figure()/cost, peer))
				}
			}
		}
	}
	if done == 0 {
		return
	}
	b.WriteString("\n## Result\n\nThe goal: no request costs more than with Caddy or with Apache. ")
	if len(more) == 0 {
		fmt.Fprintf(b, "It is met in all %d scenarios.\n", done)
		return
	}
	fmt.Fprintf(b, "It is not met in %s, of %d scenarios.\n", strings.Join(more, ", "), done)
}

// staticSummary writes the medians of all servers in all scenarios, and the largest spread of a server's runs.
func staticSummary(b *strings.Builder, d *Data) {
	b.WriteString("\nServer CPU in µs a request; in parentheses x nginx.\n\n| scenario |")
	rule := "|---|"
	for _, s := range d.Servers {
		b.WriteString(" " + serverName(s) + " |")
		rule += "---:|"
	}
	b.WriteString("\n" + rule + "\n")
	worst, where := 0.0, ""
	for _, s := range d.Scenarios {
		sums := d.Summaries(s.Name)
		base := figureOf(sums, StaticReference)
		cells := map[string]string{}
		for _, v := range sums {
			text := number(v.figure())
			if base > 0 && v.Server.Name != StaticReference {
				text += fmt.Sprintf(" (%.2f)", v.figure()/base)
			}
			if !v.Quiet {
				text += "*"
			}
			cells[v.Server.Name] = text
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
	if where != "" {
		fmt.Fprintf(b, "\nThe widest spread, largest over smallest run: %.2f (%s).\n", worst, where)
	}
}

// staticTable writes all figures of a scenario.
func staticTable(b *strings.Builder, d *Data, s Scenario) {
	sums := d.Summaries(s.Name)
	if len(sums) == 0 {
		return
	}
	base := figureOf(sums, StaticReference)
	fmt.Fprintf(b, "\n## %s: %s\n\n", s.Name, s.About)
	b.WriteString("| server | runs | CPU µs a request (min..max) | user | system | x nginx | requests/s | p50 µs | p99 µs | server load | client load | RSS MB | reply B | other load |\n")
	b.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, v := range sums {
		m := v.Median
		x, reply := 0.0, "-"
		if base > 0 {
			x = v.figure() / base
		}
		if m.ReplyBytes > 0 {
			reply = fmt.Sprintf("%.0f", m.ReplyBytes)
		}
		fmt.Fprintf(b, "| %s | %s | %s (%s..%s) | %s | %s | %s | %.0f | %s | %s | %.2f | %.2f | %.1f | %s | %.2f |\n",
			serverName(v.Server), runs(v), number(m.CPU), number(v.Min), number(v.Max), number(m.User), number(m.System), ratio(x),
			m.Rate, number(m.P50), number(m.P99), m.ServerLoad, m.ClientLoad, float64(m.RSS)/1e6, reply, m.OtherLoad)
	}
}
