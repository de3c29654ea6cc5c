//go:build unix

package processes

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// The images of a whole archive and of a truncated one are accounted for, and a second run makes none of them.
func TestImagesInArchivesBalance(t *testing.T) {
	var shard bytes.Buffer
	w := tar.NewWriter(&shard)
	for i := range 10 {
		data := picture(t, uint8(i))
		err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%02d.jpg", i), Mode: 0o644, Size: int64(len(data)),
			Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write(data)
		}
		if err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in, out := t.TempDir(), t.TempDir()
	write(t, filepath.Join(in, "whole.tar"), shard.Bytes())
	write(t, filepath.Join(in, "truncated.tar"), shard.Bytes()[:shard.Len()/2])
	run := func() *farmtest.Process {
		args := []string{"run", in, "--out", out, "--size", "64", "--http", ""}
		p := farmtest.Start(t, "farm", exec.Command(filepath.Join(programs, "farm"), args...))
		p.MustExit(3)
		p.MustSay("1 rejected", "balanced")
		return p
	}
	run().MustSay("0 skipped")
	made, err := filepath.Glob(filepath.Join(out, "whole.tar", "*.jpg"))
	if err != nil || len(made) != 10 {
		t.Errorf("%d outputs, %v", len(made), err)
	}
	run().MustSay("0 done")
}
