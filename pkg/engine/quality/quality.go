// Package quality chooses the quality at which a picture is encoded, in a bounded number of tries: to look as good as
// asked for, or to have no more bytes.
package quality

import (
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Goal is what the encoded picture must be.
type Goal struct {
	Quality  int   // 1 to 100: what is asked for, the most where MaxBytes is set; 0: the encoder has none
	Auto     bool  // instead of Quality: the lowest that looks as good as Target
	MaxBytes int64 // of the encoded picture; 0: any number
}

// Auto tries qualities from Least to Most and takes the lowest whose distance, by package ssim, is at most Target.
// Photographs of 1280 pixels have that distance at about quality 82 as JPEG and 90 as WebP. Below Least blocks and blur
// show whatever the distance says; above Most a picture grows much and looks no better.
const (
	Target = 0.004
	Least  = 40
	Most   = 95
)

// Chooses reports whether the quality depends on the picture, so that it has to be told.
func (g Goal) Chooses() bool { return g.Quality != 0 && (g.Auto || g.MaxBytes > 0) }

// MaxTries is how often a picture is encoded at most: six times for Auto, seven more for MaxBytes.
const MaxTries = 13

// Chosen is a picture that was encoded.
type Chosen struct {
	Data    []byte
	Quality int // 0: the encoder has none
}

// Choose encodes at one quality after the other until the goal is reached. distance says how different from the
// picture an encoded one looks; it is asked for Auto only. Choose rejects a picture that is too large at the lowest
// quality. Errors of encode and distance are returned as they are.
func (g Goal) Choose(encode func(quality int) ([]byte, error), distance func(data []byte) (float64, error)) (Chosen,
	error) {
	best := Chosen{Quality: g.Quality}
	var err error
	if g.Auto {
		best, err = lowest(encode, distance)
	} else {
		best.Data, err = encode(g.Quality)
	}
	if err != nil || g.fits(best) {
		return best, err
	}
	if best.Quality == 0 {
		return Chosen{}, outcome.Reject(outcome.TooLarge, "it has %d bytes, max-bytes allows %d, and its format has no "+
			"quality that could be lowered", len(best.Data), g.MaxBytes)
	}
	return g.smaller(encode, best)
}

func (g Goal) fits(c Chosen) bool { return g.MaxBytes == 0 || int64(len(c.Data)) <= g.MaxBytes }

// lowest returns the picture of the lowest quality that looks good enough, or else the best.
func lowest(encode func(int) ([]byte, error), distance func([]byte) (float64, error)) (Chosen, error) {
	var best Chosen
	for low, high := Least, Most; low <= high; {
		q := (low + high) / 2
		data, err := encode(q)
		if err != nil {
			return Chosen{}, err
		}
		d, err := distance(data)
		if err != nil {
			return Chosen{}, err
		}
		if d <= Target {
			best, high = Chosen{data, q}, q-1
			continue
		}
		low = q + 1
		if q == Most {
			best = Chosen{data, q}
		}
	}
	return best, nil
}

// smaller returns the picture of the highest quality below that of large which fits.
func (g Goal) smaller(encode func(int) ([]byte, error), large Chosen) (Chosen, error) {
	var best Chosen
	least := large
	for low, high := 1, large.Quality-1; low <= high; {
		q := (low + high) / 2
		data, err := encode(q)
		if err != nil {
			return Chosen{}, err
		}
		c := Chosen{data, q}
		if g.fits(c) {
			best, low = c, q+1
		} else {
			least, high = c, q-1
		}
	}
	if best.Data == nil {
		return Chosen{}, outcome.Reject(outcome.TooLarge, "it has %d bytes at quality %d, and max-bytes allows %d",
			len(least.Data), least.Quality, g.MaxBytes)
	}
	return best, nil
}
