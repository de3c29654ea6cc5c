package resample

import (
	"math"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

func powers(gamma float64) (tables [3][256]float32) {
	for c := range tables {
		for i := range tables[c] {
			tables[c][i] = float32(math.Pow(float64(i)/255, gamma+float64(c)/10))
		}
	}
	return tables
}

// Light goes back to the level that it came from, of every channel.
func TestCurvesGoBack(t *testing.T) {
	flat := powers(1)
	for i := 250; i < 256; i++ {
		flat[2][i] = 1 // as where a profile's curve leads beyond white
	}
	for name, tables := range map[string][3][256]float32{"1": powers(1), "1.8": powers(1.8), "flat": flat} {
		c := NewCurves(&tables)
		if c == nil {
			t.Fatalf("%s: no curves", name)
		}
		for channel := range 3 {
			for level := range 256 {
				light := c.light[channel][level]
				if got := c.levels[channel][light]; int(got) != level && light != math.MaxUint16 {
					t.Errorf("%s: level %d of channel %d comes back as %d", name, level, channel, got)
				}
			}
			if white := c.levels[channel][math.MaxUint16]; white != 255 {
				t.Errorf("%s: white of channel %d is %d", name, channel, white)
			}
		}
	}
}

func TestCurvesThatDoNotRise(t *testing.T) {
	falls, level, none := powers(2), powers(2), powers(2)
	falls[1][100] = 0.9
	for i := range level[2] {
		level[2][i] = 0.5
	}
	none[0][7] = float32(math.NaN())
	for name, tables := range map[string][3][256]float32{"falls": falls, "level": level, "not a number": none} {
		if NewCurves(&tables) != nil {
			t.Errorf("%s: there are curves", name)
		}
	}
}

// Means of squares change a soft picture little, at edges that cut squares, too.
func TestSquaresOfLight(t *testing.T) {
	const w, h = 203, 151
	part := func(n, factor int) Part {
		return Part{Last: (n + factor - 1) / factor, Span: picture.Span{Length: float64(n) / float64(factor)}}
	}
	for channels := 1; channels <= 4; channels++ {
		var made [2][]byte
		for i, factor := range []int{1, 5} {
			l := NewLinear(channels, w, factor, SRGBCurves())
			var planes []*picture.Plane
			for range channels {
				p := picture.Whole(make([]byte, 20*15), 20, 15)
				planes = append(planes, &p)
			}
			l.Add(planes, part(w, factor), part(h, factor))
			row := make([]byte, channels*w)
			for y := range h {
				for x := range row {
					c := x % channels
					row[x] = byte(128 + 100*math.Sin(float64(x/channels)/29+float64(c))*math.Cos(float64(y)/37+float64(c)))
				}
				l.Row(row)
			}
			l.Close()
			for _, p := range planes {
				made[i] = append(made[i], p.Pix...)
			}
		}
		for i, v := range made[0] {
			if d := int(v) - int(made[1][i]); d < -4 || d > 4 {
				t.Errorf("%d channels: sample %d is %d by squares, %d without", channels, i, made[1][i], v)
			}
		}
	}
}

// Squares that are opaque, whole or cut at an edge, are those of a picture without alpha; a clear pixel beside changes
// none but its own.
func TestOpaqueSquaresOfLight(t *testing.T) {
	const w, h, factor = 23, 12, 4
	made := func(channels int) (planes []*picture.Plane) {
		l := NewLinear(channels, w, factor, SRGBCurves())
		for range channels {
			p := picture.Whole(make([]byte, 6*3), 6, 3)
			planes = append(planes, &p)
		}
		l.Add(planes, Part{Last: 6, Span: picture.Span{Length: 6}}, Part{Last: 3, Span: picture.Span{Length: 3}})
		row := make([]byte, channels*w)
		for y := range h {
			for x := range w {
				for c := range channels - 1 + channels%2 {
					row[channels*x+c] = byte(x*11 + y*5 + c*60)
				}
				if channels%2 == 0 {
					row[channels*x+channels-1] = 255
					if x/factor == 2 && y/factor == 1 {
						row[channels*x+channels-1] = byte(x % 2 * 255)
					}
				}
			}
			l.Row(row)
		}
		l.Close()
		return planes
	}
	for _, colors := range []int{1, 3} {
		with, without := made(colors+1), made(colors)
		for c := range without {
			for i, want := range without[c].Pix {
				if got := with[c].Pix[i]; i != 8 && got != want {
					t.Errorf("%d colours: sample %d of channel %d is %d, not %d", colors, i, c, got, want)
				}
			}
		}
		if got := with[colors].Pix[8]; got != 128 {
			t.Errorf("%d colours: half of a square has opacity %d", colors, got)
		}
	}
}
