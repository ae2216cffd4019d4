package wshost

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// maxPhysical is the longest path of a file that is served, in bytes. Deeper files exist, for a path can be walked in
// steps, but the web.config of their folder could not be named, and so would not be obeyed.
const maxPhysical = unix.PathMax - len("/web.config\x00")

// siteFiles are the files of a site. Each access looks the virtual directory's folder up anew, so a folder that was
// replaced by a rename, as deployments do, is seen at once and no descriptor is held between requests. What is kept of
// files that were sent before is in snapshots.
type siteFiles struct {
	tree *config.Tree
	site string
	kept *snapshots // nil for who asks a tree without serving it
}

// SiteFiles returns the files of a site as the modules of a host see them, for who asks a tree without serving it.
func SiteFiles(tree *config.Tree, site string) module.Files { return siteFiles{tree: tree, site: site} }

// Open opens the file or folder that the URL path maps to.
func (f siteFiles) Open(urlPath string) (*os.File, error) {
	physical, vdir, dir, ok := f.tree.Map(f.site, urlPath)
	if !ok || len(physical) > maxPhysical {
		return nil, notMapped("open", urlPath)
	}
	return openBelow(dir, below(vdir, urlPath), urlPath)
}

// Stat examines it, following links inside the folder.
func (f siteFiles) Stat(urlPath string) (fs.FileInfo, error) {
	physical, vdir, dir, ok := f.tree.Map(f.site, urlPath)
	if !ok || len(physical) > maxPhysical {
		return nil, notMapped("stat", urlPath)
	}
	return statBelow(dir, below(vdir, urlPath), urlPath)
}

// Physical returns the path on disk that the URL path maps to.
func (f siteFiles) Physical(urlPath string) string {
	physical, _, _, _ := f.tree.Map(f.site, urlPath)
	return physical
}

// Application returns the application that the URL path belongs to, and the folder of its root.
func (f siteFiles) Application(urlPath string) (appPath, folder string) {
	appPath, folder, _ = f.tree.Application(f.site, urlPath)
	return appPath, folder
}

// folderFiles are the files of one folder: those of the probe site.
type folderFiles string

// Open opens the file or folder that the URL path maps to.
func (f folderFiles) Open(urlPath string) (*os.File, error) {
	return openBelow(string(f), below("/", urlPath), urlPath)
}

// Stat examines it, following links inside the folder.
func (f folderFiles) Stat(urlPath string) (fs.FileInfo, error) {
	return statBelow(string(f), below("/", urlPath), urlPath)
}

// Physical returns the path on disk that the URL path maps to.
func (f folderFiles) Physical(urlPath string) string {
	return path.Join(string(f), below("/", urlPath))
}

// noFiles are the files of a request that belongs to no site.
type noFiles struct{}

// Open finds nothing.
func (noFiles) Open(p string) (*os.File, error) { return nil, notMapped("open", p) }

// Stat finds nothing.
func (noFiles) Stat(p string) (fs.FileInfo, error) { return nil, notMapped("stat", p) }

// Physical returns "".
func (noFiles) Physical(string) string { return "" }

func notMapped(op, p string) error { return &fs.PathError{Op: op, Path: p, Err: fs.ErrNotExist} }

// below returns the part of urlPath below the virtual directory, as os.Root wants it. The path of the virtual directory
// is compared without regard to case, as the configuration does. Dot segments are left in: it is os.Root that refuses
// those that lead out, whatever the caller did with the path.
func below(vdir, urlPath string) string {
	n := len(strings.TrimSuffix(vdir, "/"))
	if len(urlPath) >= n && strings.EqualFold(urlPath[:n], vdir[:n]) {
		urlPath = urlPath[n:]
	}
	if rel := strings.Trim(urlPath, "/"); rel != "" {
		return rel
	}
	return "."
}

// openBelow opens rel below dir. Only files and folders are opened: a FIFO would block, a device is nobody's content.
func openBelow(dir, rel, urlPath string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, plainError("open", urlPath, err)
	}
	defer root.Close()
	f, err := root.OpenFile(rel, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, plainError("open", urlPath, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = servable(info, urlPath)
	}
	if err != nil {
		_ = f.Close()
		return nil, plainError("open", urlPath, err)
	}
	return f, nil
}

func statBelow(dir, rel, urlPath string) (fs.FileInfo, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, plainError("stat", urlPath, err)
	}
	defer root.Close()
	info, err := root.Stat(rel)
	if err == nil {
		err = servable(info, urlPath)
	}
	if err != nil {
		return nil, plainError("stat", urlPath, err)
	}
	return info, nil
}

// servable refuses what is neither file nor folder, and a file that is asked for as if it were a folder.
func servable(info fs.FileInfo, urlPath string) error {
	switch {
	case info.IsDir():
		return nil
	case !info.Mode().IsRegular():
		return fs.ErrPermission
	case strings.HasSuffix(urlPath, "/"):
		return fs.ErrNotExist
	}
	return nil
}

// plainError makes the errors that mean "no such file" and "not for you" recognisable as such and keeps physical paths
// out of the text. os.Root's own refusal of a path that escapes carries no errno.
func plainError(op, urlPath string, err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		err = underlying(err)
	case !errors.As(err, &errno):
		err = fmt.Errorf("%w: %w", fs.ErrPermission, underlying(err))
	case errno == unix.ENOTDIR, errno == unix.ELOOP, errno == unix.ENAMETOOLONG, errno == unix.EINVAL:
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, errno)
	default:
		err = errno
	}
	return &fs.PathError{Op: op, Path: urlPath, Err: err}
}

func underlying(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
