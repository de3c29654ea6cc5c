package isolate

import (
	"fmt"
	"sync"
	"unsafe"
)

// keep is how many bytes of an image, and of a child's outputs, stay in memory to be used again.
const keep = 8 << 20

// store is the memory that an Engine shares with its children: cells of one size for images, which all children can
// read, and for each slot a region for its outputs.
//
// The first cells belong to the slots, as many for each as a child may have turns; the others are lent by Buffer.
type store struct {
	in   *region
	out  []*region
	cell int64

	mu     sync.Mutex
	free   []int       // cells to lend; the one used last is the last: its memory is warm
	lent   map[int]int // bytes that are lent of each cell that is
	closed bool
}

func newStore(c Config) (*store, error) {
	s := &store{cell: aligned(c.MaxInput), lent: make(map[int]int)}
	own := c.Slots * Turns
	var err error
	if s.in, err = newRegion("input", s.cell*int64(own+c.Buffers)); err != nil {
		return nil, err
	}
	for i := range c.Slots {
		out, err := newRegion(fmt.Sprintf("output-%d", i), Turns*aligned(c.MaxOutput))
		if err != nil {
			s.close()
			return nil, err
		}
		s.out = append(s.out, out)
	}
	for i := range c.Buffers {
		s.free = append(s.free, own+c.Buffers-1-i)
	}
	return s, nil
}

// aligned rounds a size up to a multiple of every page size.
func aligned(size int64) int64 {
	const align = 1 << 16
	return (size + align - 1) / align * align
}

// outputAt returns where a child puts the outputs of a task in its region of that size: two tasks that follow one another in
// two halves, since it may be at the second before its parent has taken out the first's.
func outputAt(task uint64, size int) int64 {
	return int64(task%Turns) * int64(size/Turns)
}

// place returns where data lies in the input, copying it to that cell unless it is in the input already.
func (s *store) place(cell int, data []byte) (offset int64) {
	if len(data) == 0 {
		return 0
	}
	if offset, ok := s.offset(data); ok {
		return offset
	}
	offset = int64(cell) * s.cell
	copy(s.in.mem[offset:], data)
	return offset
}

// offset returns where data lies in the input, and whether it does.
func (s *store) offset(data []byte) (int64, bool) {
	base := uintptr(unsafe.Pointer(unsafe.SliceData(s.in.mem)))
	at := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	return int64(at - base), at >= base && at-base < uintptr(len(s.in.mem))
}

// clear gives back what an image of n bytes took up in that cell beyond what is kept.
func (s *store) clear(cell int, n int64) {
	if n > keep {
		s.in.trim(int64(cell)*s.cell+keep, int64(cell)*s.cell+n)
	}
}

// lend returns n bytes of a cell, or nil if there is none.
func (s *store) lend(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.free) == 0 || n == 0 || int64(n) > s.cell {
		return nil
	}
	i := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.lent[i] = n
	at := int64(i) * s.cell
	return s.in.mem[at : at+int64(n) : at+int64(n)]
}

// giveBack takes back what lend returned, or any part of it; other memory is left alone.
func (s *store) giveBack(b []byte) {
	if len(b) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in == nil {
		return
	}
	offset, ok := s.offset(b)
	if !ok {
		return
	}
	i := int(offset / s.cell)
	n, ok := s.lent[i]
	if !ok {
		return
	}
	delete(s.lent, i)
	s.clear(i, int64(n))
	s.free = append(s.free, i)
	s.unmap()
}

// close unmaps everything as soon as nothing is lent. No child and no transform may be left.
func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.unmap()
}

func (s *store) unmap() {
	if !s.closed || len(s.lent) > 0 || s.in == nil {
		return
	}
	s.in.close()
	s.in = nil
	for _, r := range s.out {
		r.close()
	}
	s.out = nil
}
