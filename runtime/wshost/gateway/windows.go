package gateway

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// IsWindowsPath reports whether a path is one of Windows: with a drive, with back-slashes, or of an .exe.
func IsWindowsPath(p string) bool {
	return AbsWindows(p) || strings.Contains(p, `\`) || strings.HasSuffix(strings.ToLower(p), ".exe")
}

// AbsWindows reports whether a path, with slashes of either kind, begins with a drive or a server of Windows: nothing
// here can be meant by its folders.
func AbsWindows(p string) bool {
	drive := len(p) > 1 && p[1] == ':' && (p[0]|0x20) >= 'a' && (p[0]|0x20) <= 'z'
	return drive || strings.HasPrefix(p, `\\`) || strings.HasPrefix(p, "//")
}

// BaseName returns the name of a program without its folder and its .exe.
func BaseName(p string) string {
	name, _ := CutExe(p[strings.LastIndexAny(p, `\/:`)+1:])
	return name
}

// CutExe takes .exe away from the end of a path.
func CutExe(p string) (stem string, ok bool) {
	if n := len(p) - len(".exe"); n > 0 && strings.EqualFold(p[n:], ".exe") {
		return p[:n], true
	}
	return p, false
}

// Counterparts returns the names that a program of Windows, named without its folder and its .exe, has here, the best
// first. Names of files are case-sensitive here: as it is written, and in small letters.
func Counterparts(base string) []string {
	switch small := strings.ToLower(base); small {
	case "python", "pythonw", "py":
		return []string{"python3", "python"}
	case "javaw":
		return []string{"java"}
	default:
		return slices.Compact([]string{base, small})
	}
}

// LookPath returns the absolute path of the first of some programs that is in PATH.
func LookPath(names ...string) (string, bool) {
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			if found, err = filepath.Abs(found); err == nil {
				return found, true
			}
		}
	}
	return "", false
}
