package resample

import (
	"math"
	"testing"
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
