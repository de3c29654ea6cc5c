//go:build unix

package processes

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/program"
)

// process is a program under test. What it writes is kept, and shown when the test fails.
type process struct {
	*program.Process
	t *testing.T
}

// start runs one of the four programs.
func start(t *testing.T, name, which string, args ...string) *process {
	t.Helper()
	return startCommand(t, name, exec.Command(filepath.Join(programs, which), args...))
}

func startCommand(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	return &process{program.Start(t, name, cmd), t}
}
