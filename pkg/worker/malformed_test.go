package worker

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func TestMessagesThatAreNoTasksDoNotFillTheLog(t *testing.T) {
	var said bytes.Buffer
	onStage(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&said, nil)) }, func(t *testing.T, s *stage) {
		const sent = 500
		for range sent {
			if err := s.tasks.Send(t.Context(), zsock.Message{[]byte("no task")}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := strings.Count(said.String(), "is not a task"); n == 0 || n == sent {
			t.Errorf("%d lines of %d", n, sent)
		}
	})
}
