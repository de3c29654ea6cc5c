package source

import (
	"slices"
	"time"
)

// settling decides when files that change are final: when they have been the same for a while. It does no I/O and reads
// no clock.
type settling struct {
	wait  time.Duration
	files map[string]unsettled
}

// unsettled is a file that has changed lately.
type unsettled struct {
	identity string
	since    time.Time // when it was first seen with this identity
	due      time.Time // when it is final, if it is still the same
}

func newSettling(wait time.Duration) *settling {
	return &settling{wait: wait, files: make(map[string]unsettled)}
}

// note says what a file is now. It reports whether the file is final. The caller drops or postpones it then.
func (s *settling) note(name, identity string, now time.Time) (final bool) {
	f, known := s.files[name]
	if !known || f.identity != identity {
		s.files[name] = unsettled{identity, now, now.Add(s.wait)}
		return false
	}
	return !now.Before(f.due)
}

// age returns for how long a file has been the same.
func (s *settling) age(name string, now time.Time) time.Duration { return now.Sub(s.files[name].since) }

// postpone makes a file due once more later.
func (s *settling) postpone(name string, now time.Time) {
	f := s.files[name]
	f.due = now.Add(s.wait)
	s.files[name] = f
}

// drop forgets a file, since it is not there any more.
func (s *settling) drop(name string) { delete(s.files, name) }

// due returns the files that are final if they are still the same, by name.
func (s *settling) due(now time.Time) (names []string) {
	for name, f := range s.files {
		if !now.Before(f.due) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// next returns how long no file can be final; false: none is waited for.
func (s *settling) next(now time.Time) (time.Duration, bool) {
	wait, any := s.wait, false
	for _, f := range s.files {
		wait, any = min(wait, f.due.Sub(now)), true
	}
	return max(0, wait), any
}
