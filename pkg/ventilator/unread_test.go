package ventilator

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

func TestImageThatCannotBeFetchedIsNotBlamedOnWorkers(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		var logged bytes.Buffer
		cfg := s.config()
		cfg.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		cfg.Inputs = []string{"http://127.0.0.1:1/a.jpg"} // nothing listens there
		cfg.Select.Web.AllowPrivate = true
		_, done := s.start(cfg)
		if task := w.next(time.Hour); task != nil {
			t.Errorf("a worker got %+v", task)
		}
		if e := <-done; e.err != nil || e.run.Dead != 1 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		for _, r := range s.sink.settled {
			if r.Outcome != outcome.Dead || !strings.HasPrefix(r.Detail, "it could not be fetched: dial tcp ") {
				t.Errorf("the ledger received %+v", r)
			}
		}
		if text := logged.String(); !strings.Contains(text, "it was never read") ||
			strings.Contains(text, "no worker could") {
			t.Errorf("the log says %s", text)
		}
		w.die()
	})
}
