package ventilator

import (
	"fmt"
	"strings"
)

// maxClashes bounds how many pairs of images that would make the same output are listed.
const maxClashes = 20

// clashes gathers the images that would make the same output as another, so that whoever has a whole library of them learns of
// all at once.
type clashes struct {
	images int
	lines  []string
}

func (c *clashes) add(first, second, output string) {
	if c.images++; c.images <= maxClashes {
		c.lines = append(c.lines, fmt.Sprintf("%q and %q would both make %q", first, second, output))
	}
}

// refusal returns nil if there were none.
func (c *clashes) refusal() error {
	switch {
	case c.images == 0:
		return nil
	case c.images == 1:
		return usage("%s: rename one, or exclude it", c.lines[0])
	}
	list := strings.Join(c.lines, "\n  ")
	if more := c.images - len(c.lines); more > 0 {
		list += fmt.Sprintf("\n  and %d more", more)
	}
	return usage("%d images would make the same outputs as others: rename them, or exclude one of each (--exclude '**/*.png', say), "+
		"or run each kind by itself with --variant names of its own\n  %s", c.images, list)
}
