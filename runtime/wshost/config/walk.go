package config

import (
	"fmt"
	"strings"
)

// cacheBudget bounds what the levels of all sites hold together, in units of one level and 1 KiB of source. When it is
// spent everything is forgotten and read again as needed.
const cacheBudget = 1 << 16

// Effective returns the configuration of a URL path of a site. urlPath is decoded and begins with "/". The result is
// immutable and shared; it is computed once per folder and file state. When any section that applies there is at
// fault the error is a *Error, to be answered with 500.19. site "" is the server level.
//
// A site that is not declared has the server level and the location tags of its name; no file is read for it. A
// back-slash in urlPath counts as a slash, and "." and ".." are resolved before anything else. The paths of location
// tags, applications and virtual directories are compared without regard to case, the names of folders are not.
func (t *Tree) Effective(site, urlPath string) (*Effective, error) {
	e, _, err := t.EffectiveAt(site, urlPath, nil)
	return e, err
}

// clean is cleanPath with an error for what is no URL path.
func clean(urlPath string) (string, error) {
	p, ok := cleanPath(urlPath)
	if !ok {
		return "", &Error{HResult: HResultMalformed, Message: fmt.Sprintf("%q is not a URL path", urlPath)}
	}
	return p, nil
}

// walk returns the level of a clean URL path, and what it has seen of the path itself.
func (t *Tree) walk(r *siteRoot, p string, trail *Trail) (*level, Place) {
	if t.cost.Load() > cacheBudget {
		t.cost.Store(0)
		for _, other := range t.roots {
			other.base.forget()
		}
	}
	w := walker{t: t, r: r, trail: trail}
	cur := w.step(r.base, "/", 1)
	for i, depth := 1, 2; i < len(p) && i < maxPath; depth++ {
		n := strings.IndexByte(p[i:], '/')
		if n < 0 {
			n = len(p) - i
		}
		cur = w.step(cur, p[:i+n], depth)
		i += n + 1
	}
	return cur, w.place
}

// maxPath is how many bytes of a URL path can name a level: no file system and no location tag goes deeper.
const maxPath = 4096

// A walker goes down a URL path once.
type walker struct {
	t *Tree
	r *siteRoot
	// gone is the virtual directory in which the path has left what exists on disk: nothing below needs examining.
	gone  *vdirRoot
	place Place // of the path that was examined last
	trail *Trail
}

// examineOnce is examine, which it spares a request at the root of its site the second time.
func (w *walker) examineOnce(p string, depth int) (name string, state FileState, v *vdirRoot) {
	if depth > 1 || w.trail == nil {
		return w.examine(p)
	}
	if s := w.trail; s.tree == w.t && s.root == w.r {
		w.gone, w.place = s.gone, s.place
		return s.name, s.state, s.v
	}
	name, state, v = w.examine(p)
	*w.trail = Trail{w.t, w.r, name, state, v, w.gone, w.place}
	return name, state, v
}

// examine looks for the web.config of a clean URL path.
func (w *walker) examine(p string) (name string, state FileState, v *vdirRoot) {
	w.place = Place{}
	v = w.r.locate(p)
	if v == nil || v == w.gone || !v.subConfig && len(p) != len(v.url) {
		return "", FileState{}, v
	}
	dir := v.dirSlashless() + v.below(p)
	name, state, place, noneBelow := w.t.known.findWebConfig(dir)
	w.place = Place{dir, v.dir, place}
	if len(w.t.o.Instead) > 0 {
		for _, written := range [...]string{webConfigName, webConfigOtherName} {
			other := dir + "/" + written
			if text, ok := w.t.o.Instead[other]; ok {
				return other, instead(text), v
			}
		}
	}
	if noneBelow && len(w.t.o.Instead) == 0 { // a text may stand for a file in a folder that is not there yet
		w.gone = v
	}
	return name, state, v
}

// step goes down to the level of p, the path of the folder or file at the given depth (the root has depth 1).
func (w *walker) step(cur *level, p string, depth int) *level {
	t, r := w.t, w.r
	var uses []pendingUse
	folded := ""
	if len(cur.pending) > 0 {
		folded = fold(p)
		uses = cur.pending[folded]
	}
	name, state, v := w.examineOnce(p, depth)
	found := state != FileState{}
	nested := depth > 1 && (cur.child != nil || len(cur.errs) != len(cur.childErr)) && r.isApp(p)
	if !found && !nested && len(uses) == 0 {
		return cur
	}
	key := slotKey{found, p}
	switch {
	case !found:
		key.path = fold(p)
	case p[:len(v.url)] != v.url: // spelled as declared: an application has one folder under any spelling
		key.path = v.url + p[len(v.url):]
	}
	s := cur.slot(key)
	if l := s.cur.Load(); l != nil && l.fresh(name, state) {
		return l
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.cur.Load(); l != nil && l.fresh(name, state) {
		return l
	}
	l := t.build(r, cur, p, depth, uses, name, state)
	t.cost.Add(l.cost())
	s.cur.Store(l)
	return l
}
