package source

import (
	"path/filepath"
	"strings"
	"sync"
)

// Roots finds the directories that entries are named from, by which images of one name are told apart. The zero
// value is ready. It may be used concurrently.
type Roots struct {
	mu       sync.Mutex
	resolved map[string]string // directory → its absolute path, without links
}

// maxResolved bounds how many directories Roots remembers.
const maxResolved = 10_000

// Of returns the directory from which name leads to the file at location: absolute, without links, and
// slash-separated. Of a URL it returns what comes before the name. It is empty if that is unknown.
func (r *Roots) Of(location, name string) string {
	slashed := filepath.ToSlash(location)
	dir, found := strings.CutSuffix(slashed, name)
	if !found {
		dir = slashed[:strings.LastIndexByte(slashed, '/')+1] // names of listed files lack a leading "../"
	}
	if strings.Contains(dir, "://") {
		return dir
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.resolved[dir]; ok {
		return known
	}
	real, err := filepath.Abs(filepath.FromSlash(dir))
	if err != nil {
		return ""
	}
	if followed, err := filepath.EvalSymlinks(real); err == nil {
		real = followed
	}
	real = filepath.ToSlash(real)
	if r.resolved == nil || len(r.resolved) >= maxResolved {
		r.resolved = make(map[string]string)
	}
	r.resolved[dir] = real
	return real
}
