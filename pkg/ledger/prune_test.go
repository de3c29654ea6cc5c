package ledger

import (
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

func TestPruneForgetsOutputsAndEntriesWithoutAny(t *testing.T) {
	l := newLedger(t)
	two := withOutput(1, "r1", "a_x.jpg", "/one")
	two.Outputs = append(two.Outputs, Output{Name: "a_y.jpg", Size: 7})
	refused := rejectedEntry(4, "r1", outcome.Corrupt)
	appendAll(t, l, two, withOutput(2, "r1", "b_x.jpg", "/one"), withOutput(3, "r1", "c_x.jpg", "/one"), refused)
	appendAll(t, l, withOutput(5, "r2", "c_x.jpg", "/two"))
	err := l.Prune([]Pruned{
		{ID: testID(1), Outputs: []string{"a_x.jpg", "b_x.jpg"}}, {ID: testID(2), Outputs: []string{"b_x.jpg"}},
		{ID: testID(3)}, {ID: testID(4)}, {ID: testID(99)},
	})
	if err != nil {
		t.Fatal(err)
	}
	e, ok, err := l.Lookup(testID(1))
	if err != nil || !ok || !e.Outputs[0].Pruned || e.Outputs[1].Pruned {
		t.Fatalf("%+v, %v, %v", e, ok, err)
	}
	if gone, err := l.Superseded(&e); err != nil || !slices.Equal(gone, []string{"a_x.jpg"}) {
		t.Errorf("not its own any more: %q, %v", gone, err)
	}
	var owned []string
	err = l.Owners([]string{"a_x.jpg", "a_y.jpg", "b_x.jpg", "c_x.jpg"}, func(name string, _ Entry) {
		owned = append(owned, name)
	})
	if err != nil || !slices.Equal(owned, []string{"a_y.jpg", "c_x.jpg"}) {
		t.Errorf("owned: %q, %v", owned, err)
	}
	for n, want := range map[int]bool{1: true, 2: false, 3: false, 4: false, 5: true} {
		if _, ok, err := l.Lookup(testID(n)); err != nil || ok != want {
			t.Errorf("entry %d is there: %v, %v", n, ok, err)
		}
	}
}
