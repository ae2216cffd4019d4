package config

// Known is a section that the schema knows without it being usable: that of a feature that is not installed, or one
// that is ignored on purpose.
type Known struct {
	Path    string // "system.web" covers the group and everything below it
	Ignored bool   // accepted and skipped, never printed
	Feature string // id of the feature that would own it
	Title   string // its title
	Reason  string // why it cannot be used here, when no feature can provide it
}

// Schema is an immutable set of section declarations.
type Schema struct{}

// NewSchema builds a schema from usable sections and from sections that are only known. It returns every fault of the
// declarations at once: a duplicate section, a default that its own type refuses, a collection without key.
func NewSchema(sections []Section, known []Known) (*Schema, error) { panic("contract") }

// CoreSections returns the sections that belong to the host itself rather than to a feature: system.applicationHost
// (sites, log, webLimits), system.webServer/globalModules and system.webServer/modules.
func CoreSections() []Section { panic("contract") }

// IntegerRange allows the integers from min to max.
func IntegerRange(min, max int64) Check { panic("contract") }

// TimeSpanRange allows time spans from min to max seconds in steps of granularity seconds.
func TimeSpanRange(min, max, granularity int64) Check { panic("contract") }

// NonEmpty refuses the empty string.
func NonEmpty() Check { panic("contract") }
