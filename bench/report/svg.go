package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Measures of the plot, in pixels.
const (
	panelWidth = 490
	labelWidth = 130
	valueWidth = 136
	barHeight  = 14
	rowHeight  = 19
	titleRoom  = 44
	margin     = 20
	columns    = 2
)

// style colours the plot. It brings its own background, so that it can be read on light and dark pages alike, and
// follows what the reader prefers.
const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 13px }
.note, .value { fill: #59636e }
.note { font-size: 11px }
.name { text-anchor: end }

.page { fill: #ffffff; stroke: #d1d9e0 }
.ours { fill: #0969da }
.raw { fill: #9aa4ae }
.peer { fill: #c8966a }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .note, .value { fill: #9198a1 }
  .page { fill: #0d1117; stroke: #3d444d }
  .ours { fill: #4493f8 }
  .raw { fill: #656c76 }
  .peer { fill: #b07d4f }
}
`

// panel is one bar chart of the plot.
type panel struct {
	title string
	note  string
	bars  []bar
}

// bar is one bar.
type bar struct {
	server Server
	value  float64
	text   string
}

// height is how much room a panel takes.
func (p panel) height() int { return titleRoom + len(p.bars)*rowHeight + margin }

// SVG returns the plot: a bar chart for each scenario, and one of latency where servers differ in fairness.
func SVG(d *Data) string { return plot("Benchmark of WebSocket servers", panels(d)) }

// StaticSVG returns the plot of a benchmark of static files: a bar chart for each scenario.
func StaticSVG(d *Data) string {
	var all []panel
	for _, s := range d.Scenarios {
		sums := d.Summaries(s.Name)
		if len(sums) == 0 {
			continue
		}
		p := panel{title: s.Name + ": " + s.About, note: "server CPU in µs a request, less is better"}
		base := figureOf(sums, StaticReference)
		for _, v := range sums {
			text := number(v.figure())
			if base > 0 {
				text += fmt.Sprintf(" (%.2f x nginx)", v.figure()/base)
			}
			if !v.Quiet {
				text += "*"
			}
			p.bars = append(p.bars, bar{v.Server, v.figure(), text})
		}
		all = append(all, p)
	}
	return plot("Benchmark of static files", all)
}

// plot lays charts out in columns.
func plot(title string, all []panel) string {
	var heights [columns]int
	var body strings.Builder
	for _, p := range all {
		c := 0
		for i, h := range heights {
			if h < heights[c] {
				c = i
			}
		}
		p.draw(&body, margin+c*(panelWidth+margin), margin+heights[c])
		heights[c] += p.height()
	}
	width := margin + columns*(panelWidth+margin)
	height := margin
	for _, h := range heights {
		height = max(height, h+margin)
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" role="img">
<title>%[7]s</title>
<style>%[3]s</style>
<rect class="page" x="0.5" y="0.5" width="%[4]d" height="%[5]d" rx="6"/>
%[6]s</svg>
`, width, height, style, width-1, height-1, body.String(), escape(title))
}

// panels returns the charts of all scenarios that were run.
func panels(d *Data) []panel {
	var all []panel
	for _, s := range d.Scenarios {
		sums := d.Summaries(s.Name)
		if len(sums) == 0 {
			continue
		}
		p := panel{title: s.Name + ": " + s.About, note: "server CPU in µs a " + s.Unit + ", less is better"}
		if sums[0].Median.ReplyBytes > 0 {
			p.note = "server CPU in µs a message of 1 KiB, and bytes of the reply, less is better"
		}
		if sums[0].Median.Idle != nil {
			p.title = fmt.Sprintf("%s: %d connections that do nothing", s.Name, sums[0].Median.Conns)
			p.note = "bytes of memory a connection, after an echo of 4 KiB on each"
		}
		for _, v := range sums {
			p.bars = append(p.bars, bar{v.Server, v.figure(), valueText(v)})
		}
		all = append(all, p)
		if s.Name == "p16s" {
			all = append(all, latency(s, sums))
		}
	}
	return all
}

// valueText returns what stands behind a bar.
func valueText(v Summary) string {
	text := number(v.figure())
	switch {
	case v.Median.ReplyBytes > 0:
		text += fmt.Sprintf(" (%.0f B)", v.Median.ReplyBytes)
	case v.Ratio > 0:
		text += fmt.Sprintf(" (%.2f x raw)", v.Ratio)
	}
	if !v.Quiet {
		text += "*"
	}
	return text
}

// latency returns the chart of a scenario's 99th percentile.
func latency(s Scenario, sums []Summary) panel {
	p := panel{title: s.Name + ": the slowest message of a hundred", note: "99th percentile of latency in ms, less is better"}
	for _, v := range sums {
		ms := v.Median.P99 / 1e3
		p.bars = append(p.bars, bar{v.Server, ms, number(ms)})
	}
	slices.SortStableFunc(p.bars, func(a, b bar) int { return cmp.Compare(a.value, b.value) })
	return p
}

// draw writes a panel whose upper left corner is at x, y. Bars begin at zero and are to scale.
func (p panel) draw(b *strings.Builder, x, y int) {
	fmt.Fprintf(b, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", x, y+14, escape(p.title))
	fmt.Fprintf(b, "<text class=\"note\" x=\"%d\" y=\"%d\">%s</text>\n", x, y+30, escape(p.note))
	most := 0.0
	for _, v := range p.bars {
		most = max(most, v.value)
	}
	for i, v := range p.bars {
		top := y + titleRoom + i*rowHeight
		length := 1.0
		if most > 0 {
			length = max(v.value/most*(panelWidth-labelWidth-valueWidth), 1)
		}
		class := "peer"
		switch {
		case v.server.Ours:
			class = "ours"
		case v.server.Raw:
			class = "raw"
		}
		fmt.Fprintf(b, "<text class=\"name\" x=\"%d\" y=\"%d\">%s</text>", x+labelWidth-8, top+11, escape(v.server.Name))
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>", class, x+labelWidth, top, length, barHeight)
		fmt.Fprintf(b, "<text class=\"value\" x=\"%.1f\" y=\"%d\">%s</text>\n", float64(x+labelWidth)+length+6, top+11, escape(v.text))
	}
}

// escape makes text safe to stand in XML.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
	return b.String()
}
