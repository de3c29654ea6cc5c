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

// A sink that starts again while its bucket is away collects. One that was never there is a mistake.
func TestStartWithoutTheBucket(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	for endpoint, code := range map[string]int{
		"http://127.0.0.1:1":                             ExitFault,
		"http://" + strings.Repeat("a", 64) + ".invalid": ExitUsage,
	} {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		var out strings.Builder
		log := slog.New(slog.NewTextHandler(&out, nil))
		c := &cli.Command{Flags: objectFlags(), Action: func(ctx context.Context, c *cli.Command) error {
			if err := probeBucket(ctx, c, "s3://photos", true, log); err != nil {
				t.Errorf("again, at %s: %v", endpoint, err)
			}
			return probeBucket(ctx, c, "s3://photos", false, log)
		}}
		err := c.Run(t.Context(), []string{"sink", "--wait-bucket", "0s"})
		if exitCode(err) != code || err == nil || !strings.Contains(err.Error(), "AWS_ENDPOINT_URL") {
			t.Errorf("at %s: %v, status %d", endpoint, err, exitCode(err))
		}
		if !strings.Contains(out.String(), "the farm waits for it") {
			t.Errorf("again, at %s, it logs %q", endpoint, out.String())
		}
	}
}
