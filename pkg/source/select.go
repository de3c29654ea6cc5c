package source

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// hides reports whether a name is hidden, and such names are left out.
func (c *Config) hides(name string) bool {
	base := path.Base(name)
	return !c.Hidden && base != ".." && strings.HasPrefix(base, ".")
}

// leavesOut returns why an entry of a source without directories is left out; empty if it is not. It judges each
// directory on the way to the entry like the walk of a Dir.
func (c *Config) leavesOut(name string) Kind {
	for i, r := range name {
		if r != '/' {
			continue
		}
		switch dir := name[:i]; {
		case c.hides(dir):
			return Hidden
		case matches(c.Exclude, dir):
			return Excluded
		}
	}
	switch {
	case c.hides(name):
		return Hidden
	case !c.admits(name):
		return Excluded
	}
	return ""
}

// admits reports whether the globs admit a file. Config.Include is asked about the files in an archive, not about
// the archive.
func (c *Config) admits(name string) bool {
	return !matches(c.Exclude, name) && (len(c.Include) == 0 || matches(c.Include, name) || packingOf(name) != "")
}

// matches reports whether one of the globs matches the name, or its base when the glob has no slash.
func matches(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		target := name
		if !strings.Contains(g, "/") {
			target = path.Base(name)
		}
		ok, _ := doublestar.Match(g, target) // Validate saw the pattern
		return ok
	})
}
