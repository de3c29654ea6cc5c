//go:build !amd64 || purego

package picture

func (m *matrix) rowVector(_, _, _, _ []byte) (done int) { return 0 }

func (m *matrix) halvedVector(_, _, _, _, _ []byte) (done int) { return 0 }

func alphaVector([]byte, bool) (done int, opaque bool) { return 0, true }

func lumaVector([]byte, *colors) (done int) { return 0 }

func differencesVector(_, _ []byte, _, _ *colors) (done int) { return 0 }

func separateVector([][]byte, []byte) (done int) { return 0 }
