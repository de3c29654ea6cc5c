package source

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/extsort"
)

// repeats says which URLs of a list the list has named before. A list may be longer than memory. So the hashes of its
// URLs are sorted in a temporary file, and what remains is a bit for each URL. The methods may be called concurrently.
type repeats struct {
	mu   sync.Mutex
	list string   // the identity of the list; empty: not read yet
	bits []uint64 // by the number of the URL in the list
}

// find looks through the list f unless it has done so. It leaves f at its beginning. The error is the context's cause,
// or that of the temporary file. The walk reports what is wrong with the list.
func (r *repeats) find(ctx context.Context, f *os.File, column string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == identity(info) {
		return nil
	}
	r.bits = nil
	var hashes extsort.Sorter
	defer hashes.Close()
	seed := maphash.MakeSeed()
	number := uint64(0)
	var failed error
	_ = eachOfList(f, column, func(one row) error {
		if failed = context.Cause(ctx); failed != nil {
			return failed
		}
		_, at, err := parseURL(one.url)
		if err != nil {
			return nil
		}
		number++
		failed = hashes.Add(extsort.Pair{Key: maphash.String(seed, at), Value: number})
		return failed
	})
	if failed != nil {
		return failed
	}
	var last extsort.Pair
	err = hashes.Each(func(p extsort.Pair) error {
		if p.Key == last.Key && last.Value > 0 {
			r.set(p.Value)
		}
		last = p
		return nil
	})
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		r.list = identity(info)
	}
	return errors.Join(err, hashes.Close())
}

func (r *repeats) set(n uint64) {
	if short := int(n/64) + 1 - len(r.bits); short > 0 {
		r.bits = append(r.bits, make([]uint64, short)...)
	}
	r.bits[n/64] |= 1 << (n % 64)
}

// has reports whether the list has named its nth URL before.
func (r *repeats) has(n uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return n/64 < uint64(len(r.bits)) && r.bits[n/64]&(1<<(n%64)) != 0
}
