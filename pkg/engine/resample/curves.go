package resample

import (
	"math"
	"sync"
)

// Curves say how much light the levels of red, green and blue stand for; those of gray are the first.
type Curves struct {
	light  [3]*[256]uint16               // of each level, 65535 being white
	floats [3]*[256]float32              // the same
	levels [3]*[math.MaxUint16 + 1]uint8 // the nearest to each light
}

// NewCurves returns the curves of tables that have the light of each level, 0 to 1. It returns nil where a table falls
// somewhere, or does not rise: then no level stands for a light.
func NewCurves(tables *[3][256]float32) *Curves {
	c := new(Curves)
	for i := range tables {
		if i > 0 && tables[i] == tables[i-1] {
			c.light[i], c.floats[i], c.levels[i] = c.light[i-1], c.floats[i-1], c.levels[i-1]
			continue
		}
		light, levels := new([256]uint16), new([math.MaxUint16 + 1]uint8)
		for level, v := range tables[i] {
			if !(v >= 0 && v <= 1) || level > 0 && v < tables[i][level-1] {
				return nil
			}
			light[level] = uint16(math.Round(float64(v) * math.MaxUint16))
		}
		if light[0] == light[255] {
			return nil
		}
		level := 0
		for v := range levels {
			for level < 255 && int(light[level])+int(light[level+1]) < 2*v {
				level++
			}
			if levels[v] = uint8(level); v >= int(light[255]) {
				levels[v] = 255
			}
		}
		c.light[i], c.floats[i], c.levels[i] = light, floatsOf(light), levels
	}
	return c
}

// SRGBCurves returns the curves of sRGB, which Display P3 shares.
var SRGBCurves = sync.OnceValue(func() *Curves {
	light, levels := new([256]uint16), new([math.MaxUint16 + 1]uint8)
	for i := range light {
		x := float64(i) / 255
		if x <= 0.04045 {
			x /= 12.92
		} else {
			x = math.Pow((x+0.055)/1.055, 2.4)
		}
		light[i] = uint16(math.Round(x * math.MaxUint16))
	}
	for i := range levels {
		x := float64(i) / math.MaxUint16
		if x <= 0.0031308 {
			x *= 12.92
		} else {
			x = 1.055*math.Pow(x, 1/2.4) - 0.055
		}
		levels[i] = uint8(math.Round(255 * x))
	}
	floats := floatsOf(light)
	return &Curves{
		light:  [3]*[256]uint16{light, light, light},
		floats: [3]*[256]float32{floats, floats, floats},
		levels: [3]*[math.MaxUint16 + 1]uint8{levels, levels, levels},
	}
})

func floatsOf(light *[256]uint16) *[256]float32 {
	floats := new([256]float32)
	for level, v := range light {
		floats[level] = float32(v)
	}
	return floats
}
