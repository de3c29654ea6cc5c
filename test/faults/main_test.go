//go:build linux

// Package faults tests what happens to a farm whose surroundings fail: disks that are full, read-only or gone, a
// sink that cannot be reached or dies at the worst moment, images that hang, crash or eat their decoder. Real
// programs, real file systems, real signals.
package faults

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/isolate"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// limit bounds every single wait.
const limit = farmtest.Limit

// root is the module's directory.
const root = "../.."

// programs is where TestMain has built the programs.
var programs string

func TestMain(m *testing.M) {
	if isolate.Main(openPoison) {
		return
	}
	os.Exit(farmtest.With(func(dir string) int {
		programs = dir
		code := m.Run()
		if err := goleak.Find(); code == 0 && err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}))
}
