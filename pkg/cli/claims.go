package cli

import (
	"hash/maphash"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// claims counts the images of a ledger's entries, and the outputs that were replaced. An image has several entries when
// it was made by several recipes. A later one takes over the outputs that an earlier one made, which replaces nothing.
// It remembers hashes, since a ledger may have many millions of entries. The zero value is ready.
type claims struct {
	images     map[uint64]struct{}
	superseded uint64

	taken map[uint64][]claimed // outputs that a later entry has, by the hash of their name, until that entry is seen
}

// claimed is an output of an entry.
type claimed struct {
	image uint64 // the hash of its source and name
	size  int64
	sum   uint32
}

var claimSeed = maphash.MakeSeed()

// take counts an entry. Entries must come in the order of the ledger.
func (c *claims) take(r *wire.Receipt) {
	if c.images == nil {
		c.images, c.taken = make(map[uint64]struct{}), make(map[uint64][]claimed)
	}
	image := maphash.Comparable(claimSeed, [2]string{r.Source, r.Filename})
	c.images[image] = struct{}{}
	for i := range r.Outputs {
		o := &r.Outputs[i]
		name := maphash.String(claimSeed, o.Name)
		is := claimed{image, o.Size, o.Sum}
		if o.Superseded {
			c.taken[name] = append(c.taken[name], is)
			continue
		}
		for _, was := range c.taken[name] {
			if was != is {
				c.superseded++
			}
		}
		delete(c.taken, name)
	}
}
