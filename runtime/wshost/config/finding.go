package config

// Verdict is what becomes of something in a configuration file. The values reach JSON.
type Verdict string

// The verdicts, the most severe first.
const (
	Faulty        Verdict = "fault"         // the file is refused with 500.19
	Unsupported   Verdict = "unsupported"   // it cannot be used here
	NeedsFeature  Verdict = "needs-feature" // a feature that is not installed would honour it
	WithoutEffect Verdict = "no-effect"     // accepted, and changes nothing here
	Ignored       Verdict = "ignored"       // passed over unread: it is not for this host
	Honoured      Verdict = "honoured"
)

// FindingKind is what a finding is about. The values reach JSON.
type FindingKind string

// The kinds of findings. Sections, elements and location tags are what is counted as elements of a file.
const (
	OfSection   FindingKind = "section"
	OfElement   FindingKind = "element"
	OfLocation  FindingKind = "location"
	OfAttribute FindingKind = "attribute"
	OfPlace     FindingKind = "place" // a fault that belongs to no element of its own: a text, the file as a whole
)

// IsElement reports whether the finding is about an element rather than a part of one.
func (k FindingKind) IsElement() bool { return k == OfSection || k == OfElement || k == OfLocation }

// Finding is one thing that a configuration file holds and what becomes of it. It never holds the value of an attribute
// beyond what an Error holds.
type Finding struct {
	Pos     Pos
	Kind    FindingKind
	Name    string // "system.webServer/staticContent/mimeMap", of an attribute ".../mimeMap/@mimeType"
	Section string // the section that it belongs to, "" outside of sections
	Verdict Verdict
	Reason  string // why; of what is honoured, a note or ""
	// Feature is what a Judge or a Known names. The feature that owns a declared section is not known here.
	Feature string
	// Fault is the fault, for Faulty.
	Fault *Error
	// Examined tells that the fault was found by an Examine: the file is well-formed, and what it needs is known.
	Examined bool
	// Parent is the index of the finding of the element around it, -1 when there is none.
	Parent int
}
