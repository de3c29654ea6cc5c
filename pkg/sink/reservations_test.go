package sink

import (
	"testing"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func TestReservationsOfLiveRunsExcludeOtherImages(t *testing.T) {
	var r reservations
	live := map[string]bool{"a": true, "b": true}
	try := func(run, image string, id byte, names ...string) string {
		t.Helper()
		clash, holder, err := r.reserve(names, reservation{run, taskid.ID{id}.String(), image}, func(run string) bool {
			return live[run]
		})
		if err != nil || clash != "" && holder.run == run {
			t.Fatalf("%q of %+v, %v", clash, holder, err)
		}
		return clash
	}
	if clash := try("a", "/one/1.jpg", 1, "1_x.jpg", "1_y.jpg"); clash != "" {
		t.Errorf("the first clashes in %q", clash)
	}
	if clash := try("b", "/two/1.jpg", 2, "0_x.jpg", "1_y.jpg"); clash != "1_y.jpg" {
		t.Errorf("another image of another run clashes in %q", clash)
	}
	if clash := try("b", "/two/0.jpg", 3, "0_x.jpg"); clash != "" {
		t.Errorf("what clashed has reserved %q", clash)
	}
	if clash := try("b", "/one/1.jpg", 4, "1_x.jpg"); clash != "" {
		t.Errorf("the same image of another run clashes in %q", clash)
	}
	r.settle(&ledger.Entry{Run: "a", ID: taskid.ID{1}})
	if clash := try("b", "/two/1.jpg", 5, "1_y.jpg"); clash != "" {
		t.Errorf("what is settled clashes in %q", clash)
	}
	live["b"] = false
	if clash := try("a", "/one/0.jpg", 6, "0_x.jpg"); clash != "" {
		t.Errorf("a run that is not live clashes in %q", clash)
	}
	r.end("a")
	r.end("b")
	if len(r.byName) != 0 || len(r.byTask) != 0 {
		t.Errorf("left: %v, %v", r.byName, r.byTask)
	}
}
