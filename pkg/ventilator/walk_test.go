package ventilator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func TestChecksumReadsAPieceAtATime(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "b.jpg")
	if err := errors.Join(os.WriteFile(large, nil, 0o644), os.Truncate(large, 64<<20)); err != nil {
		t.Fatal(err)
	}
	finder, err := newFinder(&Config{Inputs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	var images []image
	err = finder.walk(t.Context(), func(im image) error {
		images = append(images, im)
		return nil
	}, func(source.Omission) {})
	if err != nil || len(images) != 2 {
		t.Fatalf("found %v, %v", images, err)
	}
	thumb := recipe.Default()
	v := &Ventilator{cfg: Config{Checksum: true}, naming: newNaming(thumb)}
	holder := source.NewHolder(1 << 30) // of what is fetched: files are not
	want := taskid.FromContent("a.jpg", []byte("content"), thumb.String())
	if id, err := v.identify(t.Context(), &images[0], holder); err != nil || id.ID(thumb.String()) != want {
		t.Errorf("%v, %v", id, err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := v.identify(t.Context(), &images[1], holder); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("64 MB are hashed with %d bytes of memory", took)
	}
}

// What does not fit into the holder waits for room, instead of being fetched once to hash and once to send.
func TestChecksumFetchesWhatThereIsRoomFor(t *testing.T) {
	server := s3test.New(t)
	server.Setenv(t)
	for i := range 5 {
		server.Put(fmt.Sprintf("%d.jpg", i), []byte("0123456789"))
	}
	finder, err := newFinder(&Config{Inputs: []string{"s3://" + server.Bucket}})
	if err != nil {
		t.Fatal(err)
	}
	var batch []candidate
	err = finder.walk(t.Context(), func(im image) error {
		batch = append(batch, candidate{image: im})
		return nil
	}, func(source.Omission) {})
	if err != nil || len(batch) != 5 {
		t.Fatalf("found %v, %v", batch, err)
	}
	v := &Ventilator{
		cfg: Config{Checksum: true, Readers: 16}, naming: newNaming(recipe.Default()), holder: source.NewHolder(25),
	}
	for _, want := range []int{2, 2, 1} {
		n, err := v.identifyAll(t.Context(), batch, nil)
		if n != want || err != nil {
			t.Fatalf("%d images instead of %d are fetched, %v", n, want, err)
		}
		for _, c := range batch[:n] {
			if !c.entry.IsHeld() {
				t.Errorf("%s is not held", c.Path)
			}
			c.entry.Release()
		}
		batch = batch[n:]
	}
	if n := server.Count("GET"); n != 5 {
		t.Errorf("5 images are fetched by %d requests", n)
	}
}

// The sink commits the last result of a run at once. It knows which that is by the images that earlier runs settled.
func TestSinkIsToldWhatEarlierRunsSettledWhenTheWalkEnds(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		cfg := s.config()
		_, done := s.start(cfg)
		s.sink.commit(w.mustNext(time.Minute), "w", true)
		expectDone(t, <-done, 1)

		if err := os.WriteFile(filepath.Join(s.dir, "new.jpg"), []byte("\xff\xd8\xffnew"), 0o644); err != nil {
			t.Fatal(err)
		}
		_, done = s.start(cfg)
		task := w.mustNext(time.Minute)
		synctest.Wait()
		s.sink.mu.Lock()
		last := s.sink.runs[len(s.sink.runs)-1]
		s.sink.mu.Unlock()
		if last.Total != 2 || last.Earlier != 1 || !last.Ended.IsZero() {
			t.Errorf("before the next audit the sink knows of %d images, %d of them settled earlier",
				last.Total, last.Earlier)
		}
		s.sink.commit(task, "w", true)
		if e := <-done; e.err != nil || e.run.Skipped != 1 || e.run.Done != 1 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		w.die()
	})
}
