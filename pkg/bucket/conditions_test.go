package bucket_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
)

// An object of one part, and one of several.
func TestUploadsOnConditions(t *testing.T) {
	for name, size := range map[string]int{"small": 10, "large": 33 << 20} {
		t.Run(name, func(t *testing.T) {
			s := s3test.New(t)
			c := dial(t, s, "", bucket.Config{Tries: 1})
			first, second := bytes.Repeat([]byte("1"), size), bytes.Repeat([]byte("2"), size)
			put := func(data []byte, o bucket.PutOptions, want error, holds []byte) {
				t.Helper()
				if err := c.Put(t.Context(), "a", data, o); !errors.Is(err, want) {
					t.Errorf("%+v: %v, not %v", o, err, want)
				}
				if is, _ := s.Get("a"); !bytes.Equal(is, holds) {
					t.Errorf("%+v: %d bytes, the wrong ones", o, len(is))
				}
			}
			put(first, bucket.PutOptions{Replaces: "none"}, bucket.ErrNotFound, nil)
			put(first, bucket.PutOptions{New: true}, nil, first)
			put(second, bucket.PutOptions{New: true}, bucket.ErrChanged, first)
			put(second, bucket.PutOptions{Replaces: "another"}, bucket.ErrChanged, first)
			is, err := c.Stat(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			put(second, bucket.PutOptions{Replaces: is.ETag}, nil, second)

			s.Unconditional.Store(true)
			put(first, bucket.PutOptions{New: true}, nil, first)
			before := s.Requests()
			put(second, bucket.PutOptions{Replaces: "another"}, nil, second)
			if n := s.Requests() - before; size < 1<<20 && n != 1 {
				t.Errorf("%d requests to a store that is known to know no conditions", n)
			}
		})
	}
}
