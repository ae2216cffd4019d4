package config

import (
	"slices"
	"strings"
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

// locate returns the virtual directory of a clean URL path, or nil.
func (r *siteRoot) locate(p string) *vdirRoot {
	for i := range r.apps {
		a := &r.apps[i]
		if !under(p, a.url) {
			continue
		}
		for j := range a.vdirs {
			if under(p, a.vdirs[j].url) {
				return &a.vdirs[j]
			}
		}
		return nil
	}
	return nil
}

// below returns what follows the path of the virtual directory in a clean URL path: "" or "/...".
func (v *vdirRoot) below(p string) string {
	switch {
	case len(p) == len(v.url):
		return ""
	case v.url == "/":
		return p
	}
	return p[len(v.url):]
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
	v := r.locate(p)
	if v == nil {
		return "", "", "", false
	}
	if physical = v.dirSlashless() + v.below(p); physical == "" {
		physical = "/"
	}
	return physical, v.url, v.dir, true
}

// Application returns the application of a site that a URL path belongs to, with the folder of its root; ok is false when
// there is no such site or the path cannot be cleaned.
func (t *Tree) Application(site, urlPath string) (path, dir string, ok bool) {
	r := t.root(site)
	p, clean := cleanPath(urlPath)
	if r == nil || !clean {
		return "", "", false
	}
	for i := range r.apps {
		a := &r.apps[i]
		if !under(p, a.url) {
			continue
		}
		for j := range a.vdirs {
			if strings.EqualFold(a.vdirs[j].url, a.url) {
				return a.url, a.vdirs[j].dir, true
			}
		}
	}
	return "", "", false
}

// webConfigNames are the names under which the file of a folder is found. Windows does not tell them apart.
const (
	webConfigName      = "web.config"
	webConfigOtherName = "Web.config"
)

// dirSlashless is the folder as the beginning of longer paths; only "/" ends with a slash.
func (v *vdirRoot) dirSlashless() string { return strings.TrimSuffix(v.dir, "/") }
