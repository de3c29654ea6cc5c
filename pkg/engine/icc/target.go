package icc

import (
	"math"
	"sync"
)

// Target is a colour space to which pictures are converted. All have the tone curve of sRGB.
type Target int

// The targets.
const (
	SRGB Target = iota
	DisplayP3
	targets
)

// primaries are the columns of the matrices to XYZ under D50.
var primaries = [targets][3][3]float64{
	SRGB:      {{0.43607, 0.22249, 0.01392}, {0.38515, 0.71687, 0.09708}, {0.14307, 0.06061, 0.71410}},
	DisplayP3: {{0.51512, 0.24120, -0.00105}, {0.29198, 0.69225, 0.04189}, {0.15710, 0.06657, 0.78407}},
}

// fromXYZ are linear values of the targets, of XYZ under D50.
var fromXYZ = [targets][3][3]float64{
	SRGB: {
		{3.1338561, -1.6168667, -0.4906146}, {-0.9787684, 1.9161415, 0.0334540}, {0.0719453, -0.2289914, 1.4052427},
	},
	DisplayP3: {
		{2.4039990, -0.9899067, -0.3976305}, {-0.8422600, 1.7988465, 0.0160315}, {0.0482182, -0.0974315, 1.2740073},
	},
}

// matrix returns the matrix from linear values of t to XYZ under D50.
func (t Target) matrix() (m [3][3]float64) {
	for i, p := range primaries[t] {
		for row := range 3 {
			m[row][i] = p[row]
		}
	}
	return m
}

// Profile returns the ICC profile of t, which the caller must not change.
func (t Target) Profile() []byte { return targetProfiles()[t] }

var targetProfiles = sync.OnceValue(func() (all [targets][]byte) {
	for t, name := range [targets]string{"sRGB", "Display P3"} {
		all[t] = matrixProfile(name, primaries[t], curveOfSRGB())
	}
	return all
})

// encodeSteps is the resolution of the table that encodes linear values; at its dark end a step is a fifth of a level.
const encodeSteps = 1 << stepBits

func encode(x float64) float64 {
	if x > 0.0031308 {
		return 1.055*math.Pow(x, 1/2.4) - 0.055
	}
	return 12.92 * x
}

// encoded returns the table from linear values to levels.
var encoded = sync.OnceValue(func() *[encodeSteps + 1]uint8 {
	var table [encodeSteps + 1]uint8
	for i := range table {
		table[i] = uint8(255*encode(float64(i)/encodeSteps) + 0.5)
	}
	return &table
})
