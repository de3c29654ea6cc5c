//go:build !race

package ventilator

// million is how many URLs the longest list has.
const million = 1_000_000
