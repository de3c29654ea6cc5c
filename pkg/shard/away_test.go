package shard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
)

// newBucketStage returns a stage whose shards are in a bucket, which counts as unavailable after one request.
func newBucketStage(t *testing.T) (*stage, *s3test.Server) {
	server := s3test.New(t)
	server.Setenv(t)
	s := newStage(t, "tar:s3://photos/part-%03d.tar", Config{
		Count: 1, Blob: blob.Config{Bucket: bucket.Config{Tries: 1}},
	})
	return s, server
}

func (s *stage) mustBeInBucket(server *s3test.Server, want ...string) {
	s.t.Helper()
	var names []string
	for _, key := range server.Keys("") {
		data, _ := server.Get(key)
		names = append(names, outputsIn(s.t, data)...)
	}
	if !slices.Equal(names, want) {
		s.t.Errorf("in the bucket: %q, not %q", names, want)
	}
}

func TestRestartWhileTheBucketIsAway(t *testing.T) {
	s, server := newBucketStage(t)
	s.add("0.jpg")
	s.set.Seal()
	s.set.publishers.Wait()
	server.Down.Store(true)
	names := []string{"1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"}
	s.add(names...) // more full shards than are published at a time
	s.die()

	s.open() // while the bucket is away
	for _, name := range names {
		s.mustHold(name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sample := Sample{Name: "6.jpg", Data: content("6.jpg"), About: About{Filename: "of 6.jpg"}}
	if err := s.set.Reserve([]string{"6.jpg"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.set.Append(ctx, []Sample{sample})
	if !errors.Is(err, blob.ErrUnavailable) || !strings.Contains(err.Error(), "part-00") {
		t.Errorf("while shards wait for the bucket: %v", err)
	}
	server.Down.Store(false)
	var g *Group
	err = blob.Insist(ctx, func() error {
		g, err = s.set.Append(ctx, []Sample{sample})
		return err
	}, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	s.commit(g)
	s.close()
	s.mustBeInBucket(server, "0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg")
}

// Whether the bucket has the last shard is not known while it is away, so that nothing is added to that shard.
func TestRestartWhileTheBucketIsAwayChangesNoShardOfIt(t *testing.T) {
	s, server := newBucketStage(t)
	s.set.cfg.Count = 10
	s.add("0.jpg")
	s.set.Seal()
	s.set.publishers.Wait()
	before, _ := server.Get("part-000.tar")
	s.add("1.jpg", "2.jpg")
	s.die()
	server.Down.Store(true)
	s.open()
	s.add("3.jpg")
	server.Down.Store(false)
	s.close()
	if after, _ := server.Get("part-000.tar"); !slices.Equal(before, after) {
		t.Error("a published shard changed")
	}
	s.mustBeInBucket(server, "0.jpg", "1.jpg", "2.jpg", "3.jpg")
}

// awaitRefusal waits until a shard is refused, and the others are published.
func (s *stage) awaitRefusal() {
	for {
		s.set.mu.Lock()
		over, changed := s.set.refusal() != nil && s.set.busy == 1, s.set.changed
		s.set.mu.Unlock()
		if over {
			return
		}
		<-changed
	}
}

func TestShardOfAnotherFarmIsNotReplaced(t *testing.T) {
	s, server := newBucketStage(t)
	var log bytes.Buffer
	s.set.log = slog.New(slog.NewTextHandler(&log, nil))
	server.Put("part-001.tar", []byte("of another"))
	s.add("0.jpg", "1.jpg")
	s.set.Seal()
	s.awaitRefusal()
	if data, _ := server.Get("part-001.tar"); string(data) != "of another" {
		t.Error("another shard is replaced")
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "another shard has its name") {
		t.Errorf("logged: %s", &log)
	}
	sample := Sample{Name: "2.jpg", Data: content("2.jpg"), About: About{Filename: "of 2.jpg"}}
	if err := s.set.Reserve([]string{"2.jpg"}); err != nil {
		t.Fatal(err)
	}
	_, err := s.set.Append(t.Context(), []Sample{sample})
	if !errors.Is(err, blob.ErrUnavailable) || !strings.Contains(err.Error(), "another shard has its name") {
		t.Errorf("after the refusal: %v", err)
	}
	if err := s.set.Rewrite(t.Context(), nil); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("rewrite: %v", err)
	}
	server.Delete("part-001.tar")
	s.set.publishers.Wait()
	g, err := s.set.Append(t.Context(), []Sample{sample})
	if err != nil {
		t.Fatal(err)
	}
	s.commit(g)
	s.close()
	s.mustBeInBucket(server, "0.jpg", "1.jpg", "2.jpg")
}

func TestRewriteThatWaitsForTheBucketEndsWithItsContext(t *testing.T) {
	s, server := newBucketStage(t)
	server.Silent.Store(true)
	s.add("0.jpg")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("a signal")
	cancel(why)
	if err := s.set.Rewrite(ctx, nil); !errors.Is(err, why) {
		t.Errorf("rewrite: %v", err)
	}
	err := s.set.Close(context.Background()) // without waiting for the bucket
	s.set = nil
	if !errors.Is(err, why) || !strings.Contains(err.Error(), "kept in") {
		t.Errorf("closed: %v", err)
	}
	server.Silent.Store(false)
	s.open()
	s.close()
	s.mustBeInBucket(server, "0.jpg")
}

func TestLooksAtAnAbsentBucketAreFew(t *testing.T) {
	server := s3test.New(t)
	server.Setenv(t)
	s := newStage(t, "tar:s3://photos/part-%03d.tar", Config{})
	s.add("0.jpg")
	s.set.Seal()
	s.set.publishers.Wait()
	before := server.Requests()
	server.Down.Store(true)
	if _, err := s.set.Stat("0.jpg"); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if n := server.Requests() - before; n > 2*fewTries { // the transport repeats some on its own
		t.Errorf("%d requests", n)
	}
}

func TestRestartWhileTheBucketIsSilent(t *testing.T) {
	s, server := newBucketStage(t)
	s.add("0.jpg")
	s.set.Seal()
	s.set.publishers.Wait()
	s.die()
	server.Silent.Store(true)
	s.cfg.Blob.StatTimeout = 50 * time.Millisecond
	s.open()
	s.add("1.jpg")
	s.mustHold("1.jpg")
	server.Silent.Store(false)
	s.set.Seal()
	s.set.publishers.Wait() // which tries again, unlike Close
	s.close()
	s.mustBeInBucket(server, "0.jpg", "1.jpg")
}

func TestOpenEndsWithItsContext(t *testing.T) {
	s, server := newBucketStage(t)
	s.add("0.jpg")
	s.close()
	server.Silent.Store(true)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("a signal")
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	if _, err := Open(ctx, s.pattern, s.cfg); !errors.Is(err, why) || errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("opened: %v", err)
	}
}

func TestSamplesThatAreHereAreReadWithoutTheBucket(t *testing.T) {
	s, server := newBucketStage(t)
	s.set.cfg.Count = 10
	s.add("0.jpg")
	before := server.Requests()
	s.mustHold("0.jpg")
	if there, err := s.set.Holds("0.jpg", content("0.jpg")); !there || err != nil {
		t.Errorf("%v, %v", there, err)
	}
	if n := server.Requests() - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}

// An upload of a killed process may end after the next process has looked at the bucket.
func TestUploadThatOutlivesItsProcess(t *testing.T) {
	s, server := newBucketStage(t)
	s.set.cfg.Count, s.cfg.Count = 10, 10
	s.add("0.jpg")
	uploaded, err := os.ReadFile(s.set.unfinished("part-000.tar"))
	if err != nil {
		t.Fatal(err)
	}
	s.die()
	s.open()
	s.add("1.jpg")
	s.set.publishers.Wait()
	server.Put("part-000.tar", append(uploaded, make([]byte, trailerSize)...))
	s.close()
	s.open()
	s.mustHold("0.jpg")
	s.mustHold("1.jpg")
	s.mustBeInBucket(server, "0.jpg", "1.jpg")
}

// The answer to an upload was lost, and its process was killed.
func TestUploadOfAKilledProcessIsNotRepeated(t *testing.T) {
	s, server := newBucketStage(t)
	s.add("0.jpg")
	uploaded, err := os.ReadFile(s.set.unfinished("part-000.tar"))
	if err != nil {
		t.Fatal(err)
	}
	s.die()
	server.Put("part-000.tar", append(uploaded, make([]byte, trailerSize)...))
	s.open()
	s.close()
	if n := server.Count("PUT"); n != 0 {
		t.Errorf("%d uploads", n)
	}
	s.mustBeInBucket(server, "0.jpg")
}

func TestShardOfTheSameSizeIsNotTakenForOurs(t *testing.T) {
	s, server := newBucketStage(t)
	s.add("0.jpg")
	ours := s.set.unfinished("part-000.tar")
	info, err := os.Stat(ours)
	if err != nil {
		t.Fatal(err)
	}
	s.die()
	server.Put("part-000.tar", bytes.Repeat([]byte("x"), int(info.Size())+trailerSize))
	s.open()
	err = s.set.Close(context.Background())
	s.set = nil
	if err == nil || !strings.Contains(err.Error(), `publish "part-000.tar" in s3://photos: another shard has its name`) {
		t.Errorf("closed: %v", err)
	}
	if _, err := os.Stat(ours); err != nil {
		t.Errorf("our shard: %v", err)
	}
	server.Delete("part-000.tar")
	s.open()
	s.close()
	s.mustBeInBucket(server, "0.jpg")
}

func TestFileOfTheSameSizeIsNotTakenForOurs(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{})
	s.add("0.jpg")
	info, err := os.Stat(s.set.unfinished("part-000000.tar"))
	if err != nil {
		t.Fatal(err)
	}
	s.die()
	other := filepath.Join(s.pattern.Dir, "part-000000.tar")
	if err := os.WriteFile(other, make([]byte, info.Size()+trailerSize), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), s.pattern, s.cfg)
	if err == nil || !strings.Contains(err.Error(), "another shard has its name") {
		t.Errorf("opened: %v", err)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.close()
	s.mustPublish("0.jpg")
}

// Each shard that waits would cost a process that ends the time in which the bucket does not answer.
func TestCloseDoesNotTryEachShardWhileTheBucketIsAway(t *testing.T) {
	s, server := newBucketStage(t)
	server.Down.Store(true)
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("%02d.jpg", i))
	}
	s.add(names...)
	before := server.Requests()
	err := s.set.Close(context.Background())
	s.set = nil
	if err == nil || strings.Count(err.Error(), "kept in") != len(names) {
		t.Errorf("closed: %v", err)
	}
	if n := server.Requests() - before; n > 10 {
		t.Errorf("%d requests for %d shards", n, len(names))
	}
	server.Down.Store(false)
	s.open()
	s.close()
	s.mustBeInBucket(server, names...)
}
