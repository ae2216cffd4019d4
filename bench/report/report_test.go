package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/server"
)

// run returns a run with a CPU time and a load of others.
func run(scenario, server string, cpu, other float64) Run {
	return Run{Scenario: scenario, Server: server, Result: load.Result{Conns: 100, CPU: cpu, P99: 1000 * cpu, OtherLoad: other, Rate: 1e6 / cpu}}
}

// sample is a benchmark with everything in it.
func sample() *Data {
	d := &Data{Rounds: 3, Seconds: 2}
	for _, s := range load.Scenarios() {
		d.Scenarios = append(d.Scenarios, Scenario{s.Name, s.About, s.Unit})
	}
	for _, s := range server.All() {
		d.Servers = append(d.Servers, Server{s.Name, s.About, "v1.2.3", s.Raw, s.Ours})
	}
	for i, s := range d.Scenarios {
		for k, sv := range d.Servers {
			r := run(s.Name, sv.Name, float64(1+k)*float64(1+i), 0.1)
			switch {
			case s.Name == "idle":
				r.Result.Idle = &load.Idle{Opened: 200, Echoed: float64(100 * (k + 1))}
			case strings.HasSuffix(s.Name, "ct"):
				r.Result.ReplyBytes = 400
			}
			d.Runs = append(d.Runs, r)
		}
	}
	return d
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 4}, 4}, {[]float64{9, 1, 4, 6}, 5}} {
		if got := median(c.v); got != c.want {
			t.Errorf("the median of %v is %g", c.v, got)
		}
	}
}

func TestSummariesLeaveOutDisturbedRuns(t *testing.T) {
	d := &Data{Servers: []Server{{Name: "slow"}, {Name: Reference}, {Name: "never"}, {Name: NetReference}}, Runs: []Run{
		run("p1", "slow", 30, 0), run("p1", "slow", 20, QuietLoad-0.01), run("p1", "slow", 99, QuietLoad), run("p1", "slow", 22, 0),
		run("p1", NetReference, 44, 0), run("p1", Reference, 11, 1), run("k1", Reference, 5, 0),
		{Scenario: "p1", Server: "slow", Error: "broken"}, {Scenario: "p1", Server: "never", Error: "broken"},
	}}
	sums := d.Summaries("p1")
	if len(sums) != 3 || sums[0].Server.Name != Reference || sums[1].Server.Name != "slow" {
		t.Fatalf("%+v", sums)
	}
	raw, slow := sums[0], sums[1]
	if slow.Median.CPU != 22 || slow.Min != 20 || slow.Max != 30 || slow.Runs != 3 || slow.All != 4 || !slow.Quiet || slow.Ratio != 2 || slow.NetRatio != 0.5 {
		t.Errorf("%+v", slow)
	}
	if raw.Quiet || raw.Runs != 1 || raw.Ratio != 1 {
		t.Errorf("%+v", raw)
	}
	if runs(slow) != "3 of 4" || runs(raw) != "1*" {
		t.Errorf("%q and %q", runs(slow), runs(raw))
	}
	if n := len(d.Failures()); n != 2 {
		t.Errorf("%d failures", n)
	}
}

func TestNoRatioWithoutReference(t *testing.T) {
	d := &Data{Servers: []Server{{Name: "a"}}, Runs: []Run{run("p1", "a", 7, 0)}}
	if s := d.Summaries("p1"); len(s) != 1 || s[0].Ratio != 0 {
		t.Errorf("%+v", s)
	}
}

func TestMarkdownHasARowForEachServer(t *testing.T) {
	d := sample()
	d.Runs[0].Result.OtherLoad = 1
	d.Runs = append(d.Runs, Run{Scenario: "p1", Server: "gws", Round: 2, Error: "it\nbroke"})
	page := Markdown(d)
	for _, want := range []string{
		"| raw-epoll | 1.00* | 2.00 |",
		"| **rolemgr** | 3.00 (3.00) | 6.00 (3.00) |",
		"## p16s: echo, 100 connections, 16 in flight sliding, 128 B",
		"| raw-epoll | 1* | 1.00 (1.00..1.00) |",
		"| reply B | kB a connection |",
		"- p1, gws, round 2: it broke",
		"![Server CPU time of each server in each scenario](benchmark.svg)",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	columns := 0
	for line := range strings.Lines(page) {
		switch n := strings.Count(line, "|"); {
		case !strings.HasPrefix(line, "|"):
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("a row of %d columns in a table of %d: %s", n-1, columns-1, line)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.4567: "0.46", 9.994: "9.99", 10.04: "10.0", 123.4: "123", 1048576: "1048576", -0.1: "-0.10"} {
		if got := number(v); got != want {
			t.Errorf("%g is %s, want %s", v, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	if got := Line(run("p1", "gws", 1, 2)); !strings.HasSuffix(got, "(disturbed)") {
		t.Error(got)
	}
	if got := Line(Run{Error: "broken"}); got != "FAILED: broken" {
		t.Error(got)
	}
}

func TestEncodedResultsAreReadBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results")
	for _, d := range []*Data{sample(), {Runs: []Run{}, Rounds: 1}} {
		b, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Read([]string{file})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, d) {
			t.Errorf("%+v is read back as %+v", d, got)
		}
	}
}

func TestReadJoins(t *testing.T) {
	dir := t.TempDir()
	store := func(name string, d *Data) string {
		b, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a := store("a", &Data{Rounds: 2, Scenarios: []Scenario{{Name: "p1"}}, Servers: []Server{{Name: "x"}}, Runs: []Run{run("p1", "x", 1, 0)}})
	b := store("b", &Data{Rounds: 1, Scenarios: []Scenario{{Name: "p1"}, {Name: "k1"}}, Servers: []Server{{Name: "y"}}, Runs: []Run{run("p1", "y", 1, 0), run("k1", "x", 1, 0)}})
	d, err := Read([]string{a, b})
	if err != nil || d.Rounds != 3 || len(d.Scenarios) != 2 || len(d.Servers) != 2 || len(d.Runs) != 3 || d.Runs[2].Round != 2 {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := Read([]string{filepath.Join(dir, "none")}); err == nil {
		t.Error("a missing file passed")
	}
	if _, err := Read(nil); err == nil {
		t.Error("no file passed")
	}
}

// mark is an element of the plot.
type mark struct {
	name, class, text string
	x, y, width       float64
}

// marks parses the plot, which must be well-formed XML.
func marks(t *testing.T, svg string) []mark {
	t.Helper()
	var all []mark
	open := false
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			m := mark{name: e.Name.Local}
			for _, a := range e.Attr {
				v, _ := strconv.ParseFloat(a.Value, 64)
				switch a.Name.Local {
				case "class":
					m.class = a.Value
				case "x":
					m.x = v
				case "y":
					m.y = v
				case "width":
					m.width = v
				}
			}
			all, open = append(all, m), true
		case xml.EndElement:
			open = false
		case xml.CharData:
			if open {
				all[len(all)-1].text += string(e)
			}
		}
	}
}

func TestSVGBarsAreToScaleAndFit(t *testing.T) {
	d := sample()
	all := marks(t, SVG(d))
	if all[0].name != "svg" {
		t.Fatalf("the first element is %s", all[0].name)
	}
	page, bars := all[0].width, map[string]int{}
	for _, m := range all {
		if m.class == "ours" || m.class == "raw" || m.class == "peer" {
			bars[m.class]++
		}
		room := 0.0 // what a letter takes at most, on average
		switch m.class {
		case "title":
			room = 7.5
		case "note":
			room = 6.2
		case "value":
			room = 6.8
		}
		if right := m.x + room*float64(len(m.text)); right > page || m.x < page/2 && right > page/2+margin/2 {
			t.Errorf("%s %q ends at %.0f of %.0f", m.class, m.text, right, page)
		}
	}
	charts := len(d.Scenarios) + 1
	if bars["ours"] != 2*charts || bars["raw"] != 2*charts || bars["peer"] != 6*charts {
		t.Errorf("%v bars in %d charts", bars, charts)
	}
	var first []mark
	for _, m := range all {
		if m.name == "rect" && m.class != "page" {
			first = append(first, m)
		}
	}
	if ratio := first[9].width / first[0].width; ratio < 9.8 || ratio > 10.2 {
		t.Errorf("a figure ten times as large has a bar %.2f times as long", ratio)
	}
}

func TestSVGIsReadableInLightAndDark(t *testing.T) {
	svg := SVG(sample())
	if !strings.Contains(svg, "@media (prefers-color-scheme: dark)") || !strings.Contains(svg, `<rect class="page"`) {
		t.Error("the plot needs a background of its own and colours for dark pages")
	}
}

func TestSVGEscapes(t *testing.T) {
	d := &Data{Scenarios: []Scenario{{Name: "a<b", About: "x & y"}}, Servers: []Server{{Name: `"q"`}}, Runs: []Run{run("a<b", `"q"`, 1, 0)}}
	found := false
	for _, m := range marks(t, SVG(d)) {
		found = found || m.text == "a<b: x & y"
	}
	if !found {
		t.Error("the title is not in the plot as it was given")
	}
}

func TestSVGOfNothing(t *testing.T) {
	marks(t, SVG(&Data{}))
}
