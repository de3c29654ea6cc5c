//go:build unix

// Package dashboard tests the live page in a real browser: against real programs, and against a made-up farm of a size
// that no test machine has.
//
// With -screenshots DIR the tests keep pictures of what they saw.
package dashboard

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

var screenshots = flag.String("screenshots", "", "directory in which pictures of the page are kept")

// limit bounds every single wait.
const limit = farmtest.Limit

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		removePrograms()
		os.Exit(code)
	}))
}

// removePrograms removes what programs built.
var removePrograms = func() {}

// programs builds the programs once, and only when a test needs them.
var programs = sync.OnceValues(func() (dir string, err error) {
	dir, remove, err := farmtest.Build()
	if err == nil {
		removePrograms = remove
	}
	return dir, err
})

// browserPath finds the browser. Without one it skips the test; in CI the test fails.
func browserPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("there is no chromium, which these tests need")
	}
	t.Skip("there is no chromium")
	return ""
}

// tab is a page in a browser. It keeps the errors of the console and the network.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// openTab starts a browser with a window of that size.
func openTab(t *testing.T, width, height int64) *tab {
	t.Helper()
	alloc, endAlloc := chromedp.NewExecAllocator(
		t.Context(),
		chromedp.ExecPath(browserPath(t)),
		chromedp.Headless,
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("enable-precise-memory-info", true),
	)
	ctx, end := chromedp.NewContext(alloc)
	tb := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height, chromedp.EmulateScale(1))); err != nil {
		t.Fatal(err)
	}
	messages := chromedp.Console(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			tb.mu.Lock()
			tb.problems = append(tb.problems, fmt.Sprintf("%s: %s (%s)", m.Type, m.Text, m.URL))
			tb.mu.Unlock()
		}
	})
	t.Cleanup(func() {
		end()
		endAlloc()
		listening.Wait()
	})
	return tb
}

// quiet fails the test if the console has any message that does not begin with one of the excused texts.
func (tb *tab) quiet(excused ...string) {
	tb.t.Helper()
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, p := range tb.problems {
		ok := false
		for _, e := range excused {
			ok = ok || strings.Contains(p, e)
		}
		if !ok {
			tb.t.Errorf("the console says %s", p)
		}
	}
}

func (tb *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	run(tb, chromedp.Steps(steps...))
}

// run runs an action and returns its value.
func run[T any](tb *tab, action chromedp.Action[T]) T {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, limit)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		tb.t.Fatal(err)
	}
	return v
}

func (tb *tab) open(url string) {
	tb.t.Helper()
	tb.do(chromedp.Navigate(url + "/"))
}

// await waits until a JavaScript expression is true in the page.
func (tb *tab) await(what, expression string) {
	tb.t.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, limit)
	defer cancel()
	poll := chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(50*time.Millisecond),
		chromedp.WithPollingTimeout(limit))
	_, err := chromedp.Run(ctx, poll)
	for err != nil && ctx.Err() == nil { // as while a page makes room for another one
		_, err = chromedp.Run(ctx, poll)
	}
	if err == nil {
		return
	}
	body := run(tb, chromedp.Evaluate[string](`document.body.innerText`))
	tb.t.Fatalf("the page never came to show %s (%s): %v\n%s", what, expression, err, body)
}

// value returns what a JavaScript expression gives.
func value[T any](tb *tab, expression string) T {
	tb.t.Helper()
	return run(tb, chromedp.Evaluate[T](expression))
}

// awaitLive waits for the page's first state.
func (tb *tab) awaitLive() {
	tb.t.Helper()
	tb.await("that it is live", `document.documentElement.dataset.state === 'live'`)
}

func (tb *tab) awaitText(selector, text string) {
	tb.t.Helper()
	tb.await(text, `(document.querySelector('`+selector+`')?.textContent ?? '').includes('`+text+`')`)
}

func (tb *tab) dark() {
	tb.t.Helper()
	if _, err := chromedp.Call(tb.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	}); err != nil {
		tb.t.Fatal(err)
	}
}

// keep keeps a picture of the page, when pictures are wanted: of all of it, whole, or of what the window shows.
func (tb *tab) keep(name string, whole bool) {
	tb.t.Helper()
	if *screenshots == "" {
		return
	}
	tb.await("its images", `[...document.images].every(i => i.complete)`)
	tb.do(chromedp.Sleep(500 * time.Millisecond)) // what moves comes to rest
	shot := chromedp.CaptureScreenshot()
	switch {
	case whole:
		shot = chromedp.FullScreenshot(100)
	case strings.HasSuffix(name, ".jpg"): // photographs
		shot = func(ctx context.Context, target *chromedp.Target) ([]byte, error) {
			quality := int64(66)
			r, err := cdp.Call(ctx, target, page.CaptureScreenshot,
				page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatJpeg, Quality: &quality})
			return r.Data, err
		}
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), run(tb, shot), 0o644); err != nil {
		tb.t.Fatal(err)
	}
}

// fits fails the test when the page can be scrolled sideways.
func (tb *tab) fits() {
	tb.t.Helper()
	if over := value[int](tb, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
		tb.t.Errorf("the page is %d pixels wider than the window", over)
	}
}
