package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
)

func openBucket(t *testing.T, s *s3test.Server, cfg blob.Config) blob.Store {
	t.Helper()
	s.Setenv(t)
	store, err := blob.Open("s3://"+s.Bucket+"/out/", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestOutputsGoToABucketWithTheirHeaders(t *testing.T) {
	s := s3test.New(t)
	store := openBucket(t, s, blob.Config{CacheControl: "max-age=60", StorageClass: "STANDARD_IA"})
	if err := store.Put(t.Context(), "a/b_thumb.jpg", []byte("12345")); err != nil {
		t.Fatal(err)
	}
	data, meta := s.Get("out/a/b_thumb.jpg")
	if string(data) != "12345" || meta.Get("Content-Type") != "image/jpeg" ||
		meta.Get("Cache-Control") != "max-age=60" || meta.Get("X-Amz-Storage-Class") != "STANDARD_IA" {
		t.Errorf("%q with %v", data, meta)
	}
	if size, err := store.Stat("a/b_thumb.jpg"); err != nil || size != 5 {
		t.Errorf("%d bytes, %v", size, err)
	}
	file, err := store.Open("a/b_thumb.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if at, err := file.Seek(-2, io.SeekEnd); at != 3 || err != nil {
		t.Error(at, err)
	}
	if got, err := io.ReadAll(file); string(got) != "45" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := store.Remove("a/b_thumb.jpg"); err != nil {
		t.Error(err)
	}
	if _, err := store.Stat("a/b_thumb.jpg"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
	if _, err := store.Open("a/b_thumb.jpg"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
}

func TestBucketCopiesOfUnknownSize(t *testing.T) {
	s := s3test.New(t)
	store := openBucket(t, s, blob.Config{})
	err := store.PutFrom(t.Context(), "x.raw", func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewBufferString("abc")), nil
	})
	if data, meta := s.Get("out/x.raw"); err != nil || string(data) != "abc" ||
		meta.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%q with %v, %v", data, meta, err)
	}
}

func TestBucketTakesNoNamesThatLeadOutOrAreTooLong(t *testing.T) {
	store := openBucket(t, s3test.New(t), blob.Config{})
	for _, name := range []string{"../x", "/x", "", strings.Repeat("long/", 210) + "x"} {
		if err := store.Put(t.Context(), name, nil); !errors.Is(err, blob.ErrName) {
			t.Errorf("%.20q: %v", name, err)
		}
	}
	long := store.Put(t.Context(), strings.Repeat("long/", 210)+"x", nil)
	if blob.Rejection(long) == nil {
		t.Error("a key that is too long rejects no image")
	}
}

func TestMissingBucketIsUnavailable(t *testing.T) {
	s3test.New(t).Setenv(t)
	store, err := blob.Open("s3://nowhere", blob.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if err := store.Put(t.Context(), "x", nil); !errors.Is(err, blob.ErrUnavailable) ||
		!strings.Contains(err.Error(), "no bucket") {
		t.Errorf("%v", err)
	}
}

func TestSilentBucketIsUnavailable(t *testing.T) {
	s := s3test.New(t)
	s.Silent.Store(true)
	store := openBucket(t, s, blob.Config{StatTimeout: 50 * time.Millisecond}).(*blob.Bucket)
	_, statErr := store.Stat("x")
	_, openErr := store.Open("x")
	for _, err := range []error{statErr, openErr, store.Remove("x")} {
		if !errors.Is(err, blob.ErrUnavailable) || !errors.Is(err, bucket.ErrUnavailable) {
			t.Errorf("%v", err)
		}
	}
}

func TestLookAtASilentBucketEndsWithItsContext(t *testing.T) {
	s := s3test.New(t)
	s.Silent.Store(true)
	store := openBucket(t, s, blob.Config{}).(*blob.Bucket)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("a signal")
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	if _, err := store.StatContext(ctx, "x"); !errors.Is(err, why) || errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
