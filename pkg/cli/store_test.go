package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/urfave/cli/v3"
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

// A sink that starts again while its bucket is away collects, and a worker waits. Others end with a status after which
// a supervisor starts them again.
func TestStartWithoutTheBucket(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	const away = "http://127.0.0.1:1"
	unknown := "http://" + strings.Repeat("a", 64) + ".invalid"
	for _, test := range []struct {
		endpoint string
		without  absence
		code     int
	}{
		{away, endWithout, ExitFault}, {away, waitForStore, 0}, {away, collectAtOnce, 0},
		{unknown, endWithout, ExitFault}, {unknown, waitForStore, ExitFault}, {unknown, collectAtOnce, 0},
	} {
		t.Setenv("AWS_ENDPOINT_URL", test.endpoint)
		var out strings.Builder
		log := slog.New(slog.NewTextHandler(&out, nil))
		c := &cli.Command{Flags: objectFlags(), Action: func(ctx context.Context, c *cli.Command) error {
			return probeBucket(ctx, c, "s3://photos", test.without, log)
		}}
		err := c.Run(t.Context(), []string{"sink", "--wait-bucket", "0s"})
		if exitCode(err) != test.code || err != nil && !strings.Contains(err.Error(), "AWS_ENDPOINT_URL") {
			t.Errorf("%d, at %s: %v, status %d", test.without, test.endpoint, err, exitCode(err))
		}
		if waits := strings.Contains(out.String(), "the farm waits for it"); waits != (test.code == 0) {
			t.Errorf("%d, at %s, it logs %q", test.without, test.endpoint, out.String())
		}
	}
}
