package main

import (
	"bytes"
	"fmt"
	"io"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// diffLine is a line that goes or comes.
type diffLine struct {
	Op   string `json:"op"`   // "-", "+"
	Line int    `json:"line"` // in the file before for "-", after for "+"
	Text string `json:"text"`
}

// maxDiffCells bounds the table in which two texts are compared; beyond it everything between the first and the last
// difference counts as changed.
const maxDiffCells = 1 << 22

// diffLines compares two versions of a configuration file. Values that are nobody's business are left out.
func diffLines(before, after []byte, schema *config.Schema) []diffLine {
	a, b := splitLines(before), splitLines(after)
	shownA, shownB := config.ShownLines(before, schema), config.ShownLines(after, schema)
	lo := 0
	for lo < len(a) && lo < len(b) && bytes.Equal(a[lo], b[lo]) {
		lo++
	}
	hiA, hiB := len(a), len(b)
	for hiA > lo && hiB > lo && bytes.Equal(a[hiA-1], b[hiB-1]) {
		hiA, hiB = hiA-1, hiB-1
	}
	var out []diffLine
	add := func(op string, i int, shown []string) {
		text := "…"
		if i < len(shown) {
			text = shown[i]
		}
		out = append(out, diffLine{op, i + 1, text})
	}
	keep := common(a[lo:hiA], b[lo:hiB])
	i, j := lo, lo
	for _, k := range append(keep, [2]int{hiA - lo, hiB - lo}) {
		for ; i < lo+k[0]; i++ {
			add("-", i, shownA)
		}
		for ; j < lo+k[1]; j++ {
			add("+", j, shownB)
		}
		i, j = lo+k[0]+1, lo+k[1]+1
	}
	return out
}

// common returns a longest sequence of lines that both have, as pairs of indices.
func common(a, b [][]byte) [][2]int {
	if len(a)*len(b) > maxDiffCells {
		return nil
	}
	width := len(b) + 1
	length := make([]int, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if bytes.Equal(a[i], b[j]) {
				length[i*width+j] = length[(i+1)*width+j+1] + 1
			} else {
				length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
			}
		}
	}
	var keep [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case bytes.Equal(a[i], b[j]):
			keep = append(keep, [2]int{i, j})
			i, j = i+1, j+1
		case length[(i+1)*width+j] >= length[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return keep
}

// splitLines cuts at line ends; the byte order mark is no part of a line.
func splitLines(text []byte) [][]byte {
	if text == nil {
		return nil
	}
	text = bytes.TrimSuffix(text, []byte("\n")) // ends the last line and begins none
	return bytes.Split(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), []byte("\n"))
}

// writeDiff shows the lines that change, with the numbers that they have.
func writeDiff(w io.Writer, file string, isNew bool, lines []diffLine) {
	if isNew {
		file += " (new)"
	}
	fmt.Fprintln(w, file)
	for _, l := range lines {
		fmt.Fprintf(w, "  %s %4d | %s\n", l.Op, l.Line, l.Text)
	}
}
