package isolate

import (
	"fmt"
	"sync"
	"unsafe"
)

// keep is how many bytes of a cell, and of a child's outputs, stay resident between images: fresh pages are slow.
const keep = 8 << 20

// store is the memory that an Engine shares with its children: an input of equal cells for images, which all children
// can read, and a region for each slot's outputs.
//
// Each slot owns the first cells, one for each turn. Buffer lends the others.
type store struct {
	in   *region
	out  []*region
	cell int64

	mu     sync.Mutex
	free   []int       // cells to lend; the one used last comes last and is lent next: its memory is in the caches
	lent   map[int]int // by lent cell, the bytes that are lent of it
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

// outputAt returns where the outputs of a task begin in a child's region of the given size. Consecutive tasks use two
// halves: the child may begin the second task before its parent has read the outputs of the first.
func outputAt(task uint64, size int) int64 {
	return int64(task%Turns) * int64(size/Turns)
}

// place returns where data lies in the input. It copies data to the given cell unless data lies in the input already.
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

// clear returns to the system the memory that an image of n bytes takes up in the cell beyond keep.
func (s *store) clear(cell int, n int64) {
	if n > keep {
		s.in.trim(int64(cell)*s.cell+keep, int64(cell)*s.cell+n)
	}
}

// lend returns n bytes of a free cell, or nil if there is none.
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

// giveBack takes back memory that lend returned, or a part of it. It ignores other memory.
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

// close unmaps everything as soon as nothing is lent. No child and no transform may be running.
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
