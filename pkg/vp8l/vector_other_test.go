//go:build !amd64 || purego

package vp8l

// withoutVectors runs do without assembly, of which there is none.
func withoutVectors(do func()) { do() }
