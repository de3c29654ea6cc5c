//go:build race

package ventilator

// million is how many URLs the longest list has. The race detector would take minutes for a million.
const million = 200_000
