package apply

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// Names below a home. The folder journal/txn exists exactly while a transaction is under way: it is made complete
// under another name and gets this one by a rename, and loses it by a rename. What is called txn.new or txn.old means
// nothing and is removed by the next writer.
const (
	journalDir  = "journal"
	txnDir      = "txn"
	txnNewDir   = "txn.new"
	txnOldDir   = "txn.old"
	savedDir    = "saved" // files changed by hand that a transaction replaced or removed; a person's, never deleted
	journalFile = "journal"
)

// journalVersion is the version of the record format.
const journalVersion = 1

// recordType is the type of a journal record. The values reach the disk.
type recordType string

// The records. Transitions: begin, then any number of done, then at most one end.
const (
	recordBegin recordType = "begin" // complete and durable before the first step
	recordDone  recordType = "done"  // for people: how far it came. Nothing is decided by it, so it is not synced
	recordEnd   recordType = "end"   // committed and finished, or undone: only the folder is left to remove
)

// record is one line of the journal: "length crc json\n", length and CRC-32C of the JSON as eight hexadecimal digits.
type record struct {
	Type    recordType `json:"type"`
	Begin   *begin     `json:"begin,omitempty"`
	Step    int        `json:"step,omitempty"`    // of done, from 1
	Outcome string     `json:"outcome,omitempty"` // of end: "committed", "rolled-back"
}

// begin is everything that is needed to undo or finish a transaction.
type begin struct {
	Version         int       `json:"version"`
	Transaction     string    `json:"transaction"`
	Time            time.Time `json:"time"`
	Command         string    `json:"command"`
	WrittenBy       string    `json:"written_by"`
	BaseSerial      uint64    `json:"base_serial"`
	BaseTransaction string    `json:"base_transaction"`
	Plan            plan.Plan `json:"plan"`
	After           string    `json:"after"` // the intended state.toml
	Manifest        []entry   `json:"manifest"`
}

// appendRecord appends the line of a record.
func appendRecord(dst []byte, r record) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return dst, err
	}
	dst = fmt.Appendf(dst, "%08x %08x ", len(data), crc32.Checksum(data, castagnoli()))
	return append(append(dst, data...), '\n'), nil
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// headLength is the length of "length crc ".
const headLength = 8 + 1 + 8 + 1

// parseRecord reads the record at the head of data and returns the length of its line. ok is false when there is no
// whole record.
func parseRecord(data []byte) (r record, n int, ok bool) {
	if len(data) < headLength || data[8] != ' ' || data[17] != ' ' {
		return record{}, 0, false
	}
	length, err := strconv.ParseUint(string(data[:8]), 16, 32)
	if err != nil {
		return record{}, 0, false
	}
	sum, err := strconv.ParseUint(string(data[9:17]), 16, 32)
	if err != nil || uint64(len(data)-headLength) < length+1 {
		return record{}, 0, false
	}
	body := data[headLength : headLength+int(length)]
	if data[headLength+int(length)] != '\n' || uint64(crc32.Checksum(body, castagnoli())) != sum {
		return record{}, 0, false
	}
	if json.Unmarshal(body, &r) != nil {
		return record{}, 0, false
	}
	return r, headLength + int(length) + 1, true
}

// readRecords returns the records of a journal and the length of what they take. The first line that is not whole
// ends the journal: it and all behind it were not synced, and nothing is decided by what is not synced.
func readRecords(data []byte) (records []record, good int) {
	for {
		r, n, ok := parseRecord(data[good:])
		if !ok {
			return records, good
		}
		records = append(records, r)
		good += n
	}
}

// pending is the journal of a transaction that was interrupted.
type pending struct {
	begin begin
	ended bool
	good  int // bytes that hold whole records
}

// errOtherVersion is a journal that is whole, but not for this program.
var errOtherVersion = errors.New("the journal is of another version of rolemgr")

// parseJournal reads a journal. Only a complete begin record gets its name on disk, so anything else is damage.
func parseJournal(data []byte) (pending, error) {
	records, good := readRecords(data)
	if len(records) == 0 || records[0].Type != recordBegin || records[0].Begin == nil {
		return pending{}, errors.New("the journal does not begin with a whole begin record")
	}
	b := *records[0].Begin
	if b.Version != journalVersion {
		return pending{}, fmt.Errorf("%w: it has version %d and was written by rolemgr %s; recover with that version", errOtherVersion, b.Version, b.WrittenBy)
	}
	if b.Transaction == "" {
		return pending{}, errors.New("the journal names no transaction")
	}
	for _, e := range b.Manifest {
		if err := e.check(); err != nil {
			return pending{}, err
		}
	}
	return pending{begin: b, ended: records[len(records)-1].Type == recordEnd, good: good}, nil
}

// readPending returns the interrupted transaction of a home, nil when there is none.
func readPending(home string, disk atomicfile.FS) (*pending, error) {
	name := filepath.Join(home, journalDir, txnDir, journalFile)
	data, err := disk.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		_, derr := disk.Lstat(filepath.Dir(name))
		if errors.Is(derr, fs.ErrNotExist) {
			return nil, nil
		}
		if derr == nil {
			return nil, &DamagedError{Dir: filepath.Dir(name), Err: errors.New("its first file is missing")}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	p, err := parseJournal(data)
	if errors.Is(err, errOtherVersion) {
		return nil, fmt.Errorf("read the journal %s: %w", name, err)
	}
	if err != nil {
		return nil, &DamagedError{Dir: filepath.Dir(name), Err: err}
	}
	return &p, nil
}

// writer appends records to the journal.
type writer struct {
	disk   atomicfile.FS
	name   string // by which the file can be truncated
	file   atomicfile.File
	good   int64
	broken bool // the end of the file is unknown: nothing can be appended that a reader would see
}

// add appends a record. A record that was written only in part is cut off again, so that later ones can be read.
func (w *writer) add(r record) error {
	if w.broken {
		return errors.New("the journal cannot be written")
	}
	line, err := appendRecord(nil, r)
	if err != nil {
		return err
	}
	if _, err := w.file.Write(line); err != nil {
		w.broken = w.disk.Truncate(w.name, w.good) != nil
		return err
	}
	w.good += int64(len(line))
	return nil
}

// reopen opens the journal of an interrupted transaction for its end record.
func reopen(home string, disk atomicfile.FS, p *pending) (*writer, error) {
	name := filepath.Join(home, journalDir, txnDir, journalFile)
	if err := disk.Truncate(name, int64(p.good)); err != nil {
		return nil, err
	}
	f, err := disk.Append(name, 0o644)
	if err != nil {
		return nil, err
	}
	return &writer{disk: disk, name: name, file: f, good: int64(p.good)}, nil
}

// check refuses an entry that would lead out of the home: the journal is read back from a disk.
func (e entry) check() error {
	if err := state.CheckPath(e.Path); err != nil {
		return fmt.Errorf("the manifest is damaged: %w", err)
	}
	if e.PreImage != filepath.Base(e.PreImage) && e.PreImage != "" || e.PreImage == ".." {
		return fmt.Errorf("the manifest is damaged: the pre-image %q is not a plain name", e.PreImage)
	}
	return nil
}
