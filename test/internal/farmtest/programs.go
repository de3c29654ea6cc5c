//go:build unix

package farmtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// With calls run with the directory where the four programs are, and returns what that does; 1 when they cannot be
// built.
func With(run func(dir string) int) int {
	dir, remove, err := Build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer remove()
	return run(dir)
}

// Build builds the four programs, or takes those of the directory that PROGRAMS_UNDER_TEST names, and returns where
// they are and what is to be called when they are needed no more.
func Build() (dir string, remove func(), err error) {
	if dir = os.Getenv("PROGRAMS_UNDER_TEST"); dir != "" {
		return dir, func() {}, nil
	}
	if dir, err = os.MkdirTemp("", "imagefarm-programs-"); err != nil {
		return "", nil, err
	}
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	for _, name := range []string{"farm", "ventilator", "worker", "sink"} {
		args = append(args, "github.com/imagefarm/imagefarm/"+name)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", nil, fmt.Errorf("building the programs: %w\n%s", err, out)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}
