package isolate

import (
	"testing"
	"time"
)

func TestClockCountsWhatIsTheImagesDoing(t *testing.T) {
	const look = lookPeriod
	for _, c := range []struct {
		what      string
		passed    time.Duration // at each of ten looks
		processor time.Duration
		asleep    bool
		want      time.Duration
	}{
		{"works", look, look, false, 10 * look},
		{"works on several threads", look, 4 * look, false, 10 * look},
		{"waits for a processor", look, 0, false, 0},
		{"shares a processor with nine others", look, look / 10, false, look},
		{"hangs", look, 0, true, 10 * look},
		{"hangs, and its runtime looks around", look, look / 100, true, 10 * look},
		{"hangs while the parent hardly runs", 20 * look, 0, true, 20 * look},
		{"hangs while everything is frozen for an hour at a time", time.Hour, 0, true, 20 * look},
		{"waits while the parent hardly runs", 20 * look, look / 10, false, look},
		{"works while the parent hardly runs", 20 * look, 19 * look, false, 190 * look},
		{"its clock cannot be read", look, 0, true, 10 * look},
	} {
		now, processor := time.Unix(0, 0), time.Hour
		k := startClock(now, processor)
		for range 10 {
			now, processor = now.Add(c.passed), processor+c.processor
			k.advance(now, processor, func() bool { return c.asleep })
		}
		if k.spent != c.want {
			t.Errorf("%s: %v counted, want %v", c.what, k.spent, c.want)
		}
	}
}

func TestClockThatRunsBackwardsCountsNothing(t *testing.T) {
	now := time.Unix(0, 0)
	k := startClock(now, time.Hour)
	k.advance(now.Add(time.Second), 0, func() bool { return false })
	if k.spent != 0 {
		t.Errorf("%v counted", k.spent)
	}
}
