package source_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/pkg/source"
)

func TestBucketIsWalkedWithoutReadingObjects(t *testing.T) {
	s := s3test.New(t)
	s.Setenv(t)
	for _, key := range []string{"in/a/b.jpg", "in/c.jpg", "in/.hidden/d.jpg", "in/skip/e.jpg", "in/dir/", "inner/f.jpg"} {
		s.Put(key, []byte(key))
	}
	src := parse(t, "s3://photos/in", source.Config{Exclude: []string{"skip"}})
	entries, omitted := walk(t, src)
	if got := names(entries); !slices.Equal(got, []string{"a/b.jpg", "c.jpg"}) {
		t.Errorf("found %q", got)
	}
	if want := []string{"hidden d.jpg", "excluded e.jpg"}; !slices.Equal(omitted, want) {
		t.Errorf("left out %q", omitted)
	}
	if n := s.Count("GET"); n != 0 {
		t.Errorf("%d objects were read", n)
	}
	if got, err := read(src, entries[0]); got != "in/a/b.jpg" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if head, err := source.Head(t.Context(), src, entries[0], 4); string(head) != "in/a" || err != nil {
		t.Errorf("%q, %v", head, err)
	}
	again, _ := walk(t, src)
	s.Put("in/c.jpg", []byte("IN/C.JPG"))
	changed, _ := walk(t, src)
	if entries[1].Version != again[1].Version || entries[1].Version == changed[1].Version || entries[1].Version == "" {
		t.Errorf("versions %q, %q, %q", entries[1].Version, again[1].Version, changed[1].Version)
	}
	if _, err := read(src, entries[1]); !errors.Is(err, source.ErrChanged) {
		t.Errorf("replaced object: %v", err)
	}
}

func TestOneObjectIsAnArgument(t *testing.T) {
	s := s3test.New(t)
	s.Setenv(t)
	s.Put("in/a.jpg", []byte("a"))
	entries, _ := walk(t, parse(t, "s3://photos/in/a.jpg", source.Config{}))
	if len(entries) != 1 || entries[0].Name != "a.jpg" || !entries[0].Named {
		t.Errorf("found %v", entries)
	}
}

func TestMissingBucketIsUnreadable(t *testing.T) {
	s3test.New(t).Setenv(t)
	if entries, omitted := walk(t, parse(t, "s3://nowhere", source.Config{})); len(entries) != 0 || len(omitted) != 1 {
		t.Errorf("found %v, left out %q", entries, omitted)
	}
}

func TestStoreThatIsAwayIsWaitedFor(t *testing.T) {
	s := s3test.New(t)
	s.Setenv(t)
	s.Put("in/a.jpg", []byte("a"))
	waited := 0
	src := parse(t, "s3://photos/in", source.Config{Bucket: bucket.Config{Trouble: func(error) {
		waited++
		s.Down.Store(false)
	}}})
	s.Down.Store(true)
	entries, _ := walk(t, src)
	if len(entries) != 1 || waited != 1 {
		t.Fatalf("found %v after waiting %d times", entries, waited)
	}
	s.Down.Store(true)
	if got, err := read(src, entries[0]); got != "a" || err != nil || waited != 2 {
		t.Errorf("%q, %v after waiting %d times", got, err, waited)
	}
}

func TestOutputsBelowTheInputAreKnown(t *testing.T) {
	for out, want := range map[string]bool{
		"s3://b/in": true, "s3://b/in/out": true, "s3://b/in2": false, "s3://c/in": false, "/in": false,
	} {
		if got := source.IsBucketAround("s3://b/in", out); got != want {
			t.Errorf("%s: %v", out, got)
		}
	}
}
