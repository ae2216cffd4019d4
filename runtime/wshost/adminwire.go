package wshost

import (
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// Limits of the admin socket, both ways.
const (
	maxAdminRequest  = 64 << 10
	maxAdminResponse = 64 << 20 // a hundred thousand connections fit
)

// wireStop is the body of POST /v1/stop; 0 cuts at once.
type wireStop struct {
	WithinMS int64 `json:"within_ms"`
}

// wireProbe is the answer of POST /v1/probe, and the body of POST /v1/probe/close.
type wireProbe struct {
	Addr string `json:"addr"`
}

// wireClose is the body of POST /v1/connections/close: the connections of any of the features or sites.
type wireClose struct {
	Features []string `json:"features,omitempty"`
	Sites    []uint32 `json:"sites,omitempty"`
	Code     uint16   `json:"code"`
	Reason   string   `json:"reason"`
}

// wireClosed is its answer.
type wireClosed struct {
	Closed int `json:"closed"`
}

// wireError is the body of every answer that is not 200.
type wireError struct {
	Message string           `json:"message"`
	Config  *wireConfigError `json:"config,omitempty"`
}

// wireConfigError is a config.Error. The wire names are fixed here, whatever the fields are called.
type wireConfigError struct {
	Pos      wirePos  `json:"pos"`
	HResult  uint32   `json:"hresult"`
	Section  string   `json:"section,omitempty"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
	First    int      `json:"source_first,omitempty"`
	Lines    []string `json:"source,omitempty"`
	LockedBy *wirePos `json:"locked_by,omitempty"`
	Feature  string   `json:"feature,omitempty"`
}

type wirePos struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func toWire(e *config.Error) *wireConfigError {
	w := &wireConfigError{
		Pos: wirePos(e.Pos), HResult: e.HResult, Section: e.Section, Message: e.Message, Hint: e.Hint,
		First: e.Source.First, Lines: e.Source.Lines, Feature: e.Feature,
	}
	if e.LockedBy != nil {
		p := wirePos(*e.LockedBy)
		w.LockedBy = &p
	}
	return w
}

func (w *wireConfigError) config() *config.Error {
	e := &config.Error{
		Pos: config.Pos(w.Pos), HResult: w.HResult, Section: w.Section, Message: w.Message, Hint: w.Hint,
		Source: config.Excerpt{First: w.First, Lines: w.Lines}, Feature: w.Feature,
	}
	if w.LockedBy != nil {
		p := config.Pos(*w.LockedBy)
		e.LockedBy = &p
	}
	return e
}

// remoteError is an error of the host as its client sees it: the host's text, and the configuration error below it.
type remoteError struct {
	message string
	config  *config.Error // nil for other errors
}

// Error returns the host's text.
func (e *remoteError) Error() string { return e.message }

// Unwrap returns the configuration error, if that is what it was.
func (e *remoteError) Unwrap() error {
	if e.config == nil {
		return nil
	}
	return e.config
}

// err returns the error that the host had.
func (w wireError) err() error {
	if w.Config == nil {
		return &remoteError{message: w.Message}
	}
	e := w.Config.config()
	if e.Error() == w.Message {
		return e
	}
	return &remoteError{w.Message, e}
}
