package sink

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// committerOf is a committer that knows runs, each with its ventilator's counts.
func committerOf(runs ...wire.Run) *committer {
	c := &committer{core: &core{runs: newLiveRuns()}}
	for _, r := range runs {
		r.Started = time.Now()
		c.runs.update(r, caller{}, time.Now())
	}
	return c
}

func workOf(run string) work { return work{entry: ledger.Entry{Run: run, Outcome: outcome.Done}} }

// gathering gathers a group and returns the channels by which it is fed and ended.
func gathering(c *committer, run string, queued ...string) (queue chan work, over chan time.Time, size chan int) {
	queue, over, size = make(chan work, 10), make(chan time.Time, 1), make(chan int, 1)
	for _, q := range queued {
		queue <- workOf(q)
	}
	go func() { size <- len(c.gather(workOf(run), queue, over, func() {})) }()
	synctest.Wait()
	return queue, over, size
}

func TestGroupWithTheLastImagesOfARunWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := committerOf(wire.Run{ID: "r", Total: 10, Earlier: 5})
		c.runs.settle("r")
		c.runs.settle("r")
		queue, _, size := gathering(c, "r", "r")
		if len(size) > 0 {
			t.Fatalf("a group of %d does not wait for the last image", <-size)
		}
		queue <- workOf("r")
		if n := <-size; n != 3 {
			t.Errorf("a group of %d, want 3", n)
		}
	})
}

func TestGroupWaitsForTheOtherRunsInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := committerOf(wire.Run{ID: "r", Total: 1}, wire.Run{ID: "other", Total: 2}, wire.Run{ID: "absent", Total: 7})
		queue, _, size := gathering(c, "r", "other")
		if len(size) > 0 {
			t.Fatal("it does not wait for the last image of another run")
		}
		queue <- workOf("other")
		if n := <-size; n != 3 {
			t.Errorf("a group of %d, want 3", n)
		}
	})
}

func TestGroupWaitsWhereNobodyKnowsWhatComes(t *testing.T) {
	for name, run := range map[string]wire.Run{
		"a run that is not known":        {ID: "another", Total: 2},
		"a run that watches directories": {ID: "r", Total: 2, State: outcome.Watching},
		"a run with duplicates":          {ID: "r", Total: 1},
		"a run that has ended":           {ID: "r", Total: 2, Ended: time.Unix(1, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				queue, over, size := gathering(committerOf(run), "r", "r")
				if len(size) > 0 {
					t.Fatal("it did not wait")
				}
				queue <- workOf("r")
				synctest.Wait()
				over <- time.Now()
				if n := <-size; n != 3 {
					t.Errorf("a group of %d, want 3", n)
				}
			})
		})
	}
}

func TestGroupWhoseTimeIsOverTakesWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := committerOf(wire.Run{ID: "r", Total: 100})
		queue, over := make(chan work, 10), make(chan time.Time, 1)
		for range 10 {
			queue <- workOf("r")
		}
		over <- time.Now()
		if n := len(c.gather(workOf("r"), queue, over, func() {})); n != 11 {
			t.Errorf("a group of %d, want all 11", n)
		}
	})
}

func TestGroupWaitsForTheFewThatARunLacks(t *testing.T) {
	for total, waits := range map[int64]bool{4: true, 5: false} {
		synctest.Test(t, func(t *testing.T) {
			_, over, size := gathering(committerOf(wire.Run{ID: "r", Total: total}), "r", "r")
			over <- time.Now()
			synctest.Wait()
			if waited := len(size) == 0; waited != waits {
				t.Errorf("2 of %d images: it waited for the others: %v, want %v", total, waited, waits)
			}
			if waits {
				over <- time.Now() // half of the group is less than what is lacking
				if n := <-size; n != 2 {
					t.Errorf("a group of %d, want 2", n)
				}
			}
		})
	}
}

func TestGroupWaitsAgainForHalfAsMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue, over, size := gathering(committerOf(wire.Run{ID: "r", Total: 4}), "r", "r")
		over <- time.Now()
		synctest.Wait()
		queue <- workOf("r")
		synctest.Wait()
		over <- time.Now()
		synctest.Wait()
		if len(size) > 0 {
			t.Fatal("3 of 4 images: it did not wait for the last")
		}
		over <- time.Now()
		if n := <-size; n != 3 {
			t.Errorf("a group of %d, want the 3 that came in time", n)
		}
	})
}

func TestARunThatBeginsAgainLacksWhatItsVentilatorSays(t *testing.T) {
	c := committerOf(wire.Run{ID: "r", Total: 10})
	c.runs.settle("r")
	c.runs.settle("unknown")
	if left := c.runs.unsettled(); !maps.Equal(left, map[string]int64{"r": 9}) {
		t.Errorf("unsettled %v, want 9", left)
	}
	again := wire.Run{ID: "r", Total: 10, Earlier: 1, Started: time.Now().Add(time.Minute)}
	c.runs.update(again, caller{}, time.Now())
	if left := c.runs.unsettled(); !maps.Equal(left, map[string]int64{"r": 9}) {
		t.Errorf("unsettled %v after it began again, want 9", left)
	}
}
