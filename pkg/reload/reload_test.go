package reload

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestFilesAreReadAgainOnceTheyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "words")
		write := func(text string, at time.Time) {
			t.Helper()
			if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
				t.Fatal(err)
			}
		}
		loads, reloaded, failed := 0, "", error(nil)
		f := &Files[string]{
			Paths: []string{"", path},
			Load: func() (string, error) {
				loads++
				b, err := os.ReadFile(path)
				if string(b) == "bad" {
					err = errors.New("cannot be read")
				}
				return string(b), err
			},
			Reloaded: func(text string) { reloaded = text },
			Failed:   func(err error) { failed = err },
		}
		if err := f.Open(); err == nil {
			t.Error("a missing file was opened")
		}
		begin := time.Now()
		write("one", begin)
		if err := f.Open(); err != nil || f.Current() != "one" {
			t.Fatalf("%q, %v", f.Current(), err)
		}
		loads = 0

		write("two", begin.Add(time.Second))
		if got := f.Current(); got != "one" {
			t.Errorf("it looked again at once and says %q", got)
		}
		time.Sleep(Every)
		if got := f.Current(); got != "two" || reloaded != "two" || loads != 1 {
			t.Errorf("after the change it says %q, told of %q, and read %d times", got, reloaded, loads)
		}
		time.Sleep(Every)
		if f.Current(); loads != 1 {
			t.Errorf("without a change it read again: %d times", loads)
		}

		write("bad", begin.Add(2*time.Second))
		time.Sleep(Every)
		if got := f.Current(); got != "two" || failed == nil {
			t.Errorf("after a bad change it says %q and told %v", got, failed)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		failed = nil
		time.Sleep(Every)
		if got := f.Current(); got != "two" || failed == nil {
			t.Errorf("after the file was removed it says %q and told %v", got, failed)
		}
	})
}
