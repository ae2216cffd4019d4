package main

import (
	"context"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
)

// installState is the install state of a unit. The values reach JSON output.
type installState string

// The install states.
const (
	stateAvailable   installState = "available"
	stateInstalled   installState = "installed"
	stateDrifted     installState = "drifted" // recorded, but its files are not what was recorded
	stateUnavailable installState = "not-available"
	stateNotBuilt    installState = "not-built"
	stateUnknown     installState = "unknown" // recorded by another version; this one does not know it
)

// label returns the state as Server Manager writes it.
func (s installState) label() string {
	switch s {
	case stateInstalled:
		return "Installed"
	case stateDrifted:
		return "Drifted"
	case stateUnavailable:
		return "Not available"
	case stateNotBuilt:
		return "Not built yet"
	case stateUnknown:
		return "Unknown"
	}
	return "Available"
}

// box returns the tick in front of a unit.
func (s installState) box() string {
	if s.installed() {
		return "[X]"
	}
	return "[ ]"
}

// installed reports whether the unit is recorded as installed.
func (s installState) installed() bool {
	return s == stateInstalled || s == stateDrifted || s == stateUnknown
}

// survey is what is recorded on a server, compared with its files.
type survey struct {
	state    state.State
	recorded map[features.ID]state.Feature
	files    map[features.ID][]target.FileCheck
	drifted  map[features.ID]bool
}

// surveyServer reads the state and compares the files. It writes nothing.
func surveyServer(ctx context.Context, t target.Target) (survey, error) {
	v := survey{
		recorded: map[features.ID]state.Feature{},
		files:    map[features.ID][]target.FileCheck{}, drifted: map[features.ID]bool{},
	}
	var err error
	if v.state, err = t.State(ctx); err != nil {
		return v, err
	}
	checks, err := t.Verify(ctx)
	if err != nil {
		return v, err
	}
	for _, f := range v.state.Features {
		v.recorded[features.ID(f.ID)] = f
	}
	for _, check := range checks {
		v.files[check.Unit] = append(v.files[check.Unit], check)
		if check.State != target.FileOK {
			v.drifted[check.Unit] = true
		}
	}
	return v, nil
}

// strangers returns the recorded features that the catalogue does not know, as units with nothing but an id.
func (v survey) strangers(cat *features.Catalog) []features.Unit {
	var units []features.Unit
	for _, f := range v.state.Features {
		if _, known := cat.Unit(features.ID(f.ID)); !known {
			units = append(units, features.Unit{ID: features.ID(f.ID), Title: f.ID})
		}
	}
	return units
}

// of returns the install state of a unit.
func (v survey) of(u features.Unit) installState {
	_, recorded := v.recorded[u.ID]
	switch {
	case recorded && u.Kind == "":
		return stateUnknown
	case recorded && v.drifted[u.ID]:
		return stateDrifted
	case recorded:
		return stateInstalled
	case u.Unavailable == nil:
		return stateAvailable
	case u.Unavailable.NotBuilt:
		return stateNotBuilt
	}
	return stateUnavailable
}
