package ventilator

import (
	"slices"
	"sync"
)

// maxBuffers and maxBufferBytes bound what buffers keeps. The capacity of a buffer larger than bufferStep is a multiple
// of bufferStep bytes, so that it often fits the next image.
const (
	maxBuffers     = 64
	maxBufferBytes = 32 << 20
	bufferStep     = 256 << 10
)

// buffers reuses the memory of sent messages for the images that are read next. Fresh memory costs as much as reading
// the file: the runtime clears it, the kernel maps it page by page, and it is in no processor cache. It may be used
// concurrently.
type buffers struct {
	mu    sync.Mutex
	free  [][]byte // ordered by capacity
	bytes int
}

// get returns memory of at least n bytes.
func (b *buffers) get(n int) []byte {
	b.mu.Lock()
	i, _ := slices.BinarySearchFunc(b.free, n, byCapacity)
	if i < len(b.free) {
		buf := b.free[i]
		b.free = slices.Delete(b.free, i, i+1)
		b.bytes -= cap(buf)
		b.mu.Unlock()
		return buf
	}
	b.mu.Unlock()
	if n > bufferStep {
		n = (n + bufferStep - 1) / bufferStep * bufferStep
	}
	return make([]byte, n)
}

// put keeps buf for get; the caller must not use buf afterwards. Beyond maxBuffers or maxBufferBytes put drops the
// smallest buffers.
func (b *buffers) put(buf []byte) {
	if cap(buf) == 0 || cap(buf) > maxBufferBytes/4 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i, _ := slices.BinarySearchFunc(b.free, cap(buf), byCapacity)
	b.free = slices.Insert(b.free, i, buf)
	b.bytes += cap(buf)
	for len(b.free) > maxBuffers || b.bytes > maxBufferBytes {
		b.bytes -= cap(b.free[0])
		b.free = slices.Delete(b.free, 0, 1)
	}
}

func byCapacity(buf []byte, n int) int { return cap(buf) - n }
