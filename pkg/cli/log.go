package cli

import (
	"io"
	"log/slog"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/progress"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

// loggerOf returns the logger of the flags. usual is the level unless --log-level names one.
func loggerOf(c *cli.Command, w io.Writer, usual string) (*slog.Logger, error) {
	level := c.String("log-level")
	if level == "" {
		level = usual
	}
	log, err := telemetry.NewLogger(telemetry.LogConfig{
		Format: c.String("log-format"), Level: level, Quiet: c.Bool("quiet"), Writer: w,
	})
	if err != nil {
		return nil, &exitError{ExitUsage, err}
	}
	return log, nil
}

// usualLevel is warn beside a bar, so that log lines seldom interrupt it, and info otherwise.
func usualLevel(c *cli.Command, screen *progress.Screen) string {
	if progress.Drawn(c.String("progress"), screen) {
		return "warn"
	}
	return "info"
}
