package staticcompression

import (
	"cmp"
	"container/list"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
)

// item is what is known of one file in one coding and level: a copy, or that there is none worth keeping.
type item struct {
	slot    string // of the file, coding and level
	version string // of the file
	file    string // name of the copy, "" for none
	size    int64
	until   time.Time // when another attempt is due; zero for never
}

// shelf is the copies of a site, the one used last in front. The store's lock guards it.
type shelf struct {
	dir   string
	used  int64
	order *list.List // of *item
	items map[string]*list.Element
}

// slotOf names the place of a copy: a file has one in each coding and level.
func slotOf(w *want) string {
	b := append(make([]byte, 0, 256), w.path...)
	b = append(append(append(b, 0), w.coding...), 0)
	return digest(strconv.AppendInt(b, int64(w.level), 10), 16)
}

// versionOf names a state of a file. Time and size alone would take a file for another one that was moved to its place
// by tools that set every time to the same value, so the inode and the time of its last change count as well.
func versionOf(info fs.FileInfo) string {
	b := make([]byte, 0, 128)
	number := func(n int64) { b = append(strconv.AppendInt(b, n, 36), ' ') }
	number(info.Size())
	number(info.ModTime().UnixNano())
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		number(int64(st.Dev))
		number(int64(st.Ino))
		number(st.Ctim.Nano())
	}
	return digest(b, 8)
}

// digest returns the first n bytes of a hash, in hexadecimal digits.
func digest(b []byte, n int) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:n])
}

func fileName(key jobKey, c compress.Coding) string {
	return key.slot + "-" + key.version + "." + string(c)
}

// copyName is the form of the names of copies, tempPattern that of unfinished ones: nothing else in a folder is ever
// touched, whatever folder was configured.
const (
	copyName    = `^[0-9a-f]{32}-[0-9a-f]{16}\.(gzip|deflate|br|zstd)$`
	tempPattern = "unfinished-*.tmp"
)

// load takes in the copies of an earlier host, the newest as used last, and removes what it left unfinished. A folder
// that is not there, or may not be read, is an empty one.
func (sh *shelf) load() {
	entries, err := os.ReadDir(sh.dir)
	if err != nil {
		return
	}
	form := regexp.MustCompile(copyName)
	times := map[*item]time.Time{}
	var found []*item
	for _, e := range entries {
		if ok, _ := filepath.Match(tempPattern, e.Name()); ok {
			_ = os.Remove(filepath.Join(sh.dir, e.Name()))
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !form.MatchString(e.Name()) {
			continue
		}
		slot, rest, _ := strings.Cut(e.Name(), "-")
		it := &item{slot: slot, version: rest[:16], file: e.Name(), size: info.Size()}
		times[it] = info.ModTime()
		found = append(found, it)
	}
	slices.SortFunc(found, func(a, b *item) int {
		return cmp.Or(times[a].Compare(times[b]), strings.Compare(a.file, b.file))
	})
	for _, it := range found {
		sh.put(it)
	}
}

// find returns the copy of that version, if there is one, and marks it as used.
func (sh *shelf) find(key jobKey) *item {
	e := sh.items[key.slot]
	if e == nil || e.Value.(*item).version != key.version {
		return nil
	}
	sh.order.MoveToFront(e)
	if it := e.Value.(*item); it.file != "" {
		return it
	}
	return nil
}

// settled reports whether no copy of that version is to be made now.
func (sh *shelf) settled(key jobKey, now time.Time) bool {
	e := sh.items[key.slot]
	if e == nil {
		return false
	}
	it := e.Value.(*item)
	return it.version == key.version && (it.until.IsZero() || now.Before(it.until))
}

// forget drops an item unless another one has taken its place.
func (sh *shelf) forget(it *item) {
	if e := sh.items[it.slot]; e != nil && e.Value == any(it) {
		sh.drop(e)
	}
}

// put places an item in front, instead of one of another version. Only one that has no copy, or none any more, is
// replaced by one of its own version.
func (sh *shelf) put(it *item) {
	if e := sh.items[it.slot]; e != nil {
		sh.drop(e)
	}
	sh.items[it.slot] = sh.order.PushFront(it)
	sh.used += it.size
}

// drop forgets an item and removes its copy. Who is sending it goes on: an open file stays until it is closed.
func (sh *shelf) drop(e *list.Element) {
	it := e.Value.(*item)
	sh.order.Remove(e)
	delete(sh.items, it.slot)
	sh.used -= it.size
	if it.file != "" {
		_ = os.Remove(filepath.Join(sh.dir, it.file))
	}
}

// evict drops what was not used for the longest time until the rest is within the limits.
func (sh *shelf) evict(limit int64, items int) {
	for e := sh.order.Back(); e != nil; {
		over := limit >= 0 && sh.used > limit
		if !over && sh.order.Len() <= items {
			return
		}
		next := e.Prev()
		if it := e.Value.(*item); it.file != "" || sh.order.Len() > items {
			sh.drop(e)
		}
		e = next
	}
}
