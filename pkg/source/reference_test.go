package source_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
)

// follow opens what a reference leads to.
func follow(t *testing.T, in *source.Inputs, r source.Reference) (string, error) {
	t.Helper()
	file, err := in.Open(t.Context(), r)
	if err != nil {
		return "", err
	}
	defer file.Close()
	b, err := io.ReadAll(file)
	if err == nil && int64(len(b)) != file.Size {
		t.Errorf("%d bytes of %d", len(b), file.Size)
	}
	return string(b), err
}

func inputs(t *testing.T, cfg source.Config, places ...string) *source.Inputs {
	t.Helper()
	in, err := source.OpenInputs(places, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// An input, or a root of a worker, may be named by a link: the reference has the real path.
func TestReferencesHaveNoLinksToDirectories(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "real", "sub", "a.jpg"), "picture")
	link(t, "real", filepath.Join(dir, "link"))
	for _, from := range []string{"link", "link/sub/a.jpg"} {
		s := parse(t, filepath.Join(dir, filepath.FromSlash(from)), source.Config{})
		entries, _ := walk(t, s)
		r, ok := source.Refer(s, entries[0])
		if !ok || r.At != filepath.ToSlash(filepath.Join(dir, "real", "sub", "a.jpg")) {
			t.Fatalf("%s: %+v, %v", from, r, ok)
		}
		for _, root := range []string{"real", "link"} {
			if got, err := follow(t, inputs(t, source.Config{}, filepath.Join(dir, root)), r); err != nil || got != "picture" {
				t.Errorf("%s from %s: %q, %v", from, root, got, err)
			}
		}
	}
}

func TestReferencesLeadToFilesBelowTheirRoots(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "in", "a.jpg"), "picture")
	write(t, filepath.Join(dir, "secret.jpg"), "secret")
	s := parse(t, filepath.Join(dir, "in"), source.Config{})
	entries, _ := walk(t, s)
	r, ok := source.Refer(s, entries[0])
	if !ok || r.At != filepath.ToSlash(filepath.Join(dir, "in", "a.jpg")) || r.Size != 7 {
		t.Fatalf("%+v, %v", r, ok)
	}
	in := inputs(t, source.Config{}, other, filepath.Join(dir, "in"))
	if got, err := follow(t, in, r); err != nil || got != "picture" {
		t.Errorf("%q, %v", got, err)
	}
	var outside *source.OutsideError
	got, err := follow(t, inputs(t, source.Config{}, other), r)
	if !errors.As(err, &outside) || outside.Places[0] != other {
		t.Errorf("outside of the root there is %q, %v", got, err)
	}
	secret, err := os.Stat(filepath.Join(dir, "secret.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	link(t, "../secret.jpg", filepath.Join(dir, "in", "link.jpg"))
	for _, at := range []string{"in/../secret.jpg", "secret.jpg", "in/link.jpg", "in", "in/none.jpg"} {
		got, err := follow(t, in, source.Reference{At: filepath.ToSlash(dir) + "/" + at, Size: 6, Modified: secret.ModTime()})
		if err == nil {
			t.Errorf("%s leads to %q", at, got)
		}
	}
	for _, at := range []string{"", "a.jpg", "/", "s3://bucket/a.jpg", "https://example.org/a.jpg"} {
		if got, err := follow(t, in, source.Reference{At: at}); err == nil {
			t.Errorf("%q leads to %q", at, got)
		}
	}
	if err := os.Chtimes(filepath.Join(dir, "in", "a.jpg"), time.Time{}, r.Modified.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := follow(t, in, r); !errors.Is(err, source.ErrChanged) {
		t.Errorf("the changed file: %v", err)
	}
}

func TestReferencesLeadToObjects(t *testing.T) {
	server := s3test.New(t)
	server.Put("in/a.jpg", []byte("picture"))
	server.Put("other/b.jpg", []byte("other"))
	server.Setenv(t)
	s := parse(t, "s3://photos/in", source.Config{})
	entries, _ := walk(t, s)
	r, ok := source.Refer(s, entries[0])
	if !ok || r.At != "s3://photos/in/a.jpg" {
		t.Fatalf("%+v, %v", r, ok)
	}
	in := inputs(t, source.Config{}, "s3://photos/in")
	if got, err := follow(t, in, r); err != nil || got != "picture" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := follow(t, in, source.Reference{At: "s3://photos/other/b.jpg", Size: 5}); err == nil {
		t.Errorf("outside of the prefix there is %q", got)
	}
	server.Put("in/a.jpg", []byte("changed"))
	if _, err := follow(t, in, r); !errors.Is(err, source.ErrChanged) {
		t.Errorf("the changed object: %v", err)
	}
}

func TestReferencesLeadToWebServers(t *testing.T) {
	etag := `"1"`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", etag)
		_, _ = w.Write([]byte("picture"))
	}))
	defer server.Close()
	web := source.Config{Web: source.Web{AllowPrivate: true}}
	s := parse(t, server.URL+"/photos/a.jpg", web)
	entries, _ := walk(t, s)
	r, ok := source.Refer(s, source.Identify(t.Context(), s, entries[0]))
	if !ok || r.ETag != etag || r.Size != 7 {
		t.Fatalf("%+v, %v", r, ok)
	}
	for _, place := range []string{"http://", server.URL, server.URL + "/photos/"} {
		if got, err := follow(t, inputs(t, web, place), r); err != nil || got != "picture" {
			t.Errorf("from %s: %q, %v", place, got, err)
		}
	}
	for _, place := range []string{"https://", server.URL + "0", server.URL + "/pho"} {
		if got, err := follow(t, inputs(t, web, place), r); err == nil {
			t.Errorf("from %s: %q", place, got)
		}
	}
	var rejection *outcome.Rejection
	_, err := follow(t, inputs(t, source.Config{}, "http://"), r)
	if !errors.As(err, &rejection) || rejection.Reason != outcome.Forbidden {
		t.Errorf("a private address: %v", err)
	}
	etag = `"2"`
	if _, err := follow(t, inputs(t, web, "http://"), r); !errors.Is(err, source.ErrChanged) {
		t.Errorf("the changed image: %v", err)
	}
}

func TestFilesInArchivesHaveNoReferences(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.tar"), string(tarOf(t, "1.jpg")))
	s := parse(t, dir, source.Config{})
	entries, _ := walk(t, s)
	if r, ok := source.Refer(s, entries[0]); ok {
		t.Errorf("%+v", r)
	}
}

// Whoever hands out references to a web server limits how many are followed at a time.
func TestReferencesToOneWebServerAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := parse(t, "https://example.org/a.jpg", source.Config{Web: source.Web{Connections: 1, Interval: time.Second}})
		entries, _ := walk(t, s)
		begun := time.Now()
		done, err := source.Admit(t.Context(), s, entries[0])
		if err != nil {
			t.Fatal(err)
		}
		admitted := make(chan func(), 1)
		go func() {
			done, err := source.Admit(t.Context(), s, entries[0])
			if err != nil {
				t.Error(err)
			}
			admitted <- done
		}()
		synctest.Wait()
		if len(admitted) != 0 {
			t.Error("a second one is admitted while the first is under way")
		}
		done()
		(<-admitted)()
		if waited := time.Since(begun); waited != time.Second {
			t.Errorf("the second one was admitted after %v", waited)
		}
	})
}
