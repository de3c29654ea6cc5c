package wasm

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"sync"
)

// temporaryPrefix begins the names of directories of temporary caches.
const temporaryPrefix = "imagefarm-codecs-"

// TemporaryCache is a cache for this process and its children, in a directory of temporary files. Open makes it, Remove
// removes it. That of a process which was killed is removed by the next Open of the same user.
type TemporaryCache struct {
	Cache // its directory exists after Open

	mu      sync.Mutex
	held    *os.File // the directory, locked; nil unless it is open
	removed bool
}

// NewTemporaryCache chooses a directory for a temporary cache, but does not make it. The error is as of CheckCache.
func NewTemporaryCache() (*TemporaryCache, error) {
	c, err := CheckCache(filepath.Join(os.TempDir(), temporaryPrefix+rand.Text()))
	if err != nil {
		return nil, err
	}
	return &TemporaryCache{Cache: c}, nil
}

// Open makes the directory, unless Remove has been called. It first removes those that were left behind.
func (c *TemporaryCache) Open() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != nil || c.removed {
		return nil
	}
	removeAbandoned(filepath.Dir(string(c.Cache)), temporaryPrefix)
	_, held, err := openTemporary(string(c.Cache))
	c.held = held
	return err
}

// Remove removes the directory if it was made.
func (c *TemporaryCache) Remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removed = true
	if c.held == nil {
		return
	}
	_ = os.RemoveAll(string(c.Cache)) // locked: another process that opens one leaves this alone
	c.held.Close()
	c.held = nil
}
