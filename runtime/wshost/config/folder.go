package config

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// maxFolders bounds how many folders are remembered; beyond it everything is forgotten and looked at anew.
const maxFolders = 1 << 14

// folders remembers what a look into a folder has found, so that the next one costs one system call: where there was a
// web.config that file is examined first, and where there was none, the state of the folder itself tells that none has
// come (an entry that is added changes the time of its folder). It decides nothing: a state that differs is looked into.
type folders struct {
	m sync.Map // physical path to folderNote
	n atomic.Int64
}

// folderNote is what was found: a file, or none while the folder has this state.
type folderNote struct {
	file  string // where it is looked for first; "" when there is none
	state FileState
}

func (f *folders) get(dir string) folderNote {
	if n, ok := f.m.Load(dir); ok {
		return *n.(*folderNote)
	}
	return folderNote{}
}

func (f *folders) put(dir string, n *folderNote) {
	if _, had := f.m.Swap(dir, n); had {
		return
	}
	if f.n.Add(1) > maxFolders {
		f.n.Store(0)
		f.m.Clear()
	}
}

// findWebConfig examines the web.config of a folder, of which the root has no slash. place is the state of what the path
// itself names, when that was looked at; none below is set when nothing can be below it.
func (f *folders) findWebConfig(dir string) (name string, state, place FileState, noneBelow bool) {
	note := f.get(dir)
	if note.file != "" {
		if name, state, noneBelow = lookInto(dir, note.file); state != (FileState{}) {
			return name, state, FileState{}, noneBelow
		}
	}
	looked := time.Now()
	place, noneBelow = statFile(orRoot(dir))
	switch {
	case noneBelow, place == (FileState{}): // the name leads through a file, or to nothing
		return "", FileState{}, place, true
	case place.exists && place.mode&unix.S_IFMT != unix.S_IFDIR:
		return "", FileState{}, place, true
	case place.exists && note.state == place:
		return "", FileState{}, place, false
	}
	first := dir + "/" + webConfigName
	if name, state, noneBelow = lookInto(dir, first); state != (FileState{}) {
		f.put(dir, &folderNote{file: first})
	} else if place.exists && !place.racy(looked) && !hasEntry(dir) {
		f.put(dir, &folderNote{state: place})
	}
	return name, state, place, noneBelow
}

// lookInto examines the file of a folder under both of its names, of which first is the one that goes before.
func lookInto(dir, first string) (name string, state FileState, parentIsFile bool) {
	state, parentIsFile = statFile(first)
	if state != (FileState{}) || parentIsFile {
		return first, state, parentIsFile
	}
	name = dir + "/" + webConfigOtherName
	state, _ = statFile(name)
	return name, state, false
}

// hasEntry reports whether a folder has an entry of either name although no file was found: a link to a file that may
// come without a change of the folder.
func hasEntry(dir string) bool {
	var st unix.Stat_t
	return unix.Lstat(dir+"/"+webConfigName, &st) != unix.ENOENT || unix.Lstat(dir+"/"+webConfigOtherName, &st) != unix.ENOENT
}

// orRoot is a folder's path, of which that of the root was taken the slash.
func orRoot(dir string) string {
	if dir == "" {
		return "/"
	}
	return dir
}

// A Place is what a URL path names on disk, as the walk to it has seen it: the zero value when it was not looked at.
type Place struct {
	Physical string
	Folder   string // of the virtual directory that holds it
	State    FileState
}

// A Trail is what the first walk of a request has seen at the root of its site, so that a second one, when a rewrite or a
// default document gives the request another path, is spared the look. The zero value has seen nothing.
type Trail struct {
	tree  *Tree
	root  *siteRoot
	name  string
	state FileState
	v     *vdirRoot
	gone  *vdirRoot
	place Place
}

// EffectiveAt is Effective, with what the walk has seen of the path itself. trail is that of the request.
func (t *Tree) EffectiveAt(site, urlPath string, trail *Trail) (*Effective, Place, error) {
	r := t.root(site)
	if r == nil {
		e, err := t.Server()
		return e, Place{}, err
	}
	p, err := clean(urlPath)
	if err != nil {
		return nil, Place{}, err
	}
	l, place := t.walk(r, p, trail)
	if len(l.errs) > 0 {
		return nil, place, l.errs[0]
	}
	return l.eff, place, nil
}
