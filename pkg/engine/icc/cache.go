package icc

import (
	"crypto/sha256"
	"sync"
)

// maxCached bounds the profiles of a Cache. One takes about a megabyte with its tables, or two if it is for CMYK.
const maxCached = 8

// Cache keeps the profiles that were parsed last, with their tables. The zero Cache is empty; it is safe for use by
// several goroutines.
type Cache struct {
	mu      sync.Mutex
	entries []cached // the latest first
}

type cached struct {
	sum     [sha256.Size]byte
	profile *Profile
	err     error
}

// Parse is like the function Parse, and remembers what it returned. It does not keep data.
func (c *Cache) Parse(data []byte) (*Profile, error) {
	if len(data) > maxSize {
		return Parse(data)
	}
	sum := sha256.Sum256(data)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, e := range c.entries {
		if e.sum == sum {
			copy(c.entries[1:i+1], c.entries[:i])
			c.entries[0] = e
			return e.profile, e.err
		}
	}
	p, err := Parse(data)
	c.entries = append([]cached{{sum, p, err}}, c.entries[:min(len(c.entries), maxCached-1)]...)
	return p, err
}
