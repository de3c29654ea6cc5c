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
// The first cells belong to the slots, the others are lent by Buffer.
type store struct {
	in   *region
	out  []*region
	cell int64

	mu     sync.Mutex
	free   []int // cells to lend
	lent   int
	closed bool
}

func newStore(c Config) (*store, error) {
	const align = 1 << 16 // a multiple of every page size
	s := &store{cell: (c.MaxInput + align - 1) / align * align}
	var err error
	if s.in, err = newRegion("input", s.cell*int64(c.Slots+c.Buffers)); err != nil {
		return nil, err
	}
	for i := range c.Slots {
		out, err := newRegion(fmt.Sprintf("output-%d", i), c.MaxOutput)
		if err != nil {
			s.close()
			return nil, err
		}
		s.out = append(s.out, out)
	}
	for i := range c.Buffers {
		s.free = append(s.free, c.Slots+c.Buffers-1-i)
	}
	return s, nil
}

// place returns where data lies in the input, copying it to the slot's cell unless it is in the input already.
func (s *store) place(slot int, data []byte) (offset int64) {
	if len(data) == 0 {
		return 0
	}
	base := uintptr(unsafe.Pointer(unsafe.SliceData(s.in.mem)))
	if at := uintptr(unsafe.Pointer(unsafe.SliceData(data))); at >= base && at-base < uintptr(len(s.in.mem)) {
		return int64(at - base)
	}
	offset = int64(slot) * s.cell
	copy(s.in.mem[offset:], data)
	return offset
}

// clear gives back what an image of n bytes took up in the slot's cell beyond what is kept.
func (s *store) clear(slot int, n int64) {
	if n > keep {
		s.in.trim(int64(slot)*s.cell+keep, int64(slot)*s.cell+n)
	}
}

// lend returns n bytes of a cell, or nil if there is none.
func (s *store) lend(n int) (b []byte, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.free) == 0 || int64(n) > s.cell {
		return nil, nil
	}
	i := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	s.lent++
	at := int64(i) * s.cell
	return s.in.mem[at : at+int64(n) : at+int64(n)], sync.OnceFunc(func() {
		s.clear(i, int64(n))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.free = append(s.free, i)
		s.lent--
		s.unmap()
	})
}

// close unmaps everything as soon as nothing is lent. No child and no transform may be left.
func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.unmap()
}

func (s *store) unmap() {
	if !s.closed || s.lent > 0 || s.in == nil {
		return
	}
	s.in.close()
	s.in = nil
	for _, r := range s.out {
		r.close()
	}
	s.out = nil
}
