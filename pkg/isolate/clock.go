package isolate

import "time"

// starvedFactor is the multiple of TaskTimeout after which a child that gets too little processor time is ended.
const starvedFactor = 10

// clock measures how long a child has been at its task by the image's doing. Time in which the child was kept from
// working does not count: the other processes of a busy machine are not the image's fault. What counts is
//
//   - processor time of the child, of all its threads together, at most the time that has passed;
//   - time in which every thread slept though nothing kept it from working: the task hangs.
//
// The parent advances the clock at each look. When it was kept from looking itself, it cannot know whether the child
// slept all the while: of such time no more than two look periods count as sleep.
type clock struct {
	spent     time.Duration // what counts so far
	began     time.Time     // when the child came to the task
	looked    time.Time
	processor time.Duration // of the child's process, at the last look
}

func startClock(now time.Time, processor time.Duration) clock {
	return clock{began: now, looked: now, processor: processor}
}

// advance adds the time since the last look. processor is the child's processor time since it was started. asleep
// reports whether every thread sleeps; it is asked only when the child hardly ran.
func (k *clock) advance(now time.Time, processor time.Duration, asleep func() bool) {
	passed := now.Sub(k.looked)
	ran := min(max(processor-k.processor, 0), passed)
	if ran < passed/2 && asleep() {
		ran = max(ran, min(passed, 2*lookPeriod))
	}
	k.spent += ran
	k.looked, k.processor = now, processor
}
