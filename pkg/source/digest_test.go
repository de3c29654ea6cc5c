package source

import (
	"crypto/sha256"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
)

func TestWhatIsFetchedForItsDigestIsFetchedOnce(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (Source, Entry, func() int){
		"web": func(t *testing.T) (Source, Entry, func() int) {
			g := newGallery(t)
			s, e := entryAt(t, g.URL+"/a.jpg")
			return s, e, func() int { return len(g.requests()) }
		},
		"bucket": func(t *testing.T) (Source, Entry, func() int) {
			server := s3test.New(t)
			server.Setenv(t)
			server.Put("a.jpg", []byte("one"))
			s, e := entryAt(t, "s3://photos/a.jpg")
			seen := 0
			return s, e, func() int {
				before := seen
				seen = server.Count("GET")
				return seen - before
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, e, requests := open(t)
			mustDigest := func(h *Holder) {
				t.Helper()
				if sum, err := Digest(t.Context(), s, &e, h); err != nil || sum != sha256.Sum256([]byte("one")) {
					t.Errorf("%x, %v", sum, err)
				}
			}
			h := NewHolder(3)
			mustDigest(h)
			if !e.IsHeld() || !h.Full() || contentOf(t, s, e) != "one" || h.bytes != 0 {
				t.Errorf("held: %v; %d bytes", e.IsHeld(), h.bytes)
			}
			if n := requests(); n != 1 {
				t.Errorf("it was fetched %d times", n)
			}
			if contentOf(t, s, e) != "one" || requests() != 1 { // delivered again
				t.Error("it cannot be opened twice")
			}
			for _, h := range []*Holder{nil, NewHolder(2)} {
				e.held = nil
				if mustDigest(h); e.IsHeld() {
					t.Error("it is held, without room for it")
				}
			}
		})
	}
}

// Found: each content took memory before the holder counted it, sixteen at once.
func TestDigestHoldsNoMoreThanThereIsRoomFor(t *testing.T) {
	server := s3test.New(t)
	server.Setenv(t)
	server.Put("a.jpg", []byte("one"))
	s, first := entryAt(t, "s3://photos/a.jpg")
	second := first
	h := NewHolder(5)
	for _, e := range []*Entry{&first, &second} {
		if sum, err := Digest(t.Context(), s, e, h); err != nil || sum != sha256.Sum256([]byte("one")) {
			t.Errorf("%x, %v", sum, err)
		}
	}
	if !first.IsHeld() || second.IsHeld() || h.bytes != 3 {
		t.Errorf("held: %v, %v; %d bytes", first.IsHeld(), second.IsHeld(), h.bytes)
	}
	if contentOf(t, s, second) != "one" || contentOf(t, s, first) != "one" || h.bytes != 0 {
		t.Errorf("%d bytes are held", h.bytes)
	}
	server.Delete("a.jpg")
	if _, err := Digest(t.Context(), s, &second, h); err == nil || h.bytes != 0 {
		t.Errorf("%v; %d bytes are held", err, h.bytes)
	}
}

func TestFilesAreNotHeld(t *testing.T) {
	s, err := Parse("revisit_test.go", nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var found []Entry
	err = s.Walk(t.Context(), func(e Entry) error { found = append(found, e); return nil }, func(Omission) {})
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if _, err := Digest(t.Context(), s, &found[0], NewHolder(1<<20)); err != nil || found[0].IsHeld() {
		t.Errorf("held: %v, %v", found[0].IsHeld(), err)
	}
}
