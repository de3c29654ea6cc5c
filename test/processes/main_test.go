//go:build unix

// Package processes tests the farm as its users run it: real programs, real sockets, real signals. Every process gets a
// loopback address of its own farm, so that tests run beside each other and beside whatever else the machine does.
package processes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// root is the module's directory.
const root = "../.."

// limit bounds every single wait: long enough for a machine that does many other things, too.
const limit = 90 * time.Second

// programs is where TestMain has built the four programs.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the programs, or takes those of the directory that PROGRAMS_UNDER_TEST names.
func run(m *testing.M) int {
	if programs = os.Getenv("PROGRAMS_UNDER_TEST"); programs != "" {
		return m.Run()
	}
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
	return m.Run()
}
