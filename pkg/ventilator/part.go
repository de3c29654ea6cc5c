package ventilator

import (
	"context"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/source"
)

// Part is a part of the images of some inputs: those whose names hash to it. Runs with the same inputs and each Index
// from 0 to Count-1 take each image once. The zero Part has all images.
type Part struct{ Index, Count int }

// ParsePart reads I/N: part I of N, counted from 0.
func ParsePart(text string) (Part, error) {
	index, count, found := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(count)
	s := Part{Index: i, Count: n}
	if !found || err != nil || err2 != nil || n < 1 || s.Validate() != nil {
		return Part{}, fmt.Errorf("%q is not I/N, such as 0/8 to 7/8", text)
	}
	return s, nil
}

// Validate returns an error that says what is wrong with s.
func (s Part) Validate() error {
	if s != (Part{}) && (s.Index < 0 || s.Index >= s.Count) {
		return fmt.Errorf("there is no part %d of %d: they are counted from 0", s.Index, s.Count)
	}
	return nil
}

// Has reports whether the image of that name belongs to s. It is the same on every machine and in every version.
func (s Part) Has(name string) bool {
	if s.Count <= 1 {
		return true
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64()%uint64(s.Count) == uint64(s.Index)
}

// runName returns the name of a run over s, which the runs over the other parts do not have.
func (s Part) runName(run string) string {
	if s.Count <= 1 {
		return run
	}
	return fmt.Sprintf("%s-%d", run, s.Index)
}

// walk calls visit for each image of the run's part.
func (f *finder) walk(ctx context.Context, visit func(image) error, omit func(source.Omission)) error {
	return f.walkAll(ctx, func(im image) error {
		if !f.part.Has(im.entry.Name) {
			return nil
		}
		return visit(im)
	}, omit)
}
