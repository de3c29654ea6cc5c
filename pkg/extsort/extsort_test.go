package extsort

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func sorted(t *testing.T, s *Sorter, n int) (got, want []Pair) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		p := Pair{random.Uint64N(uint64(n)/2 + 1), uint64(i)}
		want = append(want, p)
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(want, compare)
	err := s.Each(func(p Pair) error {
		got = append(got, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, want
}

func TestPairsAreSortedInMemoryAndInAFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, n := range []int{0, 1, 9, 10, 11, 1000, 1005} {
		s := &Sorter{limit: 10}
		if got, want := sorted(t, s, n); !slices.Equal(got, want) {
			t.Errorf("%d pairs: %v, not %v", n, got, want)
		}
		if len(s.pairs) > 10 {
			t.Errorf("%d pairs are in memory", len(s.pairs))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWithoutATemporaryDirectoryPairsStayInMemory(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	s := &Sorter{limit: 10}
	defer s.Close()
	if got, want := sorted(t, s, 100); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestEachEndsWithAnError(t *testing.T) {
	stop := errors.New("stop")
	for _, n := range []uint64{5, 50} {
		s := &Sorter{limit: 10}
		for i := range n {
			if err := s.Add(Pair{Key: i}); err != nil {
				t.Fatal(err)
			}
		}
		seen := 0
		if err := s.Each(func(Pair) error { seen++; return stop }); !errors.Is(err, stop) || seen != 1 {
			t.Errorf("%d visited, %v", seen, err)
		}
		if n > 10 { // a file that is cut off meanwhile
			if err := s.file.Truncate(8); err != nil {
				t.Fatal(err)
			}
			if err := s.Each(func(Pair) error { return nil }); err == nil {
				t.Error("a file that was cut off is taken for whole")
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
