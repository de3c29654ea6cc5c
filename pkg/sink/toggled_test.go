package sink

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Found: each report that an ended run went on, and each that it ended again, made an event, a record in the ledger and
// a line in the log, a thousand times a second.
func TestRunThatHasEndedStaysEnded(t *testing.T) {
	logged := make(lines, 1000)
	s := newStageWith(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(logged, nil)) })
	live := wire.Run{ID: "r", State: outcome.Running, Started: time.Now(), Found: 2}
	ended := live
	ended.State, ended.Ended, ended.Done = outcome.Finished, time.Now(), 2
	s.tell(&live)
	s.tell(&ended)
	s.await(wire.TopicRunFinished)
	other := ended
	other.Done, other.Rejected = 1, 1
	for range 20 {
		if _, err := s.client.TellRun(t.Context(), &live); err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Fatalf("a late report: %v", err)
		}
		s.tell(&other)
	}
	runs, err := s.client.Runs(t.Context())
	if r := onlyRun(t, runs, err); r.State != outcome.Finished || r.Done != 2 {
		t.Errorf("as the sink knows it: %+v", r)
	}
	again := wire.Run{ID: "r", State: outcome.Running, Started: live.Started.Add(time.Minute)}
	s.tell(&again)
	s.await(wire.TopicRunStarted)
	if n := logged.count("run=r"); n != 3 { // started, finished, started
		t.Errorf("%d lines about the run", n)
	}
}

func TestFailedDeliveriesDoNotFillTheLog(t *testing.T) {
	logged := make(lines, 10_000)
	s := newStageWith(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(logged, nil)) })
	const sent = 500
	for n := range sent {
		failed := done(n)
		failed.Outcome, failed.Outputs, failed.Detail = outcome.Failed, nil, "no disk"
		s.send(failed.Encode())
	}
	for range sent {
		s.await(wire.TopicTaskFailed)
	}
	if n := logged.count("a delivery failed"); n == 0 || n == sent {
		t.Errorf("%d lines of %d", n, sent)
	}
}

// count returns how many of the lines that have been written contain text.
func (l lines) count(text string) (n int) {
	for {
		select {
		case line := <-l:
			if strings.Contains(line, text) {
				n++
			}
		default:
			return n
		}
	}
}
