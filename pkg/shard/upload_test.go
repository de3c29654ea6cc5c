package shard

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

// Two farms look, find no shard of a name, and upload theirs.
func TestShardThatAnotherFarmUploadsSinceTheLook(t *testing.T) {
	s, server := newBucketStage(t)
	server.BeforeUpload(func(key string) { server.Put(key, []byte("of another")) })
	s.add("0.jpg")
	s.set.Seal()
	s.awaitRefusal()
	if data, _ := server.Get("part-000.tar"); string(data) != "of another" {
		t.Error("the other farm's shard is replaced")
	}
	server.Delete("part-000.tar")
	s.set.publishers.Wait()
	s.mustBeInBucket(server, "0.jpg")
}

// The store did what was asked, and its answer was lost.
func TestShardWhoseUploadIsRepeated(t *testing.T) {
	s, server := newBucketStage(t)
	server.BeforeUpload(func(key string) {
		data, err := os.ReadFile(s.set.unfinished(key))
		if err != nil {
			t.Error(err)
		}
		server.Put(key, data)
	})
	s.add("0.jpg")
	s.set.Seal()
	s.set.publishers.Wait()
	s.close()
	s.mustBeInBucket(server, "0.jpg")
}

func TestStoreWithoutConditionsTakesShards(t *testing.T) {
	s, server := newBucketStage(t)
	server.Unconditional.Store(true)
	s.add("0.jpg", "1.jpg")
	s.close()
	s.mustBeInBucket(server, "0.jpg", "1.jpg")
}

func TestCloseEndsUploadsWithItsContext(t *testing.T) {
	s, server := newBucketStage(t)
	server.Silent.Store(true)
	s.add("0.jpg")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the drain took too long")
	requests := server.Requests()
	go func() {
		server.AwaitRequest(t.Context(), requests) // one is in flight
		cancel(why)
	}()
	err := s.set.Close(ctx)
	s.set = nil
	if !errors.Is(err, why) || !strings.Contains(err.Error(), "kept in") {
		t.Errorf("closed: %v", err)
	}
	server.Silent.Store(false)
	s.open()
	s.close()
	s.mustBeInBucket(server, "0.jpg")
}
