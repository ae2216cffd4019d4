package config

import "time"

// Options says where a Tree is read from.
type Options struct {
	// AppHost is the path of applicationHost.config.
	AppHost string
	// DropInDir is the folder of the drop-ins of installed features (*.config), merged in the order of their names as
	// if they stood before applicationHost.config at the same level: applicationHost.config can override them.
	DropInDir string
	// BaseDir is what relative physical paths in applicationHost.config are relative to: the server's home.
	BaseDir string
	// Schema declares the sections.
	Schema *Schema
	// Getenv expands %NAME%; nil means os.Getenv.
	Getenv func(string) string
}

// Open reads applicationHost.config and the drop-ins. It fails with a *Error when one of them cannot be used at all
// or when the sites cannot be known; faults that concern only some URLs are reported by Effective.
func Open(o Options) (*Tree, error) { panic("contract") }

// Tree is a configuration tree as of one Open: applicationHost.config and the drop-ins are read once, the web.config
// files of sites are read when a URL needs them and re-read when they change. Methods may be called concurrently.
type Tree struct{}

// Site is a site as declared in <system.applicationHost><sites>.
type Site struct {
	ID           uint32
	Name         string
	AutoStart    bool
	Bindings     []Binding
	Applications []Application // "/" is always present; longest path first
	Limits       Limits
	LogFile      LogFile
	Pos          Pos
}

// Binding is one binding of a site: "http" with "IP:port:host".
type Binding struct {
	Protocol string
	Address  string // IP, "" or "*" for all
	Port     int
	Host     string // host header, "" for any
	Pos      Pos
}

// Application is an application of a site with its virtual directories, longest path first; "/" is always present.
type Application struct {
	Path        string
	VirtualDirs []VirtualDir
}

// VirtualDir maps a URL path below its application to a folder.
type VirtualDir struct {
	Path         string // relative to the application, "/" for its root
	PhysicalPath string // absolute
}

// Limits are the limits of a site.
type Limits struct {
	MaxConnections    uint32
	ConnectionTimeout time.Duration
	MaxURLSegments    uint32
}

// LogFile is where and what a site logs.
type LogFile struct {
	Enabled           bool
	Directory         string   // absolute; "" for the server's default
	Period            string   // "Daily"
	Fields            []string // names of logExtFileFlags
	LocalTimeRollover bool
	LogSiteID         bool
}

// Sites returns the declared sites, by id.
func (t *Tree) Sites() []Site { panic("contract") }

// Server returns the configuration of the server level: drop-ins and applicationHost.config without location tags.
// It is what a Module sees at Provision, and what the host's probe site runs under.
func (t *Tree) Server() (*Effective, error) { panic("contract") }

// Effective returns the configuration of a URL path of a site. urlPath is decoded and begins with "/". The result is
// immutable and shared; it is computed once per folder and file state. When any section that applies there is at
// fault the error is a *Error, to be answered with 500.19. site "" is the server level.
func (t *Tree) Effective(site, urlPath string) (*Effective, error) { panic("contract") }

// Map returns the physical path of a URL path of a site, and the URL path of the virtual directory that holds it
// with its folder. It does not touch the disk.
func (t *Tree) Map(site, urlPath string) (physical, vdirURL, vdirDir string, ok bool) {
	panic("contract")
}

// Effective is the merged configuration of one URL. It is immutable and may be used concurrently.
type Effective struct{}

// Origin returns where the given section was last written for this URL, or false when it has its schema defaults.
func (e *Effective) Origin(section string) (Pos, bool) { panic("contract") }

// Has reports whether a named entry (by key) is in a collection section such as "system.webServer/modules".
func (e *Effective) Has(section, key string) bool { panic("contract") }

// Decode returns the section as a T, a struct whose fields are tagged `config:"name"` with the names of attributes,
// of child elements (struct fields) and, as `config:",collection"`, of the entries (a slice of structs). Fields are
// bool, string, uint32, int, int64, time.Duration and []string (flags). The result is made once per Effective, section
// and type and shared: callers must not change it. An error means that T does not fit the section's declaration.
func Decode[T any](e *Effective, section string) (*T, error) { panic("contract") }
