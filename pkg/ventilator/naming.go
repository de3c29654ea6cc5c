package ventilator

import (
	"hash/maphash"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// naming says how the outputs of each image are named. Images whose outputs would have the same name keep their
// extensions in it: IMG_7.HEIC and IMG_7.jpg become IMG_7.HEIC_thumb.jpg and IMG_7.jpg_thumb.jpg. Which images those
// are depends on the inputs and the recipe alone, so that every run over the same inputs names them alike. The survey
// makes a naming; then it is only read.
type naming struct {
	usual, full         recipe.Recipe // full: of images that keep their extensions
	usualText, fullText string        // the canonical texts of both
	seed                maphash.Seed
	clashing            map[uint64]struct{} // hashes of the names of images that keep their extensions
}

func newNaming(r recipe.Recipe) *naming {
	full := r.KeepExtensions()
	return &naming{
		usual: r, usualText: r.String(), full: full, fullText: full.String(),
		seed: maphash.MakeSeed(), clashing: make(map[uint64]struct{}),
	}
}

func (n *naming) isClashing(name string) bool {
	if len(n.clashing) == 0 {
		return false
	}
	_, is := n.clashing[n.hash(name)]
	return is
}

func (n *naming) hash(s string) uint64 { return maphash.String(n.seed, s) }

// recipe returns the canonical text of the recipe of an image.
func (n *naming) recipe(name string) string {
	if n.isClashing(name) {
		return n.fullText
	}
	return n.usualText
}

// outputs returns the names of the outputs of an image.
func (n *naming) outputs(name string) []string { return n.variants(name).OutputNames(name) }

// variants returns the recipe of an image.
func (n *naming) variants(name string) recipe.Recipe {
	if n.isClashing(name) {
		return n.full
	}
	return n.usual
}

// refusal returns a rejection if one of the image's outputs has a name that no store can hold, otherwise nil.
func (n *naming) refusal(name string) *outcome.Rejection {
	for _, out := range n.outputs(name) {
		if err := blob.CheckName(out); err != nil {
			return outcome.Reject(outcome.BadName, "rename it: outputs are named after it: %v", err)
		}
	}
	return nil
}
