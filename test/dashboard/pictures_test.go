//go:build unix

package dashboard

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestPicturesOfAnAlbum makes the pictures that the documentation shows, of real programs at work:
//
//	go test ./test/dashboard -run PicturesOfAnAlbum -args -screenshots ../../docs/img
func TestPicturesOfAnAlbum(t *testing.T) {
	if *screenshots == "" {
		t.Skip("no pictures are wanted: there is no -screenshots")
	}
	f := newFarm(t)
	home := filepath.Join(os.TempDir(), "album") // it can be read in the pictures
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	f.in, f.Out = filepath.Join(home, "photos"), filepath.Join(home, "thumbnails")
	for year := range 90 {
		link(t, "../../testdata/photos", filepath.Join(f.in, strconv.Itoa(1900+year)))
	}
	link(t, "../../testdata/hostile", filepath.Join(f.in, "1899 found on a disk"))
	sink := f.sink()
	f.worker("studio")
	f.worker("laptop")
	gone := f.worker("attic")
	tb := openTab(t, 1040, 900)
	tb.open(f.url())
	tb.awaitLive()
	f.ventilator()
	tb.await("a third of the run", `parseInt(document.querySelector('.run .percent')?.textContent) >= 30`)
	gone.Kill()
	tb.await(
		"most of the run",
		`parseInt(document.querySelector('.run .percent')?.textContent) >= 50 &&
			document.querySelectorAll('#refused tbody tr').length > 3`,
	)
	tb.await("a verdict", `!document.getElementById('verdict').textContent.startsWith('measuring')`)
	tb.do(chromedp.EmulateViewport(1040, 1540, chromedp.EmulateScale(1)))
	tb.keep("live.jpg", false)
	tb.dark()
	tb.keep("live-dark.jpg", false)
	tb.do(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(1.5), chromedp.EmulateMobile))
	tb.fits()
	tb.keep("live-phone.png", false)
	tb.do(chromedp.EmulateViewport(1040, 900, chromedp.EmulateScale(1)))
	tb.awaitText("#verdict", "finished: all")
	tb.keep("live-finished.png", false)
	tb.quiet()
	sink.Kill()
	tb.awaitText("#banner", "The connection to the sink is lost")
	tb.keep("live-lost.png", false)
}

// link makes the files of from appear under to, without copying them where that can be.
func link(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rest), 0o755)
		}
		if os.Link(path, filepath.Join(to, rest)) == nil {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rest), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}
