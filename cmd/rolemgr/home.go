package main

import (
	"fmt"
	"path/filepath"
)

// resolveHome returns the absolute home folder of the server: the flag, ROLEMGR_HOME, else the system's data folder
// for root and the user's for everybody else.
func (e *env) resolveHome(flag string) (string, error) {
	for _, dir := range []string{flag, e.Getenv("ROLEMGR_HOME")} {
		if dir == "" {
			continue
		}
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("home folder %q: %w", dir, err)
		}
		return abs, nil
	}
	if e.EUID == 0 {
		return "/var/lib/rolemgr", nil
	}
	// The XDG base directory specification says that a relative path is to be ignored.
	if dir := e.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "rolemgr"), nil
	}
	home, err := e.UserHome()
	if err != nil {
		return "", &hintedError{fmt.Errorf("find the home folder of the server: %w", err), "name it with --home DIR"}
	}
	return filepath.Join(home, ".local", "share", "rolemgr"), nil
}
