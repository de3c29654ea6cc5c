//go:build unix

// Package processes tests the farm as its users run it: real programs, real sockets, real signals. Every process gets a
// loopback address of its own farm, so that tests run beside each other and beside whatever else the machine does.
package processes

import (
	"os"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// root is the module's directory.
const root = "../.."

// limit bounds every single wait.
const limit = farmtest.Limit

// programs is where TestMain has built the four programs.
var programs string

func TestMain(m *testing.M) {
	os.Exit(farmtest.With(func(dir string) int {
		programs = dir
		return m.Run()
	}))
}
