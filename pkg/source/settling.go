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
}

func newSettling(wait time.Duration) *settling {
	return &settling{wait: wait, files: make(map[string]unsettled)}
}

// note says what a file is now. It reports whether the file is final; it is forgotten then.
func (s *settling) note(name, identity string, now time.Time) (final bool) {
	f, known := s.files[name]
	if !known || f.identity != identity {
		s.files[name] = unsettled{identity, now}
		return false
	}
	if now.Sub(f.since) < s.wait {
		return false
	}
	delete(s.files, name)
	return true
}

// drop forgets a file, since it is not there any more.
func (s *settling) drop(name string) { delete(s.files, name) }

// due returns the files that are final if they are still the same, by name.
func (s *settling) due(now time.Time) (names []string) {
	for name, f := range s.files {
		if now.Sub(f.since) >= s.wait {
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
		wait, any = min(wait, s.wait-now.Sub(f.since)), true
	}
	return max(0, wait), any
}
