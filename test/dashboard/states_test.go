//go:build unix

package dashboard

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/imagefarm/imagefarm/pkg/diskfault"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestEveryStateIsToldHonestly(t *testing.T) {
	tb := openTab(t, 1280, 900)

	nothing := newMadeUp()
	url, _ := nothing.serve(t, false)
	tb.open(url)
	tb.awaitLive()
	tb.awaitText("#verdict", "no run and no worker has come yet")
	tb.await("how to begin", `!document.getElementById('empty').hidden`)
	tb.keep("live-empty.png", true)

	nothing.change(func(s *wire.Status) {
		s.Runs = []wire.Run{begun("20260101-120000-ab12", 5000, 0.2, "/photos")}
		s.Runs[0].Leased, s.Runs[0].Pending, s.Runs[0].Peers = 0, 4000, 0
	})
	tb.awaitText("#verdict", "waiting for workers: 4,000 images are left")
	tb.keep("live-waiting.png", true)

	nothing.change(
		func(s *wire.Status) { s.Trouble, s.TroubleKind = "put x.jpg: write: the disk is full", diskfault.Full },
	)
	tb.awaitText("#verdict", "the sink cannot write: the disk is full")
	tb.keep("live-trouble.png", true)

	two := newMadeUp()
	two.workers(4, func(int, *wire.WorkerStatus) {})
	two.change(func(s *wire.Status) {
		s.Runs = []wire.Run{
			begun("20260101-120000-ab12", 50000, 0.63, "/photos/2024"),
			begun("20260101-120100-cd34", 900, 0.2, "/scans"),
		}
	})
	url, _ = two.serve(t, false)
	tb.open(url)
	tb.awaitLive()
	tb.await("both runs", `document.querySelectorAll('.run').length === 2`)
	names := value[[]string](tb, `[...document.querySelectorAll('.run .name')].map(e => e.textContent)`)
	if names[0] == names[1] {
		t.Errorf("two runs look the same: %q", names)
	}
	tb.keep("live-two-runs.png", true)
	tb.quiet()
}

func running(t *testing.T, workers int) *madeUp {
	m := newMadeUp()
	m.workers(workers, func(i int, w *wire.WorkerStatus) {
		switch {
		case i%97 == 5:
			w.Lost, w.Busy, w.LastSeen = true, 0, time.Now().Add(-95*time.Second)
		case i%97 == 6:
			w.Draining = true
		}
	})
	m.change(func(s *wire.Status) {
		s.Runs = []wire.Run{begun("20260101-120000-ab12", 49_800, 0.63, "/photos/2024")}
		s.Done, s.Rejected, s.Dead, s.Settled = 28000, 12, 2, 31374
		s.Stages = wire.Timings{
			Waited:    28000 * 3100,
			Decode:    28000 * 11200,
			Transform: 28000 * 2300,
			Encode:    28000 * 4100,
			Write:     28000 * 900,
		}
	})
	m.work(t, 240)
	return m
}

func (m *madeUp) tell(images int) {
	for i := range images {
		m.say(wire.TopicTaskDone, done(i))
	}
	for i := range 5 {
		m.say(wire.TopicTaskRejected, rejected(i, outcome.Truncated, "the file ends in scan 3 of 10, after 412,881 bytes"))
		m.say(wire.TopicTaskRejected, rejected(20+i, outcome.NotAnImage, "its first bytes are those of a PDF"))
	}
	m.say(
		wire.TopicTaskDead,
		&wire.Receipt{
			ID:       "d",
			Filename: "2024/summer/IMG_9999.jpg",
			Outcome:  outcome.Dead,
			Detail:   "failed 5 times: connection reset",
			At:       time.Now(),
		},
	)
}

func TestFarmAtWork(t *testing.T) {
	m := running(t, 8)
	url, stop := m.serve(t, true)
	tb := openTab(t, 1280, 900)
	tb.open(url)
	tb.awaitLive()
	m.tell(24)
	tb.await("the images", `document.querySelectorAll('#recent img').length === 24`)
	tb.await("a chart", `(document.getElementById('chart-line')?.getAttribute('d') ?? '').split('L').length > 8`)
	tb.awaitText("#verdict", "compute-bound: slots are busy 9")
	tb.awaitText(".run .eta", "left")
	tb.dark()
	tb.do(chromedp.EmulateViewport(375, 812, chromedp.EmulateMobile))
	tb.fits()
	tb.do(chromedp.EmulateViewport(1280, 900))
	m.change(func(s *wire.Status) {
		r := &s.Runs[0]
		r.State, r.Ended, r.Leased, r.Pending = "finished", time.Now(), 0, 0
		r.Done = r.Found - r.Skipped - r.Rejected - r.Dead
		s.Throughput = wire.Throughput{}
	})
	tb.awaitText("#verdict", "finished: all")
	tb.awaitText(".keys", "all accounted for")
	tb.quiet()
	stop()
	tb.awaitText("#banner", "The sink has ended")
}

func TestFiveHundredWorkers(t *testing.T) {
	m := running(t, 500)
	url, _ := m.serve(t, false)
	tb := openTab(t, 1280, 900)
	tb.open(url)
	tb.awaitLive()
	tb.await("all workers", `document.querySelectorAll('#map i').length === 500`)
	tb.await("some rows only", `document.querySelectorAll('#workers tbody tr').length === 12`)
	tb.fits()
	tb.keep("live-500-workers.png", true)
	tb.do(chromedp.Click(chromedp.CSS("#workers-more")))
	tb.await("all rows", `document.querySelectorAll('#workers tbody tr').length === 500`)
	for i := range 100_000 {
		m.say(wire.TopicTaskDone, done(i))
		if i%100 == 0 {
			m.say(wire.TopicTaskRejected, rejected(i, outcome.Corrupt, fmt.Sprint("detail ", i)))
		}
	}
	tb.await("rejections", `document.querySelectorAll('#refused tbody tr').length > 0`)
	if n := value[int](tb, `document.querySelectorAll('*').length`); n > 12_000 {
		t.Errorf("the page has %d elements after 100,000 results", n)
	}
	if heap := value[float64](tb, `performance.memory.usedJSHeapSize`); heap > 100e6 {
		t.Errorf("the page takes %.0f MB after 100,000 results", heap/1e6)
	}
	tb.quiet()
}
