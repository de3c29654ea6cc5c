package heif

import "github.com/imagefarm/imagefarm/pkg/engine/icc"

// Transfer curves of high dynamic range. Pictures with them need more than a matrix profile.
const (
	transferPQ  = 16
	transferHLG = 18
)

// profile returns the profile that the file carries, or else one made of the primaries, or nil where those are
// sRGB's or unknown.
func (c *color) profile() []byte {
	if c.icc != nil {
		return c.icc
	}
	if c.gray || c.transfer == transferPQ || c.transfer == transferHLG {
		return nil
	}
	switch c.primaries {
	case 9:
		return icc.BT2020()
	case 12:
		return icc.DisplayP3.Profile()
	}
	return nil
}
