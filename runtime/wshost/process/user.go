package process

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// User is somebody whom programs can be run as.
type User struct {
	name, home string
	credential *syscall.Credential // nil for the user of the host
}

// UID returns the number of the user.
func (u User) UID() int {
	if u.credential == nil {
		return os.Geteuid()
	}
	return int(u.credential.Uid)
}

// GID returns the number of the user's own group.
func (u User) GID() int {
	if u.credential == nil {
		return os.Getegid()
	}
	return int(u.credential.Gid)
}

// LookupUser finds a user of this machine by name or number. A host that does not run as root can run programs as
// itself alone.
func LookupUser(name string) (User, error) {
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return User{}, fmt.Errorf("there is no user %q on this machine; create it, or name another", name)
		}
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return User{}, fmt.Errorf("user %q has no number: %w", name, err)
	}
	found := User{name: u.Username, home: u.HomeDir}
	if int(uid) == os.Geteuid() {
		return found, nil
	}
	if os.Geteuid() != 0 {
		return User{}, fmt.Errorf("the server is not root and cannot run a program as %q; run the server as root, or take the user out", name)
	}
	found.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	groups, err := u.GroupIds()
	if err != nil {
		return User{}, fmt.Errorf("read the groups of user %q: %w", name, err)
	}
	for _, g := range groups {
		n, err := strconv.ParseUint(g, 10, 32)
		if err != nil {
			return User{}, fmt.Errorf("group %q of user %q has no number: %w", g, name, err)
		}
		found.credential.Groups = append(found.credential.Groups, uint32(n))
	}
	return found, nil
}
