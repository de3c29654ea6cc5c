package ventilator

import (
	"slices"
	"sync"
)

// What messages keeps at most, and the step in which it makes them, in bytes, so that one serves for the next.
const (
	keepMessages     = 64
	keepMessageBytes = 32 << 20
	messageStep      = 256 << 10
)

// messages keeps the memory of messages that were sent for those that are read next. Fresh memory costs as much as the
// reading: the runtime clears it, the kernel maps it page by page, and no cache has it.
type messages struct {
	mu    sync.Mutex
	free  [][]byte // by capacity
	bytes int
}

// get returns memory of at least n bytes.
func (m *messages) get(n int) []byte {
	m.mu.Lock()
	i, _ := slices.BinarySearchFunc(m.free, n, byCapacity)
	if i < len(m.free) {
		b := m.free[i]
		m.free = slices.Delete(m.free, i, i+1)
		m.bytes -= cap(b)
		m.mu.Unlock()
		return b
	}
	m.mu.Unlock()
	if n > messageStep {
		n = (n + messageStep - 1) / messageStep * messageStep
	}
	return make([]byte, n)
}

// put takes back what nobody reads any more. It keeps the larger ones.
func (m *messages) put(b []byte) {
	if cap(b) == 0 || cap(b) > keepMessageBytes/4 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i, _ := slices.BinarySearchFunc(m.free, cap(b), byCapacity)
	m.free = slices.Insert(m.free, i, b)
	m.bytes += cap(b)
	for len(m.free) > keepMessages || m.bytes > keepMessageBytes {
		m.bytes -= cap(m.free[0])
		m.free = slices.Delete(m.free, 0, 1)
	}
}

func byCapacity(b []byte, n int) int { return cap(b) - n }
