// Package features says what can be installed: the units, the catalogue that finds them by any of their names, and
// the resolver that turns a wish into a complete, ordered selection with a reason for every part of it.
//
// It changes nothing on disk and knows nothing of a particular server: see internal/plan and internal/apply.
package features

import (
	"io/fs"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// ID names a unit on disk and in commands: lower-case, hyphenated, stable for ever.
type ID string

// Kind is what Windows Server calls a node of the tree.
type Kind string

// The kinds of nodes.
const (
	Role        Kind = "Role"
	RoleService Kind = "Role Service"
	Feature     Kind = "Feature"
)

// Level is a server level, the IIS version that a server stands for: "7.0", "7.5", "8.0", "8.5", "10.0".
type Level string

// Unit is one node of the role tree: a role, a group, or a role service that can be installed.
type Unit struct {
	ID, Parent  ID // Parent is "" for a root
	Kind        Kind
	WindowsName string    // "Web-WebSockets"; "" for nodes of our own
	DISMName    string    // "IIS-WebSockets"; "" for nodes of our own
	Title       string    // "WebSocket Protocol"
	Since       Level     // first level that has it; "" for nodes of our own, which every level has
	Until       Level     // last level that has it; "" for all later ones
	Default     bool      // installed with its role
	Tool        bool      // a management tool: not a default service, taken with IncludeManagementTools
	Rank        int       // place among its siblings where Server Manager has an order of its own; 0 for nearly all
	Group       bool      // a node that only holds others and adds nothing by itself
	Doc         string    // Markdown for people: `rolemgr show`, the wizard's description pane. First line: one sentence
	Requires    []Require // beside the ancestors, which are always required
	Conflicts   []Conflict
	Unavailable *Unavailable // nil when it can be installed

	// Assets are files to put below the server's home, at their own path; they belong to rolemgr and are removed with
	// the unit: config/features.d/<id>.config.
	Assets fs.FS
	// Seeds are files to put only where no file is yet; from then on they belong to a person and are never changed or
	// removed: config/applicationHost.config, sites/default/index.html.
	Seeds fs.FS
	// Probe is how to see that the unit works on a running host.
	Probe Probe
	// Modules are what it contributes to the request pipeline.
	Modules []module.Info
}

// Require is a unit that another one needs, and why: the reason is shown when it is pulled in.
type Require struct {
	ID  ID
	Why string
}

// Conflict is a unit that cannot be installed together with another one, and why.
type Conflict struct {
	ID  ID
	Why string
}

// Unavailable says why a node of the tree cannot be installed here.
type Unavailable struct {
	NotBuilt bool   // true: a later version will have it; false: it cannot exist outside Windows
	Reason   string // "ASP.NET 4.5 runs only on the .NET Framework, which exists only on Windows"
	Instead  string // what to use instead, with the command where there is one; may be ""
}

// ProbeKind is how a probe looks at a unit.
type ProbeKind string

// The kinds of probes.
const (
	ProbeNone      ProbeKind = ""          // nothing to see: a group
	ProbeModule    ProbeKind = "module"    // the running generation has loaded the unit's modules
	ProbeHTTP      ProbeKind = "http"      // a GET answers as told
	ProbeWebSocket ProbeKind = "websocket" // an opening handshake, one echoed message, a closing handshake
)

// Probe is data: how to see that a unit works, on the host's probe site. The probe site is served by the live
// generation under the configuration of the server level, on a loopback port that exists only while a probe runs.
// Its files are probe.txt ("rolemgr probe\n") and Default.htm; the echo endpoint is /echo.
type Probe struct {
	Kind     ProbeKind `json:"kind,omitempty"`
	Path     string    `json:"path,omitempty"`     // URL path
	Status   int       `json:"status,omitempty"`   // expected status for ProbeHTTP
	Header   string    `json:"header,omitempty"`   // "Name: value" that the answer must have; may be ""
	Contains string    `json:"contains,omitempty"` // text that the body must hold; may be ""
}
