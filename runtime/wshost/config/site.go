package config

import "time"

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
	Info     string // bindingInformation as written; all there is for protocols other than http and https
	SSLFlags uint32
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
	// NoSubDirConfig keeps web.config files below the folder of the virtual directory from being read.
	NoSubDirConfig bool
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
	Format            string   // "W3C"
	Directory         string   // absolute; "" for the server's default
	Period            string   // "Daily"
	Fields            []string // names of logExtFileFlags
	LocalTimeRollover bool
	LogSiteID         bool
}
