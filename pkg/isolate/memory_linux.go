package isolate

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	// wallSlack is how many bytes a child may map beyond its limit: stacks of threads, and what the runtime and the engine
	// keep about their memory.
	wallSlack = 128 << 20

	// oomScore makes the kernel's out-of-memory killer prefer a child to its parent.
	oomScore = "500"
)

// confine makes the kernel refuse the calling process private writable memory beyond what it has now and about 1.25 ×
// limit. The quarter is for address space that the Go heap has given back without unmapping it.
func confine(limit int64) error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("RLIMIT_CORE: %w", err)
	}
	if raceDetector {
		return nil // the race detector's shadow memory counts as private
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return nil // without /proc the parent cannot look either; the soft limit remains
	}
	m, err := parseStatm(text)
	if err != nil {
		return err
	}
	wall := uint64(m.data + limit + limit/4 + wallSlack)
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &now); err != nil {
		return fmt.Errorf("RLIMIT_DATA: %w", err)
	}
	wall = min(wall, now.Max)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: wall, Max: wall}); err != nil {
		return fmt.Errorf("RLIMIT_DATA %d: %w", wall, err)
	}
	return nil
}

// unmapStart gives back the pages of the program's file that the calling process has touched since it began. What it
// needs again is mapped again, from the page cache. A child at work needs much less than its start, which initialises
// every package and so takes pages from all over the program. A system without /proc keeps them.
func unmapStart() {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	var begin, end, program, inode uint64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		switch line := lines.Bytes(); {
		case len(line) > 0 && (line[0] >= 'a' || line[0] <= '9'): // 00400000-00500000 r-xp 00002000 fe:00 1234 /usr/bin/farm
			var perms, offset, device string
			n, _ := fmt.Sscanf(string(line), "%x-%x %s %s %s %d", &begin, &end, &perms, &offset, &device, &inode)
			if n < 6 || program != 0 && inode != program {
				return // the mappings of the program's file are one after the other, before those of libraries
			}
			if program = inode; inode == 0 || perms[1] == 'w' {
				end = begin
			}
		case bytes.HasPrefix(line, []byte("Anonymous: ")) && !bytes.HasSuffix(line, []byte(" 0 kB")):
			end = begin // a page differs from the file
		case begin < end && bytes.HasPrefix(line, []byte("Swap: ")) && bytes.HasSuffix(line, []byte(" 0 kB")):
			// Nor is there one that was swapped out. The kernel may refuse; then the pages stay.
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, uintptr(begin), uintptr(end-begin), unix.MADV_DONTNEED)
		}
	}
}

// preferOOMKill makes the kernel's out-of-memory killer choose the process pid before its parent. A system without the
// file runs children all the same.
func preferOOMKill(pid int) {
	_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte(oomScore), 0)
}

// usage is the memory of a process, in bytes.
type usage struct {
	private int64 // resident and not shared: heap, stacks, memory of decoders
	data    int64 // mapped, private and writable, resident or not
}

// parseStatm reads /proc/PID/statm: size resident shared text lib data dirty, in pages.
func parseStatm(text []byte) (usage, error) {
	f := bytes.Fields(text)
	if len(f) < 6 {
		return usage{}, fmt.Errorf("statm has %d fields: %q", len(f), text)
	}
	var pages [6]int64
	for i := range pages {
		n, err := strconv.ParseInt(string(f[i]), 10, 64)
		if err != nil {
			return usage{}, fmt.Errorf("statm: %w", err)
		}
		pages[i] = n
	}
	size := int64(os.Getpagesize())
	return usage{private: (pages[1] - pages[2]) * size, data: pages[5] * size}, nil
}

// gauge reads the memory of another process.
type gauge struct {
	statm *os.File
}

func openGauge(pid int) *gauge {
	f, err := os.Open("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return &gauge{}
	}
	return &gauge{statm: f}
}

// read returns the private resident memory in bytes, or 0 if it is unknown.
func (g *gauge) read() int64 {
	if g.statm == nil {
		return 0
	}
	var buf [256]byte
	n, _ := g.statm.ReadAt(buf[:], 0)
	u, err := parseStatm(buf[:n])
	if err != nil {
		return 0 // it has ended
	}
	return u.private
}

func (g *gauge) close() {
	if g.statm != nil {
		g.statm.Close()
	}
}
