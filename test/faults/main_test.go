//go:build linux

// Package faults tests what happens to a farm whose surroundings fail: disks that are full, read-only or gone, a sink that
// cannot be reached or dies at the worst moment, images that hang, crash or eat their decoder. Real programs, real file
// systems, real signals.
package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/isolate"
	"go.uber.org/goleak"
)

// limit bounds every single wait: long enough for a machine that does many other things, too.
const limit = 60 * time.Second

// root is the module's directory.
const root = "../.."

// programs is where TestMain has built the programs.
var programs string

func TestMain(m *testing.M) {
	if isolate.Main(openPoison) {
		return
	}
	os.Exit(run(m))
}

// run builds the programs, or takes those of the directory that PROGRAMS_UNDER_TEST names.
func run(m *testing.M) int {
	if programs = os.Getenv("PROGRAMS_UNDER_TEST"); programs == "" {
		dir, err := os.MkdirTemp("", "imagefarm-programs-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		build := exec.Command("go", "build", "-tags", "nodynamic", "-o", dir+string(filepath.Separator),
			"./farm", "./ventilator", "./worker", "./sink")
		build.Dir, build.Stdout, build.Stderr = root, os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "building the programs:", err)
			return 1
		}
		programs = dir
	}
	code := m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
