package ventilator

import (
	"maps"
	"slices"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/source"
)

// maxNamed is how many unreadable files and directories a run keeps by name.
const maxNamed = 100

// LeftOut says what a run did not take. It counts all kinds. It names only files and directories that are unreadable,
// because the run should have taken them.
type LeftOut struct {
	Counts     source.Tally
	Unreadable []source.Omission // the first maxNamed
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
		l.all.Counts = make(source.Tally)
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
	if o.Kind != source.Unreadable {
		return
	}
	what := "a file or directory is left out"
	switch {
	case o.List != "" && o.List == o.Location:
		what = "a list of URLs is not read to its end"
	case o.List != "":
		what = "a line of a list of URLs is left out"
	}
	v.log.Warn(what, "path", printable(o.Location), "error", o.Err)
}

// leftOutByKind returns the counts of what the run has left out so far, as they are reported to the sink.
func (v *Ventilator) leftOutByKind() map[string]int64 {
	v.leftOut.mu.Lock()
	defer v.leftOut.mu.Unlock()
	if len(v.leftOut.all.Counts) == 0 {
		return nil
	}
	counts := make(map[string]int64, len(v.leftOut.all.Counts))
	for kind, n := range v.leftOut.all.Counts {
		counts[string(kind)] = n
	}
	return counts
}
