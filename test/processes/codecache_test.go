//go:build darwin || linux

package processes

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// Where no C library is installed, codecs in WebAssembly stand in. Their machine code is kept, unless others than the
// user could write it.
func TestMachineCodeOfCodecsIsKept(t *testing.T) {
	nowhere := func(dir string) error { return os.WriteFile(filepath.Dir(dir), nil, 0o600) }
	for name, c := range map[string]struct {
		prepare func(dir string) error
		args    []string
		off     bool
		exposed bool // temporary directories are open to all
		kept    int  // codecs
		warns   bool
	}{
		"by children":    {kept: 1},
		"by one process": {args: []string{"--isolate=false"}, kept: 1},
		"of watermarks": { // in a directory of their own, written below
			args: []string{"--assets", "", "--variant", "y=fit:16x16,watermark:mark.avif,format:png"}, kept: 2,
		},
		"switched off":            {off: true},
		"nowhere":                 {prepare: nowhere, warns: true},
		"nowhere, in a cluster":   {prepare: nowhere, warns: true, exposed: true},
		"nowhere, in one process": {prepare: nowhere, warns: true, args: []string{"--isolate=false"}},
		"where all may write": { // whatever the umask
			prepare: func(dir string) error { return errors.Join(os.MkdirAll(dir, 0o700), os.Chmod(dir, 0o777)) },
			warns:   true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "below", "cache")
			if c.prepare != nil {
				if err := c.prepare(dir); err != nil {
					t.Fatal(err)
				}
			}
			value := dir
			if c.off {
				value = "off"
			}
			in, out, temporary := album(t, 2), t.TempDir(), t.TempDir()
			if c.exposed {
				if err := os.Chmod(temporary, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			if at := slices.Index(c.args, "--assets"); at >= 0 {
				c.args[at+1] = t.TempDir()
				write(t, filepath.Join(c.args[at+1], "mark.avif"), enginetest.File("quadrants.avif"))
			}
			args := append([]string{
				"run", "--http", "", "--slots", "2", "--out", out, "--variant", "x=fit:16x16,format:webp,lossless:yes", in,
			}, c.args...)
			cmd := exec.Command(filepath.Join(programs, "farm"), args...)
			cmd.Env = append(farmtest.Environ(), native.Env+"="+native.Portable, wasm.Env+"="+value,
				"TMPDIR="+temporary)
			p := farmtest.Start(t, "farm", cmd)
			p.MustExit(0)
			if made, err := filepath.Glob(filepath.Join(out, "*", "*.webp")); err != nil || len(made) != 2 {
				t.Errorf("made %v, %v", made, err)
			}
			sums := 0
			_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
				if err == nil && strings.HasSuffix(path, ".sha256") {
					sums++
				}
				return nil
			})
			if sums != c.kept {
				t.Errorf("%d sums of machine code in the cache, want %d", sums, c.kept)
			}
			if warned := strings.Contains(p.Said(), "cannot keep the machine code"); warned != c.warns {
				t.Errorf("warned: %v, want %v:\n%s", warned, c.warns, p.Said())
			}
			if n := strings.Count(p.Said(), "each child process translates"); (n == 1) != c.exposed {
				t.Errorf("said %d times that children translate:\n%s", n, p.Said())
			}
			if left, err := os.ReadDir(temporary); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
