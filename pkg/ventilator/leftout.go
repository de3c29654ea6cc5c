package ventilator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/source"
)

// maxNamed is how many unreadable files and directories a run keeps by name.
const maxNamed = 100

// LeftOut says what a run did not take. It counts all kinds. It names only files and directories that are unreadable,
// because the run should have taken them.
type LeftOut struct {
	Counts     map[source.Kind]int64
	Unreadable []source.Omission // the first maxNamed
}

// String lists the kinds with their counts, the most frequent first: "3 hidden, 2 NEF"; empty if nothing was left
// out.
func (l LeftOut) String() string {
	kinds := slices.SortedFunc(maps.Keys(l.Counts), func(a, b source.Kind) int {
		return cmp.Or(cmp.Compare(l.Counts[b], l.Counts[a]), cmp.Compare(a, b))
	})
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = fmt.Sprintf("%d %s", l.Counts[k], plural(k, l.Counts[k]))
	}
	return strings.Join(words, ", ")
}

func plural(k source.Kind, n int64) string {
	if n == 1 {
		return string(k)
	}
	switch k {
	case source.LinkedDir:
		return "symlinked directories"
	case source.LinkOut:
		return "links out of the input"
	case source.Special:
		return "devices, pipes or sockets"
	case source.OutputDir:
		return "directories of outputs"
	case NotAnImage:
		return "not images"
	}
	return string(k)
}

// leftOut gathers what a walk leaves out. Its methods may be called concurrently.
type leftOut struct {
	mu  sync.Mutex
	all LeftOut
}

func (l *leftOut) add(o source.Omission) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all.Counts == nil {
		l.all.Counts = make(map[source.Kind]int64)
	}
	l.all.Counts[o.Kind]++
	if o.Kind == source.Unreadable && len(l.all.Unreadable) < maxNamed {
		l.all.Unreadable = append(l.all.Unreadable, o)
	}
}

// LeftOut returns what the run has left out so far. It may be called at any time.
func (v *Ventilator) LeftOut() LeftOut {
	v.leftOut.mu.Lock()
	defer v.leftOut.mu.Unlock()
	return LeftOut{Counts: maps.Clone(v.leftOut.all.Counts), Unreadable: slices.Clone(v.leftOut.all.Unreadable)}
}

// omit counts what the walk leaves out, and logs it if it is unreadable.
func (v *Ventilator) omit(o source.Omission) {
	v.leftOut.add(o)
	if o.Kind == source.Unreadable {
		v.log.Warn("a file or directory is left out: it cannot be read", "path", printable(o.Location), "error", o.Err)
	}
}
