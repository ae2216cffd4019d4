// Package proc reads what Linux knows about processes: CPU time to the nanosecond, resident memory, and how busy the
// whole machine is; and it pins processes to processors. It is for measuring only and keeps no state.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of the CPU times in /proc, USER_HZ, which Linux fixes at 100 a second for every program.
const tick = 10 * time.Millisecond

// CPU returns the CPU time, user and system, that all threads of a process have used so far, those that have ended
// included. It reads the process's CPU clock, which counts nanoseconds, and not ticks as /proc/PID/stat does.
func CPU(pid int) (time.Duration, error) {
	var ts unix.Timespec
	// The clock of a process: its number inverted, and 2 for "time that the scheduler has measured".
	if err := unix.ClockGettime(int32(^pid)<<3|2, &ts); err != nil {
		return 0, fmt.Errorf("reading the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// UserSystem returns the CPU time of a process split in user and system time. Its resolution is 10 ms.
func UserSystem(pid int) (user, system time.Duration, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("reading CPU times: %w", err)
	}
	return parseStat(b)
}

// parseStat takes user and system time, fields 14 and 15, out of a line of /proc/PID/stat.
func parseStat(line []byte) (user, system time.Duration, err error) {
	// Field 2 is the program's name in parentheses and may itself hold spaces and parentheses.
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return 0, 0, errors.New("reading CPU times: no program name in the stat line")
	}
	f := bytes.Fields(line[end+1:])
	if len(f) < 13 {
		return 0, 0, fmt.Errorf("reading CPU times: %d fields after the program name", len(f))
	}
	u, err1 := strconv.ParseInt(string(f[11]), 10, 64)
	s, err2 := strconv.ParseInt(string(f[12]), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return 0, 0, fmt.Errorf("reading CPU times: %w", err)
	}
	return time.Duration(u) * tick, time.Duration(s) * tick, nil
}

// Tree returns a process and every one below it: its children, and theirs.
func Tree(pid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	children := map[int][]int{}
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		if f := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:]); len(f) > 1 {
			if parent, err := strconv.Atoi(string(f[1])); err == nil {
				children[parent] = append(children[parent], child)
			}
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all, nil
}

// RSS returns the resident memory of a process in bytes. It sums up the mappings, because the counters behind
// /proc/PID/status are only brought up to date in steps.
func RSS(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, fmt.Errorf("reading resident memory: %w", err)
	}
	return parseRollup(b, "Rss:")
}

// PSS returns the proportional resident memory of a process in bytes: a page that several processes have counts in parts.
func PSS(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, fmt.Errorf("reading resident memory: %w", err)
	}
	return parseRollup(b, "Pss:")
}

// parseRollup takes a size out of the text of /proc/PID/smaps_rollup.
func parseRollup(text []byte, name string) (int64, error) {
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) == 3 && string(f[0]) == name {
			kb, err := strconv.ParseInt(string(f[1]), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading resident memory: %w", err)
			}
			return kb << 10, nil
		}
	}
	return 0, fmt.Errorf("reading resident memory: no line %s in smaps_rollup", name)
}

// Busy returns the CPU time that all processors together have spent on anything since boot. Time stolen by other
// virtual machines counts: it disturbs as well. Its resolution is 10 ms.
func Busy() (time.Duration, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("reading the machine's CPU times: %w", err)
	}
	return parseBusy(b)
}

// parseBusy sums up the first line of /proc/stat: user, nice, system, (idle, iowait,) irq, softirq, steal.
func parseBusy(text []byte) (time.Duration, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	f := bytes.Fields(line)
	if len(f) < 9 || string(f[0]) != "cpu" {
		return 0, errors.New("reading the machine's CPU times: the first line of /proc/stat is not of the known form")
	}
	var sum int64
	for _, i := range []int{1, 2, 3, 6, 7, 8} {
		n, err := strconv.ParseInt(string(f[i]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the machine's CPU times: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// Two returns two processors this process may run on, the first for a server and the second for the load.
func Two() (server, load int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, 0, fmt.Errorf("reading the allowed processors: %w", err)
	}
	var found []int
	for cpu := 0; cpu < len(set)*64 && len(found) < 2; cpu++ {
		if set.IsSet(cpu) {
			found = append(found, cpu)
		}
	}
	if len(found) < 2 {
		return 0, 0, errors.New("two processors are needed, one for the server and one for the load, and this process may use only one")
	}
	return found[0], found[1], nil
}

// PinSelf binds every thread of this process to one processor; threads started later follow their parents.
func PinSelf(cpu int) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("listing threads: %w", err)
	}
	for _, t := range tasks {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			return fmt.Errorf("listing threads: %w", err)
		}
		if err := pin(tid, cpu); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return nil
}

// StartOn calls start, which is to start a process, from a thread that is bound to one processor, so that the new
// process inherits the binding before its first instruction; home is where the thread returns to.
func StartOn(cpu, home int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := pin(0, cpu); err != nil {
		return err
	}
	startErr := start()
	return errors.Join(startErr, pin(0, home))
}

// pin binds one thread, 0 for the calling one, to a processor.
func pin(tid, cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(tid, &set); err != nil {
		return fmt.Errorf("binding thread %d to processor %d: %w", tid, cpu, err)
	}
	return nil
}
