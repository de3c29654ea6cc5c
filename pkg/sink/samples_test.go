package sink

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// lines passes on what is written to it.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

func TestOpenShardIsPublishedWhenTheLastRunIsInterrupted(t *testing.T) {
	pattern, err := shard.Parse("tar:" + t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	logged := make(lines, 100)
	var set *shard.Set
	t.Cleanup(func() {
		if err := set.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	s := newStageWith(t, func(c *Config) {
		set, err = shard.Open(t.Context(), pattern, shard.Config{
			Ledger: c.Ledger, Logger: slog.New(slog.NewTextHandler(logged, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		c.Shards = set
	})
	s.tell(&wire.Run{ID: "r", State: "running", Started: time.Now(), Found: 2})
	s.send(done(1).Encode())
	s.await(wire.TopicTaskDone)
	s.sink.runs.mu.Lock()
	s.sink.runs.byID["r"].called = time.Now().Add(-runTimeout - time.Second)
	s.sink.runs.mu.Unlock()
	for {
		select {
		case line := <-logged:
			if strings.Contains(line, "shard published") {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the open shard is not published")
		}
	}
}
