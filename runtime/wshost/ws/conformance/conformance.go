// Package conformance judges WebSocket endpoints by RFC 6455 and RFC 7692: Run is a fuzzing client for servers, Serve a
// fuzzing server for clients. Both walk the same list of cases, and each case says what it sends, what it expects and
// where that is written.
//
// It is not built on package ws, whose judge it is too, and it measures no speed. The endpoint under test must echo
// every message: same opcode, same payload.
package conformance

import "slices"

// Outcome is what became of a case. The words stand in reports.
type Outcome string

// The outcomes.
const (
	// OK is the behaviour that the specification asks for.
	OK Outcome = "ok"
	// NonStrict is behaviour that the specification allows or tolerates, but does not recommend.
	NonStrict Outcome = "non-strict"
	// Failed is behaviour against the specification, or none within the deadline.
	Failed Outcome = "failed"
	// Informational is a matter of policy, as a limit: reported, not judged.
	Informational Outcome = "informational"
	// Skipped is a case on something optional that the endpoint does not offer.
	Skipped Outcome = "skipped"
)

// Outcomes returns all outcomes in the order of reports.
func Outcomes() []Outcome { return []Outcome{OK, NonStrict, Failed, Informational, Skipped} }

// Subject is the kind of endpoint under test.
type Subject string

// The subjects.
const (
	Server Subject = "server"
	Client Subject = "client"
)

// Expectation is one behaviour that a case knows, and the outcome that it means. What none describes is Failed.
type Expectation struct {
	Outcome Outcome `json:"outcome"`
	Seen    string  `json:"seen"`
}

// Case is one check of one rule. Cases are values: they hold no state of a run.
type Case struct {
	// ID is stable: an RFC, its section, and a number within it, as "6455-5.4-03". Numbers are never given twice.
	ID string
	// Group is the part of the report that the case stands in.
	Group string
	// Title says what is tried.
	Title string
	// Section is where the rule is written: "RFC 6455, section 5.4".
	Section string

	subjects []Subject
	script   []step
	want     []alternative
	opening  *opening // for servers: instead of script and want
	answer   *answer  // for clients: the answer to the opening handshake, before script
	deflate  *terms   // what to negotiate before script
	known    known    // makes script and want from the limit of the endpoint
}

// Judges reports whether the case can be run against such a subject.
func (c Case) Judges(s Subject) bool { return slices.Contains(c.subjects, s) }

// Sends describes what goes over the line, step by step.
func (c Case) Sends() []string {
	if c.opening != nil {
		return c.opening.sends()
	}
	var out []string
	if c.answer != nil {
		out = append(out, "answer the opening handshake "+c.answer.about)
	}
	if c.deflate != nil {
		out = append(out, c.deflate.String())
	}
	for _, s := range c.script {
		out = append(out, s.String())
	}
	return out
}

// Expects lists the behaviours known, the best first.
func (c Case) Expects() []Expectation {
	if c.opening != nil {
		return c.opening.expects()
	}
	var out []Expectation
	for _, a := range c.want {
		out = append(out, Expectation{a.outcome, a.String()})
	}
	return out
}

// Cases returns every case in the order of the report.
func Cases() []Case {
	d := &deck{count: map[string]int{}}
	framing(d)
	echoes(d)
	fragmentation(d)
	controls(d)
	pings(d)
	reserved(d)
	masking(d)
	text(d)
	closing(d)
	limits(d)
	openings(d)
	answers(d)
	negotiation(d)
	compression(d)
	combinations(d)
	reservedOnBinary(d)
	sizes(d)
	knownLimits(d)
	pressure(d)
	return d.grouped()
}

// CasesFor returns the cases that can be run against such a subject.
func CasesFor(s Subject) []Case {
	return slices.DeleteFunc(Cases(), func(c Case) bool { return !c.Judges(s) })
}
