//go:build !linux

package wasm

import "github.com/tetratelabs/wazero/experimental"

// growing is memory that is copied as it grows.
type growing struct{ p []byte }

func allocateMemory(size, _ uint64) experimental.LinearMemory { return &growing{make([]byte, 0, size)} }

// Reallocate implements experimental.LinearMemory.
func (m *growing) Reallocate(size uint64) []byte {
	if n := int(size) - len(m.p); n > 0 {
		m.p = append(m.p, make([]byte, n)...)
	}
	return m.p
}

// Free implements experimental.LinearMemory.
func (m *growing) Free() { m.p = nil }
