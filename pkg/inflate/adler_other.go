//go:build !amd64 || purego

package inflate

func updateAdler(sum uint32, p []byte) uint32 { return plainUpdateAdler(sum, p) }
