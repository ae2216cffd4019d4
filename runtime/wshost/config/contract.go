// Package config is the configuration tree of the host: the sections, location tags, inheritance, collections and
// locks of IIS, read from applicationHost.config, the drop-ins of installed features and the web.config files of sites.
//
// It is not the host: it knows no module and serves nothing. It never writes a file.
package config

import (
	"math"
	"time"
)

// Infinite is what an attribute with AllowInfinite decodes to when "Infinite" is written.
const Infinite = time.Duration(math.MaxInt64)

// OverrideMode says whether lower levels may contain a section: "Allow" or "Deny".
type OverrideMode string

// The override modes.
const (
	Allow   OverrideMode = "Allow"
	Deny    OverrideMode = "Deny"
	Inherit OverrideMode = "Inherit"
)

// Definition is the deepest level at which a section may be written (allowDefinition).
type Definition string

// The allowDefinition values that this host distinguishes.
const (
	Everywhere           Definition = "Everywhere"
	MachineToApplication Definition = "MachineToApplication"
	AppHostOnly          Definition = "AppHostOnly"
)

// Type is the type of an attribute.
type Type string

// The attribute types of the IIS schema.
const (
	Bool     Type = "bool"
	Enum     Type = "enum"
	Flags    Type = "flags"
	Uint     Type = "uint"
	Int      Type = "int"
	Int64    Type = "int64"
	String   Type = "string"
	TimeSpan Type = "timeSpan"
)

// Section declares a configuration section.
type Section struct {
	Path                string       // "system.webServer/webSocket"
	OverrideModeDefault OverrideMode // default Allow
	AllowDefinition     Definition   // default Everywhere
	NoLocation          bool         // allowLocation="false"
	LockAttributes      []string     // attributes that only applicationHost.config may set
	Element             Element      // the section element itself; its Name is the last part of Path
	Examine             Examine      // nil: the declaration says all there is to say
}

// Element declares an element: attributes, child elements, and at most one collection of entries.
type Element struct {
	Name                        string
	Attributes                  []Attribute
	Elements                    []Element
	Collection                  *Collection
	AllowUnrecognizedAttributes bool
	NoEffect                    string // why the element and all in it is accepted and changes nothing here; "" when it has an effect
	Judge                       Judge  // nil: the declaration says all there is to say
}

// Attribute declares an attribute.
type Attribute struct {
	Name          string
	Type          Type
	Default       string // in the written form; "" is the zero value of the type
	Required      bool
	Key           bool // isUniqueKey, or with more than one isCombinedKey
	CaseSensitive bool
	Expanded      bool    // %NAME% is replaced from the environment
	Secret        bool    // the value is never shown in an error (encrypted="true" in the schema of IIS)
	AllowInfinite bool    // for TimeSpan: "Infinite" is accepted
	TimeFormat    Format  // for TimeSpan: default HMS
	Values        []Value // for Enum and Flags
	Check         Check   // nil: no rule beyond the type
	NoEffect      string  // why it is accepted and changes nothing here; "" when it has an effect
	Partly        string  // what of its effect on IIS is missing here; "" when nothing is
}

// Format is how a TimeSpan is written.
type Format string

// The formats of time spans. HMS is "[d.]hh:mm:ss"; the others are whole numbers of their unit.
const (
	HMS     Format = ""
	Seconds Format = "seconds"
	Minutes Format = "minutes"
)

// Value is a named value of an Enum or Flags attribute.
type Value struct {
	Name  string
	Value int64
}

// Check validates the written value of an attribute; the error says what is allowed.
type Check func(written string) error

// Collection declares the entries of an element: <add/>, <remove/>, <clear/> or other directive names.
type Collection struct {
	Add             Element // its Name is the directive: "add", "mimeMap", "error"
	Remove          string  // directive name; "" when entries cannot be removed
	Clear           string  // directive name; "" when the collection cannot be cleared
	Prepend         bool    // mergeAppend="false": entries of lower levels come first
	AllowDuplicates bool
	// StockYields lets an entry of a person's file take the place of one with the same key that a drop-in has added,
	// without <remove>. It is for lists that a server brings along and that differ from version to version: a file that
	// was right where it comes from is no fault here.
	StockYields bool
}

// Judge says what becomes of an element where its declaration alone does not tell, as for an entry of a list of handlers
// that names a program of Windows. It is given the attributes of the element: what is written, else the default. The host
// never asks it: it serves the people who want to know what a file means (see Inspect).
type Judge func(attribute func(name string) string) Judgement

// Judgement is what a Judge says. The zero value is an element that is honoured; at most one of its fields is set,
// beside a Note.
type Judgement struct {
	NoEffect    string // why it is accepted and changes nothing here
	Feature     string // id of the feature that it needs, beside the one that owns the section
	Unsupported string // why it cannot work here, and what to use instead
	Note        string // how it is honoured, where that is not what the words say; with Feature or alone
}

// Examine looks at a section as it counts for a URL and tells what neither its declaration nor a Judge can know, because it
// takes the whole: a pattern that does not compile, a name that nothing has. alone tells that the files above are not
// known, so that nothing may be said to be missing. Like a Judge it serves people only; the host never asks it.
type Examine func(e *Effective, alone bool) []Remark

// Remark is what an Examine tells of one element, or of one attribute of it. One of Fault and the fields of its Judgement
// is set.
type Remark struct {
	At        Pos    // of the element, as Decode reports it
	Attribute string // "" for the element as a whole
	Fault     string // the owner refuses the section with 500.19, and why
	Hint      string // the next step for a Fault
	Judgement
}
