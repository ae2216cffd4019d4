package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A layered is an element over those that hold its defaults: an attribute that the first does not set is looked up in
// the next, and at last in the declaration.
type layered []*element

// sub returns a child element, layered the same way.
func (l layered) sub(name string) layered {
	var subs layered
	for _, e := range l {
		if i, ok := e.decl.elems[name]; ok {
			if kid := e.kids[i]; kid != nil {
				subs = append(subs, kid)
			} else {
				subs = append(subs, newElement(e.decl.kids[i]))
			}
		}
	}
	return subs
}

func (l layered) get(name string) value {
	for _, e := range l {
		if i, ok := e.decl.attrs[name]; ok && e.vals[i].set {
			return e.vals[i]
		}
	}
	return l[0].get(l[0].decl.attrs[name])
}

func (l layered) flag(name string) bool { return l.get(name).num != 0 }

// readSites reads the sites of the server level.
func (t *Tree) readSites() (errs []*Error) {
	st := t.base.eff.state(sitesPath)
	if st == nil {
		return nil
	}
	ids := map[uint32]*element{}
	bound := map[string]Pos{}
	root := layered{st.root}
	for _, e := range st.root.items {
		s, places, err := t.readSite(e, root)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if old := ids[s.ID]; old != nil {
			errs = append(errs, e.at.fault(HResultDuplicate, sitesPath, fmt.Sprintf("site %q has the id %d, as the site in %s has", s.Name, s.ID, old.at.pos()), "give it an id of its own"))
		}
		ids[s.ID] = e
		for i, b := range s.Bindings {
			key := b.key()
			if old, taken := bound[key]; taken && b.Port != 0 {
				errs = append(errs, places[i].fault(HResultDuplicate, sitesPath, fmt.Sprintf("the binding %q of site %q is also in %s", b.Info, s.Name, old), "give it another port or host name"))
			}
			bound[key] = b.Pos
		}
		t.sites = append(t.sites, *s)
	}
	slices.SortFunc(t.sites, func(a, b Site) int { return cmp.Compare(a.ID, b.ID) })
	return errs
}

// readSite reads one site. It returns the places of its bindings too.
func (t *Tree) readSite(e *element, root layered) (s *Site, places []place, fault *Error) {
	site := append(layered{e}, root.sub("siteDefaults")...)
	s = &Site{
		ID: uint32(site.get("id").num), Name: site.get("name").text, AutoStart: site.flag("serverAutoStart"), Pos: e.at.pos(),
	}
	for _, l := range site.sub("bindings") {
		for _, item := range l.items {
			b, err := t.readBinding(item)
			if err != nil {
				return nil, nil, err
			}
			s.Bindings, places = append(s.Bindings, *b), append(places, item.at)
		}
		if len(l.items) > 0 {
			break // bindings of its own replace those of siteDefaults
		}
	}
	limits := site.sub("limits")
	s.Limits = Limits{
		MaxConnections:    uint32(limits.get("maxConnections").num),
		ConnectionTimeout: time.Duration(limits.get("connectionTimeout").num),
		MaxURLSegments:    uint32(limits.get("maxUrlSegments").num),
	}
	s.HSTS = readHSTS(site.sub("hsts"))
	log := site.sub("logFile")
	if dir := log.get("directory"); isWindowsPath(dir.text) {
		return nil, nil, dir.at.fault(HResultMalformed, sitesPath, fmt.Sprintf("directory=%q is a path of Windows", dir.text), "write a folder of this system, or one relative to the server's home")
	}
	s.LogFile = LogFile{
		Enabled: log.flag("enabled"), Format: log.get("logFormat").text, Directory: t.absolute(log.get("directory").text), Period: log.get("period").text,
		LocalTimeRollover: log.flag("localTimeRollover"), LogSiteID: log.flag("logSiteId"),
	}
	if fields := log.get("logExtFileFlags").text; fields != "" {
		s.LogFile.Fields = strings.Split(fields, ", ")
	}
	apps := append(layered{e}, root...).sub("applicationDefaults")
	vdirs := append(layered{e}, root...).sub("virtualDirectoryDefaults")
	for _, item := range e.items {
		a, err := t.readApplication(s, item, apps, vdirs)
		if err != nil {
			return nil, nil, err
		}
		s.Applications = append(s.Applications, *a)
	}
	slices.SortStableFunc(s.Applications, func(a, b Application) int { return cmp.Compare(len(b.Path), len(a.Path)) })
	if len(e.items) == 0 || s.Applications[len(s.Applications)-1].Path != "/" {
		return nil, nil, e.at.fault(HResultMalformed, sitesPath, fmt.Sprintf("site %q has no application with the path \"/\"", s.Name),
			`add <application path="/"><virtualDirectory path="/" physicalPath="..." /></application>`)
	}
	return s, places, nil
}

func readHSTS(l layered) HSTS {
	return HSTS{
		Enabled: l.flag("enabled"), MaxAge: uint32(l.get("max-age").num), IncludeSubDomains: l.flag("includeSubDomains"),
		Preload: l.flag("preload"), Redirect: l.flag("redirectHttpToHttps"),
	}
}

func (t *Tree) readApplication(s *Site, e *element, apps, vdirs layered) (*Application, *Error) {
	app := append(layered{e}, apps...)
	a := &Application{Path: app.get("path").text}
	vdirs = append(layered{e}.sub("virtualDirectoryDefaults"), vdirs...)
	for _, item := range e.items {
		v := append(layered{item}, vdirs...)
		dir := VirtualDir{Path: v.get("path").text, PhysicalPath: t.absolute(v.get("physicalPath").text), NoSubDirConfig: !v.flag("allowSubDirConfig")}
		if dir.Path == "" {
			dir.Path = "/"
		}
		if written := v.get("physicalPath").text; isWindowsPath(written) {
			return nil, item.at.fault(HResultMalformed, sitesPath, fmt.Sprintf("physicalPath=%q is a path of Windows", written), "write a folder of this system, or one relative to the server's home")
		}
		if dir.PhysicalPath == "" || !filepath.IsAbs(dir.PhysicalPath) {
			return nil, item.at.fault(HResultMalformed, sitesPath, fmt.Sprintf("virtual directory %q of site %q has no physical path", dir.Path, s.Name), `write physicalPath="folder"`)
		}
		a.VirtualDirs = append(a.VirtualDirs, dir)
	}
	slices.SortStableFunc(a.VirtualDirs, func(a, b VirtualDir) int { return cmp.Compare(len(b.Path), len(a.Path)) })
	if n := len(a.VirtualDirs); n == 0 || a.VirtualDirs[n-1].Path != "/" {
		return nil, e.at.fault(HResultMalformed, sitesPath, fmt.Sprintf("application %q of site %q has no virtual directory with the path \"/\"", a.Path, s.Name),
			`add <virtualDirectory path="/" physicalPath="..." />`)
	}
	return a, nil
}

// absolute resolves a path of applicationHost.config. Back-slashes are those of people who come from Windows.
func (t *Tree) absolute(p string) string {
	if p == "" {
		return ""
	}
	p = strings.ReplaceAll(p, `\`, "/")
	if !filepath.IsAbs(p) {
		p = filepath.Join(t.o.BaseDir, p)
	}
	return filepath.Clean(p)
}

// isWindowsPath recognises what comes from an applicationHost.config of Windows: a drive letter, %SystemDrive% that
// nobody expanded, or a share.
func isWindowsPath(p string) bool {
	drive := len(p) >= 2 && p[1] == ':' && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z')
	return drive || strings.HasPrefix(p, "%") || strings.HasPrefix(p, `\\`)
}
