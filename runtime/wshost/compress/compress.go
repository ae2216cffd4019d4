// Package compress holds what the two compression features have in common: the content codings with pools of their
// encoders, the choice among them by Accept-Encoding, the types that are worth it, and the two sections that both read.
//
// It is no module: it answers no request and keeps no file. Package features/staticcompression keeps compressed copies of
// files, package features/dynamiccompression compresses answers while they are sent.
package compress

import (
	"slices"
	"strings"
)

// Coding is a content coding by its registered name (RFC 9110, section 16.6.1), as it stands in Accept-Encoding,
// Content-Encoding and in the names of schemes.
type Coding string

// The content codings that are produced here.
const (
	Identity Coding = "identity" // none
	Gzip     Coding = "gzip"     // RFC 1952
	Deflate  Coding = "deflate"  // the zlib format, RFC 1950 (RFC 9110, section 8.4.1.2)
	Brotli   Coding = "br"       // RFC 7932
	Zstd     Coding = "zstd"     // RFC 8878
)

// Known returns the coding of that name. x-gzip is gzip (RFC 9110, section 8.4.1.3).
func Known(name string) (Coding, bool) {
	switch c := Coding(strings.ToLower(name)); c {
	case Gzip, Deflate, Brotli, Zstd:
		return c, true
	case "x-gzip":
		return Gzip, true
	}
	return "", false
}

// maxElements is how many elements of Accept-Encoding are read; nobody honest sends as many.
const maxElements = 64

// Choose returns the coding of offers, the server's favourite first, that a client wants most by its Accept-Encoding
// fields (RFC 9110, section 12.5.3), or Identity. Where the client does not care, the server's order decides. A client
// that sends no such field may not know any coding; one that refuses everything, identity included, gets Identity: an
// answer that it may not want is better than none.
func Choose(fields []string, offers []Coding) Coding {
	if len(fields) == 0 || len(offers) == 0 {
		return Identity
	}
	a := parse(fields, offers)
	best, most := Identity, 0
	for i, c := range offers {
		q := a.weights[min(i, len(a.weights)-1)]
		if q < 0 {
			q = max(a.any, 0)
		}
		if q > most {
			best, most = c, q
		}
	}
	if identity := a.identity; identity >= 0 && identity > most || identity < 0 && a.any > most {
		return Identity
	}
	return best
}

// maxOffers bounds the codings that are told apart: more than there are.
const maxOffers = 8

// accepted is an Accept-Encoding as it concerns the offers. Weights are thousandths; -1 is not mentioned.
type accepted struct {
	weights       [maxOffers]int
	identity, any int
}

func parse(fields []string, offers []Coding) accepted {
	a := accepted{identity: -1, any: -1}
	for i := range a.weights {
		a.weights[i] = -1
	}
	n := 0
	for _, f := range fields {
		for element := range strings.SplitSeq(f, ",") {
			if n++; n > maxElements {
				return a
			}
			name, params, _ := strings.Cut(element, ";")
			name = trim(name)
			q, ok := weight(params)
			if name == "" || !ok {
				continue // what is not well-formed says nothing
			}
			switch {
			case name == "*":
				a.any = q
			case strings.EqualFold(name, string(Identity)):
				a.identity = q
			default:
				if c, ok := Known(name); ok {
					if i := slices.Index(offers, c); i >= 0 && i < maxOffers {
						a.weights[i] = q
					}
				}
			}
		}
	}
	return a
}

// weight reads the parameters of an element, of which q is the only one that means anything (RFC 9110, section 12.4.2):
// thousandths, a thousand where there is none.
func weight(params string) (int, bool) {
	if params == "" {
		return 1000, true
	}
	q := 1000
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(trim(p), "=")
		if !strings.EqualFold(trim(name), "q") {
			continue
		}
		var ok bool
		if q, ok = qvalue(trim(value)); !ok {
			return 0, false
		}
	}
	return q, true
}

// qvalue reads 0 to 1 with up to three digits behind the point.
func qvalue(s string) (int, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	if whole != "0" && whole != "1" || len(fraction) > 3 || strings.Trim(fraction, "0123456789") != "" {
		return 0, false
	}
	q, scale := int(whole[0]-'0')*1000, 100
	for i := range len(fraction) {
		q += int(fraction[i]-'0') * scale
		scale /= 10
	}
	return q, q <= 1000
}

func trim(s string) string { return strings.Trim(s, " \t") }
