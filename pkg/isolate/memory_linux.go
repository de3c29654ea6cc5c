package isolate

import (
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
