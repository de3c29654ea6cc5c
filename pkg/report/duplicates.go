package report

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// DuplicateImage is an image that is like another.
type DuplicateImage struct {
	Filename string `json:"filename"`
	Source   string `json:"source,omitempty"` // where its name begins
	Bytes    int64  `json:"bytes"`
}

// DuplicateGroup is two images or more that are alike.
type DuplicateGroup struct {
	SHA256 string           `json:"sha256,omitempty"` // of all of them; empty where they only look alike
	Images []DuplicateImage `json:"images"`
}

// Duplicates is the images of a ledger that are alike.
type Duplicates struct {
	Groups  []DuplicateGroup
	Images  int // that were compared
	Unknown int // images that were left out, because the ledger does not know their SHA-256, or how they look
}

// Images look alike if so few bits of their gradients differ, and so few levels of each of their mean colours.
const (
	maxGradientBits = 5
	maxColorLevels  = 32
	gradientBands   = maxGradientBits + 1 // of which one at least is the same
)

// compared is an image while it is compared.
type compared struct {
	DuplicateImage
	sum      string
	gradient uint64
	color    [3]byte
}

// FindDuplicates returns the done images with the same content, or, with similar, those that look alike. It takes some
// 200 bytes of memory for each image.
func FindDuplicates(ctx context.Context, b wire.LedgerReader, similar bool) (*Duplicates, error) {
	latest := make(map[imageKey]int) // an image may have entries of several recipes
	var all []compared
	found := new(Duplicates)
	args := wire.EntriesArgs{Outcomes: []outcome.Outcome{outcome.Done}, Superseded: true}
	err := EachEntry(ctx, b, args, func(e *wire.Receipt) error {
		if superseded(e) {
			return nil
		}
		c := compared{DuplicateImage: DuplicateImage{e.Filename, e.Source, e.Bytes}}
		ok := e.Known != nil && len(e.Known.SHA256) > 0
		if ok {
			c.sum = e.Known.SHA256.String()
		}
		if similar {
			c.gradient, ok = e.Known.Gradient()
			if ok {
				var err error
				c.color, err = known.RGB(e.Known.Color)
				ok = err == nil
			}
		}
		key := imageKey{e.Source, e.Filename}
		at, again := latest[key]
		switch {
		case !ok && !again:
			found.Unknown++
		case !ok:
		case again:
			all[at] = c
		default:
			latest[key] = len(all)
			all = append(all, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	found.Images = len(all)
	if similar {
		found.Groups = similarGroups(all)
	} else {
		found.Groups = equalGroups(all)
	}
	return found, nil
}

func equalGroups(all []compared) (groups []DuplicateGroup) {
	bySum := make(map[string][]int)
	for i, c := range all {
		bySum[c.sum] = append(bySum[c.sum], i)
	}
	for sum, members := range bySum {
		if len(members) > 1 {
			groups = append(groups, groupOf(all, members, sum))
		}
	}
	return sorted(groups)
}

// similarGroups joins images that look alike, and those that look like one of these. Two gradients that differ in few
// bits have a band of bits in common, so that only images with a common band are compared.
func similarGroups(all []compared) (groups []DuplicateGroup) {
	parent := make([]int, len(all))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	const width = (64 + gradientBands - 1) / gradientBands
	for band := range gradientBands {
		buckets := make(map[uint64][]int)
		for i, c := range all {
			key := c.gradient >> (band * width) & (1<<width - 1)
			for _, k := range buckets[key] {
				if root(i) != root(k) && alike(&c, &all[k]) {
					parent[root(i)] = root(k)
				}
			}
			buckets[key] = append(buckets[key], i)
		}
	}
	members := make(map[int][]int)
	for i := range all {
		members[root(i)] = append(members[root(i)], i)
	}
	for _, m := range members {
		if len(m) > 1 {
			groups = append(groups, groupOf(all, m, ""))
		}
	}
	return sorted(groups)
}

func alike(a, b *compared) bool {
	if bits.OnesCount64(a.gradient^b.gradient) > maxGradientBits {
		return false
	}
	for i := range a.color {
		if max(a.color[i], b.color[i])-min(a.color[i], b.color[i]) > maxColorLevels {
			return false
		}
	}
	return true
}

func groupOf(all []compared, members []int, sum string) DuplicateGroup {
	g := DuplicateGroup{SHA256: sum}
	for _, i := range members {
		g.Images = append(g.Images, all[i].DuplicateImage)
	}
	slices.SortFunc(g.Images, func(a, b DuplicateImage) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Filename, b.Filename))
	})
	return g
}

func sorted(groups []DuplicateGroup) []DuplicateGroup {
	slices.SortFunc(groups, func(a, b DuplicateGroup) int {
		x, y := &a.Images[0], &b.Images[0]
		return cmp.Or(strings.Compare(x.Source, y.Source), strings.Compare(x.Filename, y.Filename))
	})
	return groups
}
