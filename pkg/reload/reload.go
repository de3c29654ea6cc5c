// Package reload keeps what files say and reads them again once they change, so that a certificate or a token can be
// replaced while a program runs.
package reload

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Every is the shortest pause between two looks at the files.
const Every = 2 * time.Second

// Files holds what some files say, as read by Load. It is safe for concurrent use. Set the exported fields before Open,
// and leave them alone afterwards.
type Files[T any] struct {
	Paths    []string          // the files whose change makes Load run again; empty names are passed over
	Load     func() (T, error) // reads the files
	Reloaded func(T)           // is called after Load has read a change
	Failed   func(error)       // is called if Load fails on a change; what was read before stays in force

	mu     sync.Mutex
	looked time.Time
	stamp  string
	state  T
}

// Open reads the files for the first time. It returns the error of Load.
func (f *Files[T]) Open() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked, f.stamp = time.Now(), f.stampOf()
	var err error
	f.state, err = f.Load()
	return err
}

// Current returns what the files say now, or said a pause of Every ago at the most.
func (f *Files[T]) Current() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) < Every {
		return f.state
	}
	f.looked = time.Now()
	stamp := f.stampOf()
	if stamp == f.stamp {
		return f.state
	}
	f.stamp = stamp
	fresh, err := f.Load()
	if err != nil {
		f.Failed(err)
		return f.state
	}
	f.state = fresh
	f.Reloaded(fresh)
	return f.state
}

// stampOf returns a text that differs once a file has changed, or has appeared or disappeared.
func (f *Files[T]) stampOf() string {
	var b strings.Builder
	for _, path := range f.Paths {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintf(&b, "%d %d;", info.ModTime().UnixNano(), info.Size())
		} else {
			fmt.Fprintf(&b, "%v;", err)
		}
	}
	return b.String()
}
