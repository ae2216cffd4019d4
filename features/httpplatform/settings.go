package httpplatform

import (
	"errors"
	"path"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// settings are what makes the processes of an application, whichever section says it. Two that are equal make the same
// processes, so they can be compared.
type settings struct {
	section    string
	program    string // as written; settings of iisnode hold its whole command line here
	arguments  string
	script     string // of iisnode: below folder, slash-separated; "" for the others
	folder     string // of the application's root
	appPath    string
	startup    time.Duration
	shutdown   time.Duration // from SIGTERM to SIGKILL
	request    time.Duration
	drain      time.Duration
	retries    int // of a start
	rapidFails int // per minute; 0 is no limit
	processes  int
	concurrent int    // requests of one process; 0 is no limit
	log        string // the beginning of log files; "" when what processes write is not kept
	env        string // "NAME=value" entries, each ended by a NUL
	watch      string // patterns of files, each ended by a NUL
	promote    string // server variables that become header fields, between commas
	user       string
	showsError bool // the page of a failed start says why, for local clients
}

// shutdownDefault is how long a process of <httpPlatform>, which has no attribute for it, may take to end.
const shutdownDefault = 10 * time.Second

// identity is what an application is known by while its settings change.
type identity struct {
	site    uint32
	appPath string
	section string
	file    string // where its section was last written
	script  string
}

// read returns the settings of the application that a request of a module is for.
func read(name string, q *module.Request, urlPath string) (settings, identity, error) {
	appPath, folder := q.Application(urlPath)
	if folder == "" {
		return settings{}, identity{}, errors.New("the request belongs to no application")
	}
	if q.Handler != nil && name == nodeModule {
		urlPath = q.Handler.Script
	}
	s := settings{folder: folder, appPath: appPath}
	var err error
	switch name {
	case nodeModule:
		err = s.readNode(q.Config, strings.TrimPrefix(below(appPath, urlPath), "/"))
	case platformModule:
		err = s.readPlatform(q.Config, platformPath)
	default:
		err = s.readPlatform(q.Config, corePath)
	}
	pos, _ := q.Config.Origin(s.section)
	return s, identity{site: q.SiteID, appPath: strings.ToLower(appPath), section: s.section, file: pos.File, script: s.script}, err
}

// below returns what follows the path of an application in a URL path that belongs to it.
func below(appPath, urlPath string) string {
	if appPath == "/" {
		return urlPath
	}
	return urlPath[min(len(appPath), len(urlPath)):]
}

func (s *settings) readPlatform(e *config.Effective, section string) error {
	c, err := config.Decode[platformConfig](e, section)
	if err != nil {
		return err
	}
	s.section, s.program, s.arguments = section, c.Path, c.Arguments
	s.startup, s.request, s.drain = time.Duration(c.Startup)*time.Second, c.Request, c.Drain
	s.rapidFails, s.processes, s.showsError = int(c.RapidFails), int(c.Processes), true
	s.shutdown, s.user = shutdownDefault, c.User
	if c.LogEnabled {
		s.log = s.local(c.LogFile)
	}
	for _, v := range c.Environment.Entries {
		s.env += v.Name + "=" + v.Value + "\x00"
	}
	for _, f := range c.Recycle.Entries {
		s.watch += slashes(f.Path) + "\x00"
	}
	if section == platformPath {
		o, err := config.Decode[platformOnly](e, section)
		if err != nil {
			return err
		}
		s.retries = int(o.Retries)
		return nil
	}
	o, err := config.Decode[coreOnly](e, section)
	if err != nil {
		return err
	}
	s.shutdown, s.showsError = time.Duration(o.Shutdown)*time.Second, !o.NoPage
	return nil
}

// nodeStartup is how long node may take until it listens; iisnode has no attribute for it.
const nodeStartup = 60 * time.Second

func (s *settings) readNode(e *config.Effective, script string) error {
	c, err := config.Decode[nodeConfig](e, nodePath)
	if err != nil {
		return err
	}
	s.section, s.program, s.script = nodePath, c.CommandLine, script
	s.startup, s.shutdown, s.drain = nodeStartup, time.Duration(c.Shutdown)*time.Millisecond, c.Drain
	s.rapidFails, s.concurrent, s.showsError = 10, int(c.Concurrent), c.DevErrors
	if s.processes = int(c.Processes); s.processes == 0 {
		s.processes = processors()
	}
	if c.LogEnabled {
		s.log = s.local(c.LogDir + "/" + path.Base(script))
	}
	if c.Env != "" && !strings.HasPrefix(c.Env, "%") {
		s.env = "NODE_ENV=" + c.Env + "\x00"
	}
	for pattern := range strings.SplitSeq(c.Watched, ";") {
		// node_modules\* is among the defaults; what npm does there is no change of the program until its own files change.
		if pattern = slashes(strings.TrimSpace(pattern)); pattern != "" && !strings.HasPrefix(pattern, "node_modules/") {
			s.watch += path.Join(path.Dir(script), pattern) + "\x00"
		}
	}
	s.promote, s.user = c.Promote, c.User
	return nil
}

// slashes makes a path of Windows, as files brought from there have them, one of this system.
func slashes(p string) string { return strings.ReplaceAll(p, `\`, "/") }

// local returns the absolute form of a path that counts from the root of the application.
func (s *settings) local(p string) string {
	p = slashes(p)
	if gateway.AbsWindows(p) { // a folder that cannot exist here
		p = path.Base(p)
	}
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join(s.folder, p)
}

// entries splits a list whose entries are each ended by a NUL.
func entries(list string) []string {
	var out []string
	for e := range strings.SplitSeq(list, "\x00") {
		if e != "" {
			out = append(out, e)
		}
	}
	return out
}
