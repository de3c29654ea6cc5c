package cli

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Found: with a mistyped bucket the log had a warning every twenty seconds, for hours.
func TestUnavailableStoreIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		warn := warnOfBucket(slog.New(slog.NewTextHandler(&out, nil)))
		for range 30 {
			warn(errors.New("no such host"))
			time.Sleep(10 * time.Second)
		}
		if n := strings.Count(out.String(), "no such host"); n != 5 {
			t.Errorf("in five minutes it was logged %d times:\n%s", n, out.String())
		}
	})
}
