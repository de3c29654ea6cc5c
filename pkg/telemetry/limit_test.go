package telemetry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimitedLoggerSaysHowManyLinesItLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		log := Limited(slog.New(slog.NewTextHandler(&text, nil)))
		lines := func() (n int) {
			n = strings.Count(text.String(), "\n")
			text.Reset()
			return n
		}
		for range 3 * linesAtOnce {
			log.Warn("refused")
		}
		if n := lines(); n != linesAtOnce {
			t.Errorf("%d lines of 3 × %d", n, linesAtOnce)
		}
		log.Info("joined") // another message
		log.With("worker", "w1").WithGroup("g").Warn("refused")
		if n := lines(); n != 1 {
			t.Errorf("%d lines, not one", n)
		}
		time.Sleep(linesPeriod)
		log.Warn("refused")
		if want := `"not logged"=201`; !strings.Contains(text.String(), want) {
			t.Errorf("%q does not say %s", text.String(), want)
		}
		lines()
		log.Warn("refused")
		if strings.Contains(text.String(), "not logged") || lines() != 1 {
			t.Error("a line after that says so again, or is missing")
		}
	})
}
