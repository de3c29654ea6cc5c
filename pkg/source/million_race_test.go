//go:build race

package source

// million is fewer under the race detector, with which a million take minutes.
const million = 100_000
