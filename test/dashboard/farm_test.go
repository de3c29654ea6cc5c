//go:build unix

package dashboard

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// farm is a farm whose sink serves the page at an address that stays the same when the sink starts again.
type farm struct {
	*farmtest.Farm
	t    *testing.T
	http string // HOST:PORT of the page
	in   string // the ventilator's input
}

func newFarm(t *testing.T) *farm {
	t.Helper()
	browserPath(t) // skip before the programs are built
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	f := &farm{Farm: farmtest.New(t, dir, filepath.Join(t.TempDir(), "out")), t: t, in: t.TempDir()}
	f.http = f.FreeAddress()
	return f
}

func (f *farm) url() string { return "http://" + f.http }

func (f *farm) sink(args ...string) *farmtest.Process {
	f.t.Helper()
	p := f.StartSink(append([]string{"--http", f.http}, args...)...)
	f.awaitHTTP()
	return p
}

// awaitHTTP waits until the sink answers. Before that, a browser shows its own error page.
func (f *farm) awaitHTTP() {
	f.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if response, err := http.Get(f.url() + "/healthz"); err == nil {
			response.Body.Close()
			http.DefaultClient.CloseIdleConnections()
			return
		}
		select {
		case <-again.C:
		case <-deadline.C:
			f.t.Fatal("the sink never answered")
		}
	}
}

// worker starts a worker with a slow engine, so that the test can watch the page meanwhile.
func (f *farm) worker(name string, args ...string) *farmtest.Process {
	f.t.Helper()
	return f.StartWorker(name, append([]string{"--http", "", "--engine", "imaging"}, args...)...)
}

func (f *farm) ventilator(args ...string) *farmtest.Process {
	f.t.Helper()
	return f.StartVentilator(append([]string{f.in, "--http", "", "--progress", "none"}, args...)...)
}

// images writes n images and some files that only look like images.
func (f *farm) images(n, width, broken int) {
	f.t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, width*3/4))
	for y := range img.Rect.Dy() {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(x * 255 / width), uint8(y), uint8(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		f.t.Fatal(err)
	}
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(f.in, name), content, 0o644); err != nil {
			f.t.Fatal(err)
		}
	}
	for i := range n {
		write(fmt.Sprintf("photo %04d.jpg", i), b.Bytes())
	}
	for i := range broken {
		write(fmt.Sprintf("broken %d.jpg", i), []byte("this is no image"))
	}
}

// recordScript keeps every text that an element had.
const recordScript = `window.seen = {verdict: [], percent: []};
new MutationObserver(() => {
  for (const [word, selector] of [['verdict', '#verdict'], ['percent', '.run .percent']]) {
    const text = document.querySelector(selector)?.textContent;
    if (text && window.seen[word].at(-1) !== text) window.seen[word].push(text);
  }
}).observe(document, {subtree: true, childList: true, characterData: true});`

func TestFiveHundredImagesAreSeenLive(t *testing.T) {
	f := newFarm(t)
	f.images(500, 800, 5)
	f.sink()
	tb := openTab(t, 1280, 900)
	record := page.AddScriptToEvaluateOnNewDocumentParams{Source: recordScript}
	if _, err := chromedp.Call(tb.ctx, page.AddScriptToEvaluateOnNewDocument, record); err != nil {
		t.Fatal(err)
	}
	tb.open(f.url())
	tb.awaitLive()
	tb.awaitText("#verdict", "no run and no worker")
	f.ventilator()
	tb.awaitText("#verdict", "waiting for workers: 505 images are left")
	f.worker("first")
	f.worker("second")
	tb.await("both workers", `document.querySelectorAll('#workers tbody tr:not(.lost)').length === 2`)
	tb.awaitText("#verdict", "finished: all 505 images are accounted for")
	tb.awaitText(".keys", "505 found, all accounted for")
	tb.awaitText("#f-refused", "5")
	tb.await("5 rejections", `document.querySelectorAll('#refused tbody tr').length === 5`)
	tb.awaitText("#refused", "not an image")
	tb.await(
		"24 images that can be seen",
		`document.querySelectorAll('#recent img').length === 24 &&
			[...document.querySelectorAll('#recent img')].every(i => i.naturalWidth > 0)`,
	)
	if between := value[[]string](tb, `window.seen.percent`); len(between) < 3 {
		t.Errorf("of the progress the page only showed %q", between)
	}
	size := value[int](
		tb,
		`performance.getEntries().filter(e => e.entryType === 'navigation' || e.name.includes('/page/'))
			.reduce((n, e) => n + e.transferSize, 0)`,
	)
	if size == 0 || size > 150_000 {
		t.Errorf("the page takes %d bytes to load", size)
	}
	if value[bool](tb, `!document.getElementById('retry').hidden`) {
		t.Error("actions are offered that nobody allowed")
	}
	tb.quiet()
}

func TestKilledWorkerIsSeenLost(t *testing.T) {
	f := newFarm(t)
	f.images(2000, 1200, 0)
	f.sink()
	f.ventilator()
	killed, stays := f.worker("to be killed"), f.worker("stays")
	tb := openTab(t, 1280, 900)
	tb.open(f.url())
	tb.awaitLive()
	tb.await(
		"both at work",
		`[...document.querySelectorAll('#workers tbody tr')].filter(r => !r.classList.contains('lost')).length === 2`,
	)
	// The page itself takes the time, so that a slow test machine's waiting does not count.
	tb.do(chromedp.Evaluate[chromedp.Void](`window.lostAt = 0; new MutationObserver(() => {
		if (!window.lostAt && document.querySelector('#workers tr.lost')) window.lostAt = Date.now();
	}).observe(document.getElementById('workers'), {subtree: true, childList: true, attributes: true}); 0`))
	before := value[float64](tb, `Date.now()`)
	killed.Kill()
	tb.await("that it is lost", `window.lostAt > 0`)
	took := time.Duration(value[float64](tb, `window.lostAt`)-before) * time.Millisecond
	t.Logf("a killed worker was seen lost after %v", took)
	if took > 3*time.Second {
		t.Errorf("a killed worker was seen lost after %v", took)
	}
	name := value[string](tb, `document.querySelector('#workers tr.lost').cells[0].firstChild.textContent`)
	if name != "to be killed" {
		t.Errorf("lost is %q", name)
	}
	tb.quiet()
	stays.Kill()
	tb.awaitText("#verdict", "waiting for workers")
}

func TestPageFindsARestartedSink(t *testing.T) {
	f := newFarm(t)
	f.images(3, 64, 0)
	sink := f.sink()
	tb := openTab(t, 1280, 900)
	tb.open(f.url())
	tb.awaitLive()
	sink.Kill()
	tb.await("that it is lost", `document.documentElement.dataset.state === 'lost'`)
	tb.awaitText("#banner", "The connection to the sink is lost. This page is of")
	f.sink()
	tb.awaitLive()
	tb.await("no banner", `document.getElementById('banner').hidden`)
	f.ventilator()
	f.worker("w")
	tb.awaitText("#verdict", "finished: all 3 images are accounted for")
	tb.quiet("Failed to load resource", "net::ERR")
}

func TestPageOfARestartedSinkShowsWhatWasBefore(t *testing.T) {
	f := newFarm(t)
	f.images(12, 640, 3)
	sink := f.sink()
	run := f.ventilator()
	f.worker("w", "--engine", "imaging")
	run.MustExit(3) // some are rejected
	sink.Kill()
	f.sink()
	tb := openTab(t, 1280, 900)
	tb.open(f.url())
	tb.awaitLive()
	tb.awaitText("#verdict", "finished: all 15 images are accounted for")
	tb.await("3 rejections", `document.querySelectorAll('#refused tbody tr').length === 3`)
	tb.await("the last images, loaded", `(all => all.length === 12 && all.every(i => i.complete && i.naturalWidth > 0))(
		[...document.querySelectorAll('#recent img')])`)
	tb.quiet()
}

func TestRejectedImagesAreRetriedFromThePage(t *testing.T) {
	f := newFarm(t)
	f.images(1, 64, 3)
	secret, line := newToken(t)
	f.sink("--token", line)
	tb := openTab(t, 1280, 900)
	tb.open(f.url())
	signIn := func(token string) {
		tb.await("the form", `document.querySelector('.login #token')?.value === ''`)
		tb.do(chromedp.SendKeys(chromedp.CSS("#token"), token+"\r"))
	}
	signIn("a wrong word")
	tb.await("the refusal", `document.querySelector('.login [role=alert]')?.textContent.includes('wrong or has expired')`)
	signIn(secret)
	tb.awaitLive()
	tb.awaitText("#holder", "anna, operator")
	run := f.ventilator()
	f.worker("w")
	tb.awaitText("#verdict", "finished: all 4")
	tb.await("3 rejections", `document.querySelectorAll('#refused tbody tr').length === 3`)
	run.MustExit(3) // rejected
	tb.do(chromedp.Click(chromedp.CSS("#refused-more")))
	tb.await(
		"the ledger's",
		`document.getElementById('refused-more').hidden && document.querySelectorAll('#refused tbody tr').length === 3`,
	)
	tb.do(chromedp.Click(chromedp.CSS("#refused-latest")))
	tb.await(
		"the latest",
		`document.getElementById('refused-latest').hidden && !document.getElementById('refused-more').hidden`,
	)
	tb.do(chromedp.Click(chromedp.CSS("#refused-more")))
	tb.await("the ledger's again", `document.getElementById('refused-more').hidden`)
	tb.do(chromedp.Click(chromedp.CSS("#retry")))
	tb.awaitText("#retry-said", "3 images are due again; the next run takes them.")
	f.ventilator()
	tb.await(
		"the second run",
		`document.querySelector('.run .keys')?.textContent.includes('3 rejected') &&
			document.querySelector('.run .keys').textContent.includes('1 unchanged')`,
	)
	if strings.Contains(value[string](tb, `document.documentElement.outerHTML`), secret) ||
		value[string](tb, `document.cookie`) != "" {
		t.Error("the token is in the page, or scripts can read the cookie")
	}
	tb.do(chromedp.Click(chromedp.CSS("#leave")))
	tb.await("the form again", `document.querySelector('.login #token')?.value === ''`)
	tb.quiet("401", "Autofocus processing was blocked") // the test typed before the form was all there
}
