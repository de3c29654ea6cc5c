package jpeg

import "fmt"

// Scale is the size at which an image is decoded, in eighths of its full size: the side, in samples, of what becomes of
// a block of 8×8.
type Scale int

const (
	Eighth        Scale = 1
	Quarter       Scale = 2
	ThreeEighths  Scale = 3
	Half          Scale = 4
	FiveEighths   Scale = 5
	ThreeQuarters Scale = 6
	SevenEighths  Scale = 7
	Full          Scale = 8
)

// spill is by how many samples a transform writes past the right edge of its block, into what the block to the right
// then overwrites: those of 3, 5, 6 and 7 points store whole words.
func (s Scale) spill() int {
	switch s {
	case ThreeEighths:
		return 1
	case FiveEighths, ThreeQuarters, SevenEighths:
		return 8 - int(s)
	}
	return 0
}

// of returns how many samples a scale makes of n.
func (s Scale) of(n int) int { return ceilDiv(n*int(s), 8) }

// Options tell how to decode.
type Options struct {
	// Scale is the size wanted; 0 means Full.
	Scale Scale

	// SkipRefinement leaves out, at Quarter and Eighth, the scans of a progressive image that refine AC
	// coefficients. That is much faster and good enough for thumbnails, but no longer exact. It does nothing at
	// other scales, where the loss would be seen, nor to other images.
	SkipRefinement bool
}

func (o *Options) validate() error {
	if o.Scale == 0 {
		o.Scale = Full
	}
	if o.Scale < Eighth || o.Scale > Full {
		return fmt.Errorf("jpeg: Scale is %d eighths; it must be 1 to 8", o.Scale)
	}
	return nil
}

// Decoder decodes images one after the other and keeps its memory and tables between them. The zero value is ready.
// It is not safe for use by several goroutines at once.
type Decoder struct {
	cache   codesCache
	entropy entropy
	units   []unit
	coefs   [4]coefficients
}

// Decode decodes data into dst, whose memory it uses again. It keeps nothing of data.
//
// The error is an *UnsupportedError, a *TruncatedError or a *CorruptError; see these for what dst holds then.
func Decode(dst *Planes, data []byte, opt Options) error {
	var d Decoder
	return d.Decode(dst, data, opt)
}

// Decode is like the function Decode; it is faster from the second image on.
func (d *Decoder) Decode(dst *Planes, data []byte, opt Options) error {
	dst.empty()
	if err := opt.validate(); err != nil {
		return err
	}
	p := newParser(data)
	if err := p.headers(); err != nil {
		return err
	}
	listed := p.all()
	dst.shape(&p.header, &p.frame, opt.Scale)
	if p.frame.arithmetic {
		return d.arithmetic(dst, p, listed)
	}
	if p.frame.progressive {
		return d.progressive(dst, p, opt, listed)
	}
	return d.sequential(dst, p, listed)
}

// arithmetic decodes all coefficients, and transforms those that the scale needs.
func (d *Decoder) arithmetic(dst *Planes, p *parser, listed error) error {
	f := &p.frame
	blocks, err := p.gather(listed)
	for i, plane := range dst.planes(len(f.components)) {
		c := &d.coefs[i]
		c.reset(&f.components[i], dst.Scale)
		for n := range blocks[i] {
			c.set(n, &blocks[i][n], dst.Scale)
		}
		blocks[i] = nil
		c.transform(plane, &f.components[i], dst.Scale)
	}
	return err
}
