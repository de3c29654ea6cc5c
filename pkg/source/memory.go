package source

import (
	"context"
	"sync"
)

// Memory bounds how many bytes of images from web servers are in memory at a time, while they are received and until
// they are closed. One image may exceed the limit, so that there is always one that goes on. A nil Memory has no limit.
// Its methods may be called concurrently.
type Memory struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	above *room         // exceeds the limit; nil: none does
	freed chan struct{} // closed when there may be room again; nil: nobody waits
}

// NewMemory returns a Memory of a number of bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// room is what one image takes of a Memory. It is not for concurrent use.
type room struct {
	of    *Memory // nil: without a limit
	bytes int64
}

// grow waits until the image may take n bytes. waits is called if that does not happen at once; resumed follows. The
// error is the context's cause.
func (r *room) grow(ctx context.Context, n int64, waits, resumed func()) error {
	m := r.of
	if m == nil || n <= r.bytes {
		return nil
	}
	for waiting := false; ; waiting = true {
		m.mu.Lock()
		fits := m.bytes+n-r.bytes <= m.limit
		if fits || m.above == nil || m.above == r {
			if !fits {
				m.above = r
			}
			m.bytes += n - r.bytes
			r.bytes = n
			m.mu.Unlock()
			if waiting {
				resumed()
			}
			return nil
		}
		if m.freed == nil {
			m.freed = make(chan struct{})
		}
		freed := m.freed
		m.mu.Unlock()
		if !waiting {
			waits()
		}
		select {
		case <-freed:
		case <-ctx.Done():
			resumed()
			return context.Cause(ctx)
		}
	}
}

// release gives back what the image took. It may be called again.
func (r *room) release() {
	m := r.of
	if m == nil || r.bytes == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes -= r.bytes
	r.bytes = 0
	if m.above == r {
		m.above = nil
	}
	if m.freed != nil {
		close(m.freed)
		m.freed = nil
	}
}
