// Package extsort sorts more numbers than memory is to hold. Beyond two mebibytes they are in a temporary file.
package extsort

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Pair is a number to sort by, and one that goes with it.
type Pair struct{ Key, Value uint64 }

const (
	pairSize = 16      // bytes of a pair in the file
	inMemory = 1 << 17 // pairs that are sorted at once
	readSize = 4 << 10 // bytes that are read of a sorted run at a time
)

// Sorter gathers pairs. The zero Sorter is ready. It is not safe for concurrent use. The caller closes it.
type Sorter struct {
	pairs   []Pair // those that are in no run yet
	limit   int    // of pairs; 0: inMemory
	file    *os.File
	runs    []int64 // where each sorted run in the file ends, bytes
	unnamed bool    // the file has no name any more
	failed  bool    // there can be no file: all pairs stay in memory
}

// Add adds a pair. The error is that of writing the temporary file. Where none can be made, pairs stay in memory.
func (s *Sorter) Add(p Pair) error {
	limit := cmp.Or(s.limit, inMemory)
	if len(s.pairs) >= limit && !s.failed {
		if err := s.spill(); err != nil {
			return err
		}
	}
	if s.pairs == nil {
		s.pairs = make([]Pair, 0, min(limit, 1<<10))
	}
	s.pairs = append(s.pairs, p)
	return nil
}

// spill writes the pairs in memory to the file, sorted.
func (s *Sorter) spill() error {
	if s.file == nil {
		file, err := os.CreateTemp("", "imagefarm-sort-*")
		if err != nil {
			s.failed = true
			return nil
		}
		s.file, s.unnamed = file, os.Remove(file.Name()) == nil // the file lives as long as it is open
	}
	s.sort()
	w := bufio.NewWriterSize(s.file, 1<<16)
	var b [pairSize]byte
	for _, p := range s.pairs {
		binary.LittleEndian.PutUint64(b[:], p.Key)
		binary.LittleEndian.PutUint64(b[8:], p.Value)
		if _, err := w.Write(b[:]); err != nil {
			return s.fault(err)
		}
	}
	if err := w.Flush(); err != nil {
		return s.fault(err)
	}
	s.runs = append(s.runs, s.end()+int64(len(s.pairs))*pairSize)
	s.pairs = s.pairs[:0]
	return nil
}

func (s *Sorter) end() int64 {
	if len(s.runs) == 0 {
		return 0
	}
	return s.runs[len(s.runs)-1]
}

func (s *Sorter) fault(err error) error {
	return fmt.Errorf("cannot sort in the temporary directory %s: %w", os.TempDir(), err)
}

func (s *Sorter) sort() {
	slices.SortFunc(s.pairs, compare)
}

func compare(a, b Pair) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value)) }

// Each calls visit with all pairs, sorted by Key and then by Value. It ends early with visit's error. No pair may be
// added afterwards.
func (s *Sorter) Each(visit func(Pair) error) error {
	s.sort()
	if len(s.runs) == 0 {
		for _, p := range s.pairs {
			if err := visit(p); err != nil {
				return err
			}
		}
		return nil
	}
	var m merge
	begin := int64(0)
	for _, end := range s.runs {
		m = append(m, &run{r: bufio.NewReaderSize(io.NewSectionReader(s.file, begin, end-begin), readSize)})
		begin = end
	}
	m = append(m, &run{rest: s.pairs})
	m = slices.DeleteFunc(m, func(r *run) bool { return !r.next() })
	heap.Init(&m)
	for len(m) > 0 {
		r := m[0]
		if r.err != nil {
			return s.fault(r.err)
		}
		if err := visit(r.now); err != nil {
			return err
		}
		if r.next() {
			heap.Fix(&m, 0)
		} else {
			heap.Pop(&m)
		}
	}
	return nil
}

// Close removes the temporary file.
func (s *Sorter) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if !s.unnamed {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	s.file = nil
	return err
}

// run is sorted pairs: those of r, or rest.
type run struct {
	r    *bufio.Reader
	rest []Pair
	now  Pair
	err  error // of reading; the run then counts as smallest
}

// next moves to the next pair, and reports whether there is one, or an error.
func (r *run) next() bool {
	if r.r == nil {
		if len(r.rest) == 0 {
			return false
		}
		r.now, r.rest = r.rest[0], r.rest[1:]
		return true
	}
	var b [pairSize]byte
	if _, err := io.ReadFull(r.r, b[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return false
		}
		r.err = err
		return true
	}
	r.now = Pair{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}
	return true
}

// merge is a heap of runs; the one with the smallest pair comes first.
type merge []*run

func (m merge) Len() int { return len(m) }
func (m merge) Less(i, j int) bool {
	return m[i].err != nil || m[j].err == nil && compare(m[i].now, m[j].now) < 0
}
func (m merge) Swap(i, j int) { m[i], m[j] = m[j], m[i] }

// Push implements heap.Interface.
func (m *merge) Push(x any) { *m = append(*m, x.(*run)) }

// Pop implements heap.Interface.
func (m *merge) Pop() any {
	last := len(*m) - 1
	r := (*m)[last]
	*m = (*m)[:last]
	return r
}
