package diskfault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/diskfault"
)

func TestKindOfAnErrorHasASentence(t *testing.T) {
	for errno, want := range map[syscall.Errno]diskfault.Kind{
		syscall.ENOSPC: diskfault.Full, syscall.EDQUOT: diskfault.Quota, syscall.EFBIG: diskfault.FileTooLarge,
		syscall.EROFS: diskfault.ReadOnly, syscall.EIO: diskfault.Failing, syscall.EACCES: diskfault.Denied,
		syscall.EPERM: diskfault.Denied, syscall.EMFILE: diskfault.ManyFiles, syscall.ESTALE: diskfault.Stale,
	} {
		got := diskfault.Of(fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "x", Err: errno}))
		if got != want || got.Sentence() == "" {
			t.Errorf("%v is %q: %q", errno, got, got.Sentence())
		}
	}
	if got := diskfault.Of(errors.New("no space left on device")); got != diskfault.None {
		t.Errorf("the text of an error made it %q", got)
	}
	if diskfault.None.Sentence() != "" || diskfault.Kind("of a later version").Sentence() != "" {
		t.Error("an unknown kind has a sentence")
	}
}
