//go:build linux

// Package hostile attacks real processes over their ports, and checks that good peers are served meanwhile and that
// memory stays bounded. SECURITY.md says which test stands behind which row of its table.
package hostile

import (
	"os"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

const photos = "../../testdata/photos"

// programs is where TestMain has built the four programs.
var programs string

func TestMain(m *testing.M) {
	os.Exit(farmtest.With(func(dir string) int {
		programs = dir
		return m.Run()
	}))
}
