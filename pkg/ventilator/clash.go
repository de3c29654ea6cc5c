package ventilator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/extsort"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/source"
)

// survey is the result of the walks before the first task.
type survey struct {
	Images int64   // how many images there are in the run's part
	Others bool    // there are images in other parts
	naming *naming // how their outputs are named
}

// survey counts the images and decides how their outputs are named. It refuses images whose outputs have the same name
// even when the names keep the images' extensions. It sorts a hash of each output, not its name, in a temporary file if
// there are many; only when two hashes are equal does it walk again for the names. It looks at all parts, so that runs
// over each name outputs alike.
func (f *finder) survey(ctx context.Context, r recipe.Recipe) (survey, error) {
	s := survey{naming: newNaming(r)}
	for {
		images, others, collisions, err := f.collisions(ctx, s.naming)
		s.Images, s.Others = images, others > 0
		if err != nil || len(collisions) == 0 {
			return s, err
		}
		settled, err := f.resolveClashes(ctx, s.naming, collisions)
		if err != nil || settled {
			return s, err
		}
	}
}

// collisions counts the images in the run's part and in others, and returns the hashes that several outputs have.
func (f *finder) collisions(
	ctx context.Context, n *naming,
) (images, others int64, collisions map[uint64]struct{}, err error) {
	var hashes extsort.Sorter
	defer func() { err = errors.Join(err, hashes.Close()) }()
	err = f.walkAll(ctx, func(im image) error {
		if f.part.Has(im.entry.Name) {
			images++
		} else {
			others++
		}
		for _, out := range n.outputs(im.Name) {
			if err := hashes.Add(extsort.Pair{Key: n.hash(out)}); err != nil {
				return err
			}
		}
		return nil
	}, func(source.Omission) {})
	if err != nil {
		return images, others, nil, err
	}
	collisions = make(map[uint64]struct{})
	last, any := uint64(0), false
	err = hashes.Each(func(p extsort.Pair) error {
		if any && p.Key == last {
			collisions[last] = struct{}{}
		}
		last, any = p.Key, true
		return nil
	})
	return images, others, collisions, err
}

// resolveClashes makes images that share an output name with another image keep their extensions. It returns true if no
// two images share a name, and an error if two share one although both keep their extensions. After false the caller
// must check the new names again.
func (f *finder) resolveClashes(
	ctx context.Context, n *naming, collisions map[uint64]struct{},
) (settled bool, err error) {
	var refused clashes
	first := make(map[string]image) // by output
	renamed := make(map[uint64]struct{})
	err = f.walkAll(ctx, func(im image) error {
		for _, out := range n.outputs(im.Name) {
			if _, is := collisions[n.hash(out)]; !is {
				continue
			}
			other, taken := first[out]
			if !taken {
				first[out] = im
				continue
			}
			if other.Name == im.Name || n.isClashing(other.Name) && n.isClashing(im.Name) {
				refused.add(other.Path, im.Path, out)
				return nil // report each pair of images once
			}
			renamed[n.hash(other.Name)], renamed[n.hash(im.Name)] = struct{}{}, struct{}{}
		}
		return nil
	}, func(source.Omission) {})
	if err = cmp.Or(err, refused.refusal()); err != nil {
		return false, err
	}
	for h := range renamed {
		n.clashing[h] = struct{}{}
	}
	return len(renamed) == 0, nil
}

// maxClashes bounds how many pairs of images that would make the same output are listed.
const maxClashes = 20

// clashes gathers the images that would make the same output as another, so that one refusal names all of them.
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
	return usage("%d images would make the same outputs as others: "+
		"rename them, or exclude one of each (--exclude '**/*.png', say), "+
		"or run each kind by itself with --variant names of its own\n  %s", c.images, list)
}
