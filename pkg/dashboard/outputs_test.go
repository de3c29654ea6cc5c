package dashboard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// The first bytes of files of several types.
var (
	jpegHead = []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01")
	pngHead  = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	webpHead = []byte("RIFF\x24\x00\x00\x00WEBPVP8 ")
	avifHead = []byte("\x00\x00\x00\x20ftypavif\x00\x00\x00\x00")
	tiffHead = []byte("II*\x00\x08\x00\x00\x00")
	htmlText = []byte("<!doctype html><script>alert(1)</script>")
	svgText  = []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
)

func TestOnlyNamedOutputsAreServed(t *testing.T) {
	f := newFakeSink()
	d := newDashboard(t, Config{Source: f, Outputs: f})
	h := d.Handler()
	f.files = map[string][]byte{
		"a/ü b_thumbnail256.jpg": jpegHead,
		"secret.jpg":             jpegHead,
		".imagefarm/ledger.db":   jpegHead,
		"gone_thumbnail256.jpg":  nil,
	}
	delete(f.files, "gone_thumbnail256.jpg")
	for _, name := range []string{"a/ü b", "gone"} {
		r := receipt(name, outcome.Done)
		d.memory.take(wire.Event{Topic: wire.TopicTaskDone, Payload: &r}, time.Now())
	}
	for target, want := range map[string]int{
		"/outputs/a/%C3%BC%20b_thumbnail256.jpg": 200,
		"/outputs/secret.jpg":                    404, // nobody told of it
		"/outputs/gone_thumbnail256.jpg":         404, // told of, and deleted since
		"/outputs/.imagefarm/ledger.db":          404,
		"/outputs/%2e%2e/%2e%2e/etc/passwd":      404,
		"/outputs/..%2f..%2fetc%2fpasswd":        404,
		"/outputs/a/..%5c..%5csecret.jpg":        404,
		"/outputs//etc/passwd":                   404,
		"/outputs/%00":                           404,
		"/outputs/":                              404,
		"/outputs/" + strings.Repeat("a/", 3000): 404,
	} {
		w := get(t, h, "GET", target)
		if w.Code >= 300 && w.Code < 400 { // to the same path, cleaned
			w = get(t, h, "GET", w.Header().Get("Location"))
		}
		if w.Code != want {
			t.Errorf("%.60s: %d, not %d", target, w.Code, want)
		}
	}
	for _, name := range f.opened {
		if name != "a/ü b_thumbnail256.jpg" && name != "gone_thumbnail256.jpg" {
			t.Errorf("%q was opened", name)
		}
	}
}

func TestOnlyImagesAreShown(t *testing.T) {
	f := newFakeSink()
	d := newDashboard(t, Config{Source: f, Outputs: f})
	h := d.Handler()
	for i, c := range []struct {
		content []byte
		kind    string
	}{
		{jpegHead, "image/jpeg"}, {pngHead, "image/png"}, {webpHead, "image/webp"}, {avifHead, "image/avif"},
		{tiffHead, ""}, {htmlText, ""}, {svgText, ""}, {nil, ""}, {[]byte("%PDF-1.7"), ""},
	} {
		r := receipt(fmt.Sprint("x", i), outcome.Done) // named .jpg whatever is in it
		f.files[r.Outputs[0].Name] = c.content
		d.memory.take(wire.Event{Topic: wire.TopicTaskDone, Payload: &r}, time.Now())
		w := get(t, h, "GET", "/outputs/"+r.Outputs[0].Name)
		kind, kept := w.Header().Get("Content-Type"), w.Header().Get("Content-Disposition")
		if c.kind != "" && (kind != c.kind || kept != "") ||
			c.kind == "" && (kind != "application/octet-stream" || kept != "attachment") {
			t.Errorf("%.12q is served as %q %q", c.content, kind, kept)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") ||
			w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%.12q: policy %q", c.content, csp)
		}
	}
}

func TestBrowsersCacheOutputsUntilTheyChange(t *testing.T) {
	f := newFakeSink()
	d := newDashboard(t, Config{Source: f, Outputs: f})
	h := d.Handler()
	r := receipt("x", outcome.Done)
	name := r.Outputs[0].Name
	f.files[name] = jpegHead
	d.memory.take(wire.Event{Topic: wire.TopicTaskDone, Payload: &r}, time.Now())
	w := get(t, h, "GET", "/outputs/"+name+"?v=1")
	if !strings.Contains(w.Header().Get("Cache-Control"), "max-age") || w.Body.String() != string(jpegHead) {
		t.Errorf("%v %q", w.Header(), w.Body)
	}
	again := func() int {
		req := httptest.NewRequest("GET", "/outputs/"+name, nil)
		req.Header.Set("If-None-Match", w.Header().Get("ETag"))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w.Code
	}
	if code := again(); code != http.StatusNotModified {
		t.Errorf("asked again: %d", code)
	}
	r.At = r.At.Add(time.Second)
	d.memory.take(wire.Event{Topic: wire.TopicTaskDone, Payload: &r}, time.Now())
	if code := again(); code != http.StatusOK {
		t.Errorf("asked again after it was made again: %d", code)
	}
}

func TestOutputsOfLedgerEntriesAreServed(t *testing.T) {
	f := newFakeSink()
	h := newDashboard(t, Config{Source: f, Outputs: f}).Handler()
	f.files["old_thumbnail256.jpg"] = jpegHead
	if w := get(t, h, "GET", "/outputs/old_thumbnail256.jpg"); w.Code != 404 {
		t.Errorf("before: %d", w.Code)
	}
	get(t, h, "GET", "/api/v1/results")
	if w := get(t, h, "GET", "/outputs/old_thumbnail256.jpg"); w.Code != 200 {
		t.Errorf("after: %d", w.Code)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	now := time.Now()
	for i := range 3 * maxKnown {
		r := receipt(fmt.Sprint(i), outcome.Done)
		m.take(wire.Event{Payload: &r}, now)
		x := receipt(fmt.Sprint("x", i), outcome.Rejected)
		x.Reason, x.Detail = outcome.Corrupt, strings.Repeat("ü", 1000)
		m.take(wire.Event{Payload: &x}, now)
	}
	if len(m.known.at) != maxKnown || len(m.known.order) != maxKnown || len(m.pinned.at) > maxPinned ||
		len(m.recent) != maxRecent ||
		len(m.refused) != maxRefused {
		t.Errorf(
			"%d known, %d ordered, %d recent, %d refused",
			len(m.known.at),
			len(m.known.order),
			len(m.recent),
			len(m.refused),
		)
	}
	if _, ok := m.allowed(fmt.Sprint(3*maxKnown-1, "_thumbnail256.jpg")); !ok {
		t.Error("the last output is not known")
	}
	if _, ok := m.allowed("1000_thumbnail256.jpg"); ok {
		t.Error("an output of long ago is still known")
	}
	for _, shown := range m.recent {
		if _, ok := m.allowed(shown.Name); !ok {
			t.Errorf("%s is shown and not known", shown.Name)
		}
	}
	if d := m.refused[0].Detail; len(d) > maxDetail+10 || !strings.HasSuffix(d, "ü …") {
		t.Errorf("detail of %d bytes, ends in %q", len(d), d[len(d)-8:])
	}
}

func TestThumbnailIsTheSmallestSufficientOutput(t *testing.T) {
	size := func(name string, side int, bytes int64) wire.OutputInfo {
		return wire.OutputInfo{Name: name, Width: side, Height: side / 2, Size: bytes}
	}
	for want, outputs := range map[string][]wire.OutputInfo{
		"256.jpg": {size("64.jpg", 64, 1), size("1280.jpg", 1280, 1), size("256.jpg", 256, 1)},
		"128.jpg": {size("64.jpg", 64, 1), size("128.jpg", 128, 1)},
		"IMG_1":   {size("IMG_1", 256, 1)},
		"64.webp": {size("big.jpg", 256, 2<<20), size("64.webp", 64, 1), size("256.tiff", 256, 1)},
		"":        {size("a.tiff", 256, 1), size("b.heic", 256, 1)},
	} {
		if got, _ := thumbnail(outputs); got.Name != want {
			t.Errorf("picked %q of %v, not %q", got.Name, outputs, want)
		}
	}
}
