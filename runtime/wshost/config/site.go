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
	HSTS         HSTS
	Pos          Pos
}

// Binding is one binding of a site: "http" or "https" with "IP:port:host".
type Binding struct {
	Protocol string
	Address  string // IP, "" or "*" for all
	Port     int
	Host     string // host header, "" for any
	Info     string // bindingInformation as written; all there is for protocols other than http and https
	SSLFlags uint32
	// CertificateFile and PrivateKeyFile are PEM files, absolute; "" for none. They are attributes of this host's own, for
	// IIS keeps the certificate of a binding outside of its configuration. A certificate without a key of its own holds
	// the key too.
	CertificateFile, PrivateKeyFile string
	// ClientAuthorityFile holds the authorities that client certificates are judged by; "" for those of the system.
	ClientAuthorityFile string
	Pos                 Pos
}

// The bits of a binding's sslFlags that this host looks at. The others switch off what it does not have.
const (
	SSLNameRequired  uint32 = 1  // the binding is for clients that name its host (SNI)
	SSLCentralStore  uint32 = 2  // the certificate is a file of the central store, found by the host name
	SSLDisableHTTP2  uint32 = 4  // of IIS 10
	SSLDisableTLS13  uint32 = 32 // of IIS 10
	CentralStoreName        = "certificates"
)

// HSTS is what a site tells browsers of https (RFC 6797).
type HSTS struct {
	Enabled           bool
	MaxAge            uint32 // seconds
	IncludeSubDomains bool
	Preload           bool
	Redirect          bool // requests over http are sent to https
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
