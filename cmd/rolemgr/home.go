package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkHome refuses a home that cannot be a folder, before anything below it is looked for: every error about something
// below it would say less. A home that does not exist yet is fine.
func checkHome(home string) error {
	info, err := os.Stat(home)
	switch {
	case err == nil && !info.IsDir():
		return &hintedError{fmt.Errorf("the home folder %q is a file", home), "name a folder with --home DIR"}
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOTDIR):
		return &hintedError{fmt.Errorf("the home folder %q lies below a file", home), "name another folder with --home DIR"}
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP):
		return &hintedError{fmt.Errorf("the home folder cannot be used: %w", err), "name another folder with --home DIR"}
	case errors.Is(err, fs.ErrNotExist):
		if link, lerr := os.Readlink(home); lerr == nil {
			return &hintedError{fmt.Errorf("the home folder %q is a link to %q, which does not exist", home, link), "make that folder, or take the link away"}
		}
	}
	return nil
}

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
