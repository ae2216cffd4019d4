package module

import (
	"io"
	"io/fs"
	"sync"
)

// A Snapshot is a regular file of a site as it is now. Requests share it: nobody changes it.
type Snapshot struct {
	Info fs.FileInfo
	// Bytes is the whole content where the host keeps it in memory, nil where it does not.
	Bytes []byte
	// Open opens the content. It fails when the file is not the same any more; Files then says what there is.
	Open func() (io.ReadSeekCloser, error)
	// Kept is what modules keep with the file for as long as it does not change, by keys of types of their own.
	Kept sync.Map
	// Charge counts bytes of memory that a module keeps in Kept against the host's limit.
	Charge func(bytes int64)
}

// SnapshotFiles is what Files may be as well: that of a host knows files that were asked for before, so that one look at
// the disk is all that a request costs.
type SnapshotFiles interface {
	// Snapshot returns the regular file that the URL path names. nil means that Stat and Open must be asked: the file was
	// changed a moment ago, or there is none.
	Snapshot(urlPath string) *Snapshot
}

// Snapshot returns the regular file of the site that the URL path names, nil where Files keeps none.
func (q *Request) Snapshot(urlPath string) *Snapshot {
	if f, ok := q.Files.(SnapshotFiles); ok {
		return f.Snapshot(urlPath)
	}
	return nil
}
