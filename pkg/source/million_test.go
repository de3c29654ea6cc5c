//go:build !race

package source

// million is how many images the tests of memory walk over.
const million = 1_000_000
