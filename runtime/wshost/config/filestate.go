package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A FileState tells versions of a file apart without reading it: two that are equal are the same file, unchanged, unless
// it was changed in the moment before it was read (see Settled). The zero value is a file that does not exist.
type FileState struct {
	exists       bool
	mtime, ctime int64 // nanoseconds
	size         int64
	dev, ino     uint64
	mode         uint32
	errno        syscall.Errno // why it could not be examined
}

// settleTime is how old a file must be before its state can be trusted to tell a change: time stamps move in steps
// of a timer tick, so two writes within one step look the same.
const settleTime = 50 * time.Millisecond

// coarseSettleTime is the same where time stamps are whole seconds: on ext4 with inodes of 128 bytes they are one second
// apart, on FAT two.
const coarseSettleTime = 2*time.Second + settleTime

// maxSettling is how long after it was read a file is distrusted at most: its time stamps may lie in the future.
const maxSettling = coarseSettleTime + time.Second

// StateOf returns the state that a file has by what stat says of it.
func StateOf(st *unix.Stat_t) FileState { return stateOf(st) }

// Regular reports whether there is a file, and it is a regular one.
func (s FileState) Regular() bool { return s.exists && s.mode&unix.S_IFMT == unix.S_IFREG }

// Size returns the length of the file in bytes.
func (s FileState) Size() int64 { return s.size }

// Settled reports whether a file that was read at a moment cannot have changed since without a change of its state.
func (s FileState) Settled(read time.Time) bool { return s.exists && !s.racy(read) }

func stateOf(st *unix.Stat_t) FileState {
	return FileState{
		exists: true, mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(), size: st.Size,
		dev: uint64(st.Dev), ino: st.Ino, mode: uint32(st.Mode),
	}
}

// statFile examines a path. What cannot exist there (the parent is a file, the name is too long) does not exist.
func statFile(path string) (state FileState, parentIsFile bool) {
	var st unix.Stat_t
	for {
		err := unix.Stat(path, &st)
		if err == nil {
			return stateOf(&st), false
		}
		errno, ok := err.(syscall.Errno) // what unix.Stat returns; errors.As would cost an allocation per request
		if !ok {
			errno = unix.EIO
		}
		switch errno {
		case unix.EINTR:
		case unix.ENOENT, unix.EINVAL, unix.ENAMETOOLONG:
			return FileState{}, false
		case unix.ENOTDIR:
			return FileState{}, true
		default:
			return FileState{errno: errno}, false
		}
	}
}

// racy reports whether a file that was read at a moment could have changed since without a change of its state.
func (s FileState) racy(read time.Time) bool {
	settle := settleTime
	if s.mtime%int64(time.Second) == 0 && s.ctime%int64(time.Second) == 0 {
		settle = coarseSettleTime
	}
	return read.UnixNano()-max(s.mtime, s.ctime) < int64(settle)
}

var (
	errNotRegular = errors.New("it is not a regular file")
	errTooLarge   = errors.New("it is too large")
)

// lasting reports whether a file that could not be read stays so until its state changes. Having run out of
// descriptors or of memory passes without a trace in the file.
func lasting(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, errNotRegular) || errors.Is(err, errTooLarge)
}

// readFile reads a configuration file whole, with the state that belongs to what was read.
func readFile(path string) ([]byte, FileState, error) {
	// O_NONBLOCK keeps a named pipe in the place of the file from blocking the request.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, FileState{}, err
	}
	defer f.Close()
	for try := 0; ; try++ {
		before, err := fstat(f)
		if err != nil {
			return nil, before, err
		}
		if before.mode&unix.S_IFMT != unix.S_IFREG {
			return nil, before, errNotRegular
		}
		if before.size > maxFileSize {
			return nil, before, errTooLarge
		}
		src, err := io.ReadAll(io.NewSectionReader(f, 0, maxFileSize+1))
		if err != nil {
			return nil, before, err
		}
		// A writer at work: what was read may be half old and half new.
		if after, err := fstat(f); try == 2 || err == nil && after == before {
			return src, before, nil
		}
	}
}

func fstat(f *os.File) (FileState, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return FileState{}, err
	}
	return stateOf(&st), nil
}

// read is readFile with Instead in place of the disk.
func (o *Options) read(path string) ([]byte, FileState, error) {
	if text, ok := o.Instead[path]; ok {
		return text, instead(text), nil
	}
	return readFile(path)
}

// instead is the state of a text that stands for a file. It is settled: the text of an Options does not change.
func instead(text []byte) FileState { return FileState{exists: true, size: int64(len(text))} }

// unreadable returns the error of a file that exists but cannot be read.
func unreadable(path string, err error) *Error {
	if errors.Is(err, errTooLarge) {
		return tooLarge(path)
	}
	e := &Error{Pos: Pos{File: path}, HResult: HResultAccess}
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	e.Message = fmt.Sprintf("the file cannot be read: %s", strings.ToLower(err.Error()))
	e.Hint = "give the account of the server permission to read the file and to enter its folders"
	if errors.Is(err, os.ErrNotExist) {
		e.HResult, e.Message, e.Hint = HResultNotFound, "the file does not exist", ""
	} else if !errors.Is(err, os.ErrPermission) {
		e.Hint = ""
	}
	return e
}
