package shard

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// change adds an output of other content, made of an image that the ledger has by that output.
func (s *stage) change(name, data string) {
	s.t.Helper()
	if err := s.set.Reserve([]string{name}); err != nil {
		s.t.Fatal(err)
	}
	g, err := s.set.Append(s.t.Context(), []Sample{{Name: name, Data: []byte(data), About: About{Filename: "of " + name}}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.added++
	entry := ledger.Entry{ID: taskid.FromMetadata(name, int64(s.added), time.Time{}, ""), Filename: name, Run: "r",
		Outcome: outcome.Done, Settled: time.Now(), Outputs: []ledger.Output{{Name: name, Size: int64(len(data))}}}
	if _, err := s.ledger.AppendSamples([]ledger.Entry{entry}, g.Samples, g.After); err != nil {
		s.t.Fatal(err)
	}
	s.set.Committed(g)
}

func (s *stage) mustRead(name, want string) {
	s.t.Helper()
	f, err := s.set.Open(name)
	if err != nil {
		s.t.Errorf("%s: %v", name, err)
		return
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || string(got) != want {
		s.t.Errorf("%s holds %q, %v", name, got, err)
	}
}

// rewritten rewrites the shards, and returns their names.
func (s *stage) rewritten() (names []string) {
	s.t.Helper()
	err := s.set.Rewrite(s.t.Context(), func(r Rewritten) {
		names = append(names, r.Shard)
		if r.Removed < 1 || r.Freed < r.Removed*3*blockSize {
			s.t.Errorf("%+v", r)
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return names
}

// fill makes three shards: of a, b and c, of which b and c were changed, and d was removed.
func (s *stage) fill() {
	s.change("a.jpg", "a")
	s.change("b.jpg", "b")
	s.change("c.jpg", "c")
	s.change("b.jpg", "b again")
	s.change("d.jpg", "d")
	s.change("c.jpg", "c again")
	if err := s.set.Drop([]string{"d.jpg", "e.jpg"}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) mustBeFilled() {
	s.t.Helper()
	for name, want := range map[string]string{"a.jpg": "a", "b.jpg": "b again", "c.jpg": "c again"} {
		s.mustRead(name, want)
	}
	if _, err := s.set.Stat("d.jpg"); !errors.Is(err, fs.ErrNotExist) {
		s.t.Errorf("a removed output: %v", err)
	}
}

// filesIn returns the outputs in a shard.
func filesIn(t *testing.T, path string) (keys []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = eachSample(f, func(s storedSample) error {
		keys = append(keys, s.key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestChangedImageSupersedesItsSample(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{Count: 2})
	s.fill()
	s.mustBeFilled()
	s.close()
	s.open()
	s.mustBeFilled()
	before := [][]string{{"a", "b"}, {"c", "b"}, {"d", "c"}}
	after := [][]string{{"a"}, {"b"}, {"c"}}
	for i, want := range before {
		if got := filesIn(t, s.set.final(s.pattern.Shard(int64(i)))); !slices.Equal(got, want) {
			t.Errorf("shard %d has %q", i, got)
		}
	}
	if got := s.rewritten(); len(got) != 3 {
		t.Errorf("rewritten: %q", got)
	}
	if got := s.rewritten(); got != nil {
		t.Errorf("rewritten again: %q", got)
	}
	for range 2 {
		s.mustBeFilled()
		for i, want := range after {
			if got := filesIn(t, s.set.final(s.pattern.Shard(int64(i)))); !slices.Equal(got, want) {
				t.Errorf("shard %d has %q now", i, got)
			}
		}
		s.close()
		s.open()
	}
	s.change("d.jpg", "d again")
	s.change("a.jpg", "a again")
	s.set.Seal()
	s.rewritten()
	s.mustRead("d.jpg", "d again")
	s.mustRead("a.jpg", "a again")
	info, err := os.Stat(s.set.final(s.pattern.Shard(0)))
	if err != nil || info.Size() != trailerSize {
		t.Errorf("a shard without samples: %v, %v", info, err)
	}
	if left, err := os.ReadDir(s.set.open); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A sample of the same key, and of another output, stays.
func TestOutputOfTheSameKeyIsNotSuperseded(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{})
	s.change("a.JPG", "a")
	for _, name := range []string{"a.jpg", "a.png"} {
		if err := s.set.Reserve([]string{name}); !errors.Is(err, blob.ErrObstructed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.change("a.JPG", "a again")
	s.mustRead("a.JPG", "a again")
}

// A process is killed before, and after, the new shard gets the old one's name; or the new shard is lost.
func TestKilledWhileRewriting(t *testing.T) {
	for _, when := range []string{"before", "after", "lost"} {
		t.Run(when, func(t *testing.T) {
			s := newStage(t, "tar:"+t.TempDir(), Config{Count: 2})
			s.fill()
			s.close()
			s.open()
			s.beginRewrite(0)
			name := s.pattern.Shard(0)
			made := s.set.unfinished(name + newSuffix)
			switch when {
			case "after":
				if err := os.Rename(made, s.set.final(name)); err != nil {
					t.Fatal(err)
				}
			case "lost":
				if err := os.Remove(made); err != nil {
					t.Fatal(err)
				}
			}
			s.die()
			s.open()
			s.mustBeFilled()
			s.rewritten()
			s.mustBeFilled()
			if got := filesIn(t, s.set.final(name)); !slices.Equal(got, []string{"a"}) {
				t.Errorf("the shard has %q", got)
			}
		})
	}
}

// beginRewrite is the first half of a rewrite, after which a process is killed.
func (s *stage) beginRewrite(number int64) {
	s.t.Helper()
	if _, err := s.set.beginRewrite(s.t.Context(), number); err != nil {
		s.t.Fatal(err)
	}
}

func TestShardsInABucketAreRewritten(t *testing.T) {
	server := s3test.New(t)
	server.Setenv(t)
	s := newStage(t, "tar:s3://photos/set/part-%03d.tar", Config{Count: 2})
	s.fill()
	s.close()
	s.open()
	s.beginRewrite(0)
	s.die()
	s.open()
	s.mustBeFilled()
	s.beginRewrite(1)
	made := s.set.unfinished(s.pattern.Shard(1) + newSuffix)
	data, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	server.Put("set/"+s.pattern.Shard(1), data) // it was uploaded, and the machine was replaced
	if err := os.Remove(made); err != nil {
		t.Fatal(err)
	}
	s.die()
	s.open()
	s.mustBeFilled()
	if got := s.rewritten(); !slices.Equal(got, []string{"part-002.tar"}) {
		t.Errorf("rewritten: %q", got)
	}
	s.mustBeFilled()
	for i, want := range []string{"a", "b", "c"} {
		data, _ := server.Get("set/" + s.pattern.Shard(int64(i)))
		path := filepath.Join(t.TempDir(), "x.tar")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		if got := filesIn(t, path); !slices.Equal(got, []string{want}) {
			t.Errorf("shard %d has %q", i, got)
		}
	}
	if left, err := os.ReadDir(s.set.open); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A prune is killed before, or after, it replaces a shard, and the bucket is away when the sink starts.
func TestKilledRewriteWaitsForTheBucket(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			s, server := newBucketStage(t)
			s.set.cfg.Count = 2
			s.fill()
			s.close()
			s.open()
			s.beginRewrite(0)
			name := s.pattern.Shard(0)
			if when == "after" {
				data, err := os.ReadFile(s.set.unfinished(name + newSuffix))
				if err != nil {
					t.Fatal(err)
				}
				server.Put(name, data)
			}
			s.die()
			server.Down.Store(true)
			s.open()
			if _, err := s.set.Open("a.jpg"); !errors.Is(err, blob.ErrUnavailable) {
				t.Errorf("a sample whose place is not known is opened: %v", err)
			}
			s.add("new.jpg")
			server.Down.Store(false)
			s.set.publishers.Wait()
			s.mustBeFilled()
			s.mustHold("new.jpg")
			data, _ := server.Get(name)
			path := filepath.Join(t.TempDir(), "x.tar")
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
			if got := filesIn(t, path); !slices.Equal(got, []string{"a"}) {
				t.Errorf("the shard has %q", got)
			}
		})
	}
}

// Another farm replaces the shard while it is rewritten.
func TestShardThatAnotherFarmReplacedIsNotRewritten(t *testing.T) {
	s, server := newBucketStage(t)
	s.set.cfg.Count = 2
	s.fill()
	s.set.Seal()
	s.set.publishers.Wait()
	server.BeforeUpload(func(key string) { server.Put(key, []byte("of another")) })
	if err := s.set.Rewrite(t.Context(), func(Rewritten) {}); err != nil {
		t.Fatal(err)
	}
	if data, _ := server.Get(s.pattern.Shard(0)); string(data) != "of another" {
		t.Error("the other farm's shard is replaced")
	}
}
