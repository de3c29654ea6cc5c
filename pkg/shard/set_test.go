package shard

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// stage is a ledger, and the shards that belong to it.
type stage struct {
	t       *testing.T
	pattern Pattern
	ledger  *ledger.Ledger
	cfg     Config
	set     *Set
	added   int
}

func newStage(t *testing.T, where string, cfg Config) *stage {
	t.Helper()
	p, err := Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.db"), ledger.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Ledger = l
	s := &stage{t: t, pattern: p, ledger: l, cfg: cfg}
	s.open()
	t.Cleanup(func() {
		if s.set != nil {
			s.close()
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) open() {
	s.t.Helper()
	set, err := Open(s.t.Context(), s.pattern, s.cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.set = set
}

func (s *stage) close() {
	s.t.Helper()
	if err := s.set.Close(context.Background()); err != nil {
		s.t.Error(err)
	}
	s.set = nil
}

// die leaves everything as a killed process does.
func (s *stage) die() {
	s.t.Helper()
	close(s.set.closing)
	s.set.publishers.Wait()
	if err := errors.Join(s.set.closeFiles(), s.set.Reader.Close()); err != nil {
		s.t.Error(err)
	}
	s.set = nil
}

func (s *stage) append(names ...string) *Group {
	s.t.Helper()
	if err := s.set.Reserve(names); err != nil {
		s.t.Fatal(err)
	}
	var samples []Sample
	for _, name := range names {
		samples = append(samples, Sample{Name: name, Data: content(name), About: About{Filename: "of " + name}})
	}
	g, err := s.set.Append(s.t.Context(), samples)
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

func (s *stage) commit(g *Group) {
	s.t.Helper()
	s.added++
	entry := ledger.Entry{ID: taskid.FromMetadata(fmt.Sprint(s.added), 0, time.Time{}, ""), Filename: "x", Run: "r",
		Outcome: outcome.Done, Settled: time.Now()}
	if _, err := s.ledger.AppendSamples([]ledger.Entry{entry}, g.Samples, g.After); err != nil {
		s.t.Fatal(err)
	}
	s.set.Committed(g)
}

func (s *stage) add(names ...string) {
	s.t.Helper()
	s.commit(s.append(names...))
}

// content is what the test writes under a name.
func content(name string) []byte { return bytes.Repeat([]byte(name+"\n"), 700) }

// published returns the outputs in the published shards of a directory, in their order.
func published(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.tar"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, outputsIn(t, data)...)
	}
	return names
}

// outputsIn returns the outputs in a shard, whose samples must be whole.
func outputsIn(t *testing.T, shard []byte) (names []string) {
	t.Helper()
	files := make(map[string][]byte)
	for r := tar.NewReader(bytes.NewReader(shard)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, ".json") {
			continue
		}
		var about About
		if err := json.Unmarshal(files[h.Name], &about); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(files[about.File], content(about.Name)) || about.Filename != "of "+about.Name {
			t.Errorf("the sample %q is %+v", about.Key, about)
		}
		names = append(names, about.Name)
	}
}

func (s *stage) mustPublish(want ...string) {
	s.t.Helper()
	if got := published(s.t, s.pattern.Dir); !slices.Equal(got, want) {
		s.t.Errorf("published: %q, not %q", got, want)
	}
}

func (s *stage) mustHold(name string) {
	s.t.Helper()
	f, err := s.set.Open(name)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer f.Close()
	got, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(got, content(name)) {
		s.t.Errorf("%s: %d bytes, %v", name, len(got), err)
	}
	if size, err := s.set.Stat(name); err != nil || size != int64(len(got)) {
		s.t.Errorf("%s: %d bytes, %v", name, size, err)
	}
}

func TestFullShardsArePublishedAndTheOpenOneAtTheEnd(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{Count: 2})
	s.add("a.jpg")
	s.mustPublish()
	s.mustHold("a.jpg")
	s.add("b.jpg", "c.jpg", "d.jpg", "e.jpg")
	s.add("f.jpg")
	s.set.publishers.Wait()
	s.mustPublish("a.jpg", "b.jpg", "c.jpg", "d.jpg")
	for _, name := range []string{"a.jpg", "d.jpg", "f.jpg"} {
		s.mustHold(name)
	}
	s.set.Seal()
	s.set.publishers.Wait()
	s.mustPublish("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg")
	s.add("g.jpg")
	s.close()
	s.mustPublish("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg", "g.jpg")
	s.open()
	s.mustHold("g.jpg")
	if _, err := s.set.Stat("h.jpg"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing output: %v", err)
	}
}

func TestShardsAreAsLargeAsTheyMayBe(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{Size: MinSize})
	var names []string
	for i := range 60 {
		names = append(names, fmt.Sprintf("%04d.jpg", i))
	}
	s.add(names...)
	s.close()
	s.mustPublish(names...)
	paths, _ := filepath.Glob(filepath.Join(s.pattern.Dir, "*.tar"))
	for _, path := range paths[:len(paths)-1] {
		info, err := os.Stat(path)
		if err != nil || info.Size() > MinSize+trailerSize || info.Size() < MinSize/2 {
			t.Errorf("%s: %d bytes, %v", path, info.Size(), err)
		}
	}
}

func TestKilledProcessLeavesWhatTheLedgerKnows(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{Count: 3})
	s.add("a.jpg", "b.jpg")
	s.append("c.jpg", "d.jpg", "e.jpg", "f.jpg", "g.jpg") // and dies before the commit
	s.die()
	s.open()
	s.mustHold("b.jpg")
	s.add("c.jpg")
	s.close()
	s.mustPublish("a.jpg", "b.jpg", "c.jpg")

	s.open()
	s.set.busy = publishersAtOnce // so that it dies before the full shard is published
	s.add("d.jpg", "e.jpg", "f.jpg", "g.jpg")
	s.mustPublish("a.jpg", "b.jpg", "c.jpg")
	s.die()
	s.open()
	s.set.publishers.Wait()
	s.mustPublish("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg")
	s.mustHold("g.jpg")
	s.close()
	s.mustPublish("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg", "g.jpg")
}

// The process dies after the shard got its final name, and before its other name is removed.
func TestKilledWhilePublishing(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{})
	s.add("a.jpg")
	s.die()
	name := s.pattern.Shard(0)
	open := filepath.Join(s.pattern.Dir, blob.OwnDir, "shards", name)
	f, err := os.OpenFile(open, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(make([]byte, trailerSize))
	if err = errors.Join(err, f.Close(), os.Link(open, filepath.Join(s.pattern.Dir, name))); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.add("b.jpg")
	s.close()
	s.mustPublish("a.jpg", "b.jpg")
}

func TestClashesAreRefused(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{})
	s.add("a.jpg")
	if err := s.set.Reserve([]string{"x.jpg", "a.png"}); !errors.Is(err, blob.ErrObstructed) {
		t.Errorf("the key of another output: %v", err)
	}
	if err := s.set.Reserve([]string{"x.jpg"}); err != nil {
		t.Errorf("the refused reservation stays: %v", err)
	}
	if err := s.set.Reserve([]string{"x.webp"}); !errors.Is(err, blob.ErrObstructed) {
		t.Errorf("a reserved key: %v", err)
	}
	for data, want := range map[string]bool{string(content("a.jpg")): true, "other": false} {
		if got, err := s.set.Holds("a.jpg", []byte(data)); err != nil || got != want {
			t.Errorf("holds %.10q: %v, %v", data, got, err)
		}
	}
	s.close()
	if err := os.Remove(filepath.Join(s.pattern.Dir, s.pattern.Shard(0))); err != nil {
		t.Fatal(err)
	}
	s.open()
	s.add("a.jpg") // its shard was removed
	s.mustHold("a.jpg")
}

func TestForeignShardsAreRefused(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{})
	if _, err := Open(t.Context(), s.pattern, s.cfg); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("twice: %v", err)
	}
	s.add("a.jpg")
	s.close()
	other, err := Parse("tar:" + s.pattern.Dir + "/other-%d.tar")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), other, s.cfg); err == nil || !strings.Contains(err.Error(), "belongs to shards") {
		t.Errorf("another pattern: %v", err)
	}
	if err := os.WriteFile(filepath.Join(s.pattern.Dir, s.pattern.Shard(1)), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s.pattern, s.cfg); err == nil || !strings.Contains(err.Error(), "does not know") {
		t.Errorf("an unknown shard: %v", err)
	}
	if err := os.Remove(filepath.Join(s.pattern.Dir, s.pattern.Shard(1))); err != nil {
		t.Fatal(err)
	}
}

func TestFailedAppendLeavesNothing(t *testing.T) {
	s := newStage(t, "tar:"+t.TempDir(), Config{})
	s.add("a.jpg")
	away := s.pattern.Dir + "-away"
	if err := os.Rename(s.pattern.Dir, away); err != nil {
		t.Fatal(err)
	}
	if err := s.set.Reserve([]string{"b.jpg"}); err != nil {
		t.Fatal(err)
	}
	sample := Sample{Name: "b.jpg", Data: content("b.jpg"), About: About{Filename: "of b.jpg"}}
	if _, err := s.set.Append(t.Context(), []Sample{sample}); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("without its directory: %v", err)
	}
	if _, err := s.set.Stat("a.jpg"); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("stat without the directory: %v", err)
	}
	if err := os.Rename(away, s.pattern.Dir); err != nil {
		t.Fatal(err)
	}
	g, err := s.set.Append(t.Context(), []Sample{sample})
	if err != nil {
		t.Fatal(err)
	}
	s.commit(g)
	s.close()
	s.mustPublish("a.jpg", "b.jpg")
}

func TestShardsInABucket(t *testing.T) {
	server := s3test.New(t)
	server.Setenv(t)
	s := newStage(t, "tar:s3://photos/set/part-%03d.tar", Config{Count: 2})
	s.add("a.jpg", "b.jpg", "c.jpg")
	s.mustHold("c.jpg")
	s.add("d.jpg")
	s.set.publishers.Wait()
	if keys := server.Keys("set/"); !slices.Equal(keys, []string{"set/part-000.tar"}) {
		t.Errorf("uploaded: %q", keys)
	}
	s.mustHold("a.jpg")
	s.die()
	s.open() // the full shard of the killed process is uploaded
	s.set.publishers.Wait()
	s.mustHold("d.jpg")
	s.add("e.jpg")
	s.close()
	var names []string
	for _, key := range server.Keys("set/") {
		data, _ := server.Get(key)
		names = append(names, outputsIn(t, data)...)
	}
	if want := []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"}; !slices.Equal(names, want) {
		t.Errorf("in the bucket: %q, not %q", names, want)
	}
	if left, err := os.ReadDir(OpenDir(s.pattern, s.ledger.Path())); err != nil || len(left) != 1 {
		t.Errorf("beside the ledger: %v, %v", left, err)
	}
}
