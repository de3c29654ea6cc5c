package blob

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestNamesOfOutputs(t *testing.T) {
	for _, name := range []string{
		"a.jpg", "a/b/c_thumbnail64.jpg", "...", "..a/b..", "a b/ä\n.jpg", "latin1-\xe4.jpg", "a/.imagefarm/b", ".hidden",
		".imagefarmer/a", strings.Repeat("x", 255), strings.Repeat("x/", 2047) + "xx", `a\b`, "C:", "-rf",
	} {
		if err := CheckName(name); err != nil {
			t.Errorf("CheckName(%.40q) = %v, want it taken", name, err)
		}
	}
	for _, name := range []string{
		"", ".", "..", "/", "/etc/passwd", "a/", "a//b", "../a", "a/../b", "a/..", "./a", "a/./b", "a\x00.jpg",
		".imagefarm", ".imagefarm/tmp/x", ".ImageFarm/x", ".imagefarm./x", ".imagefarm /x",
		strings.Repeat("x", 256), strings.Repeat("x/", 2048) + "x",
	} {
		err := CheckName(name)
		if !errors.Is(err, ErrName) {
			t.Errorf("CheckName(%.40q) = %v, want an ErrName", name, err)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("the error for %.20q… has %d bytes", name, len(err.Error()))
		}
	}
}

func TestConfigIsCheckedInSentences(t *testing.T) {
	for _, sync := range []Sync{"", SyncBatch, SyncEach, SyncNever} {
		if err := (Config{Sync: sync}).Validate(); err != nil {
			t.Errorf("sync %q: %v", sync, err)
		}
	}
	_, err := OpenDir(t.TempDir(), Config{Sync: "sometimes"})
	if err == nil || !strings.Contains(err.Error(), "sometimes") {
		t.Errorf("OpenDir with a sync of sometimes: %v, want an error that names it", err)
	}
}

// What CheckName takes, and nothing else, ends up below the directory under just that name.
func FuzzNoNameLeadsOut(f *testing.F) {
	for _, s := range []string{"a.jpg", "../a", "a/../../b", "/a", ".imagefarm/x", "a\\..\\b", "a/./b", "x\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 300 {
			return
		}
		outer := t.TempDir()
		d, err := OpenDir(outer+"/out", Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		putErr := d.Put(t.Context(), name, []byte("x"))
		if checkErr := CheckName(name); checkErr != nil && putErr == nil {
			t.Errorf("Put took the name %q that CheckName refuses: %v", name, checkErr)
		}
		if left := list(t, outer); putErr == nil && !(len(left) == 1 && left[0] == "out/"+name) {
			t.Errorf("Put(%q) left %q", name, left)
		} else if putErr != nil && len(left) != 0 {
			t.Errorf("Put(%q) failed and left %q", name, left)
		}
	})
}

func TestStoreOfAnUnknownKindIsRefusedAndNotMadeADirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Open("gs://bucket/out", Config{}); err == nil || !strings.Contains(err.Error(),
		"no stores of the kind gs://") {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Errorf("there is %v now, %v", entries, err)
	}
	d, err := Open("out", Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestErrorsReadWell(t *testing.T) {
	long := CheckName(strings.Repeat("é", 128))
	for err, want := range map[error]string{
		fault("open the directory", "", "/out", syscall.EACCES): "cannot open the directory /out: " +
			"this process may not write there: " + syscall.EACCES.Error(),
		fault("write", "a.jpg", "/out", syscall.ENOSPC): `cannot write "a.jpg" in /out: ` +
			"the disk is full: " + syscall.ENOSPC.Error(),
		long: `cannot use the name "` + strings.Repeat("é", 58) + `…": a part of it has 256 bytes, more than 255`,
	} {
		if err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
