//go:build !purego

package vp8l

// withoutVectors runs do without assembly.
func withoutVectors(do func()) {
	defer func(v bool) { vectors = v }(vectors)
	vectors = false
	do()
}
