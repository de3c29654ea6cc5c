//go:build darwin || linux

package processes

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// A worker that is killed closes the translator's standard input.
func TestTranslatorEndsWithItsParent(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, codec := range []string{"av1-decode", "av1-encode", "webp-encode"} { // so that it waits for ever
		f, err := os.Create(filepath.Join(dir, codec+".lock"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Chmod(0o600); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(programs, "farm"))
	cmd.Env = append(farmtest.Environ(),
		native.Env+"="+native.Portable, wasm.Env+"="+dir, "IMAGEFARM_TRANSLATE=28") // all codecs
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	input.Close()
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("the translator ended: %v, want the status 1", cmd.ProcessState)
	}
}
