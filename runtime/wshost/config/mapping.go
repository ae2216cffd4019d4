package config

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// An appRoot is an application with the URLs of its virtual directories from the root of the site.
type appRoot struct {
	url   string
	vdirs []vdirRoot // longest path first
}

type vdirRoot struct {
	url       string // from the root of the site, without a slash at its end
	dir       string
	subConfig bool // web.config files below its root are read
}

func appRoots(s *Site) []appRoot {
	var roots []appRoot
	for _, a := range s.Applications {
		r := appRoot{url: a.Path}
		for _, v := range a.VirtualDirs {
			url := a.Path + v.Path
			if a.Path == "/" {
				url = v.Path
			} else if v.Path == "/" {
				url = a.Path
			}
			r.vdirs = append(r.vdirs, vdirRoot{url: url, dir: v.PhysicalPath, subConfig: !v.NoSubDirConfig})
		}
		roots = append(roots, r)
	}
	return roots
}

// under reports whether p is the URL path root or lies below it, without regard to case.
func under(p, root string) bool {
	if root == "/" {
		return true
	}
	return len(p) >= len(root) && strings.EqualFold(p[:len(root)], root) && (len(p) == len(root) || p[len(root)] == '/')
}

// locate returns the virtual directory of a clean URL path and the path on disk, or nil.
func (r *siteRoot) locate(p string) (*vdirRoot, string) {
	for i := range r.apps {
		a := &r.apps[i]
		if !under(p, a.url) {
			continue
		}
		for j := range a.vdirs {
			v := &a.vdirs[j]
			if !under(p, v.url) {
				continue
			}
			rest := p[len(v.url):]
			switch {
			case rest == "":
				return v, v.dir
			case v.url == "/":
				return v, strings.TrimSuffix(v.dir, "/") + p
			}
			return v, strings.TrimSuffix(v.dir, "/") + rest
		}
		return nil, ""
	}
	return nil, ""
}

// isApp reports whether a clean URL path is the root of an application.
func (r *siteRoot) isApp(p string) bool {
	return slices.ContainsFunc(r.apps, func(a appRoot) bool { return strings.EqualFold(a.url, p) })
}

// Map returns the physical path of a URL path of a site, and the URL path of the virtual directory that holds it
// with its folder. It does not touch the disk. The URL path is cleaned first as Effective does, so the physical path
// never leaves the folder; links in it are another matter.
func (t *Tree) Map(site, urlPath string) (physical, vdirURL, vdirDir string, ok bool) {
	r := t.root(site)
	p, clean := cleanPath(urlPath)
	if r == nil || !clean {
		return "", "", "", false
	}
	v, physical := r.locate(p)
	if v == nil {
		return "", "", "", false
	}
	return physical, v.url, v.dir, true
}

// webConfigNames are the names under which the file of a folder is found. Windows does not tell them apart.
const (
	webConfigName      = "web.config"
	webConfigOtherName = "Web.config"
)

// findWebConfig examines the web.config of a folder.
func findWebConfig(dir string) (string, fileState) {
	name := dir + "/" + webConfigName
	state, parentIsFile := statFile(name)
	if state != (fileState{}) || parentIsFile {
		return name, state
	}
	other := dir + "/" + webConfigOtherName
	if state, _ = statFile(other); state.errno == unix.EACCES {
		return name, state
	}
	return other, state
}
