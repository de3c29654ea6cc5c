//go:build unix

package dashboard

import (
	"strings"
	"testing"
)

// A clean run in one process ends calmly: the page says that the run has ended, and that its worker left.
func TestAnEndedRunIsNotAFault(t *testing.T) {
	f := newFarm(t)
	f.images(40, 2400, 0)
	run := f.Start("farm", "farm", "run", f.in, "--out", f.Out, "--http", f.http, "--slots", "1", "--engine", "imaging")
	f.awaitHTTP()
	tb := openTab(t, 1280, 900)
	tb.open(f.url())
	tb.awaitLive()
	run.MustExit(0)
	tb.awaitText("#banner", "The run has ended")
	tb.await("that it has ended", `document.documentElement.dataset.state === 'ended'`)
	tb.awaitText("#verdict", "finished: all 40 images are accounted for")
	tb.awaitText("#workers tbody .tag", "left")
	tb.awaitText("#workers-sum", "0 connected, 1 left")
	tb.keep("live-ended.png", true)
	if bad := value[[]string](tb, `[...document.querySelectorAll('.bad, #workers tr.lost')].map(e => e.textContent)`); len(
		bad,
	) > 0 {
		t.Errorf("looks like a fault: %q", bad)
	}
	if !value[bool](tb, `document.getElementById('banner').classList.contains('calm')`) {
		t.Error("the banner is an alarm")
	}
}

// Outputs that a worker wrote elsewhere have placeholders with their kind, and no links.
func TestOutputsTheSinkCannotSeeHavePlaceholders(t *testing.T) {
	f := newFarm(t)
	f.images(4, 300, 0)
	f.sink()
	f.ventilator()
	f.worker("writes elsewhere", "--out", t.TempDir())
	tb := openTab(t, 1280, 900)
	tb.open(f.url())
	tb.awaitLive()
	tb.await("placeholders", `document.querySelectorAll('#recent .placeholder').length === 4`)
	tb.keep("live-placeholders.png", true)
	for _, text := range value[[]string](tb, `[...document.querySelectorAll('#recent li')].map(e => e.textContent)`) {
		if !strings.Contains(text, "JPG") || !strings.Contains(text, "not in the sink’s directory") ||
			!strings.Contains(text, "photo 0") {
			t.Errorf("a placeholder says %q", text)
		}
	}
	if n := value[int](tb, `document.querySelectorAll('#recent img, #recent a[href]').length`); n != 0 {
		t.Errorf("%d broken pictures or links", n)
	}
}
