//go:build unix

package dashboard

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// The page escapes exactly the characters that pkg/printable escapes.
func TestPageEscapesWhatTerminalsEscape(t *testing.T) {
	url, _ := newMadeUp().serve(t, false)
	tb := openTab(t, 800, 600)
	tb.open(url)
	var all []string
	for c := range rune(0x10000) {
		if c < 0xD800 || c > 0xDFFF { // a surrogate is no character
			all = append(all, string(c))
		}
	}
	given, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	tb.awaitLive()
	tb.await("the module", `!!window.plain || (import('/page/format.js').then(m => { window.plain = m.plain; }), false)`)
	got := value[[]string](tb, string(given)+`.map(c => window.plain(c))`)
	if len(got) != len(all) {
		t.Fatalf("%d of %d characters", len(got), len(all))
	}
	escaped := 0
	for i, c := range all {
		var want bytes.Buffer
		if _, err := printable.NewWriter(&want).Write([]byte(c)); err != nil {
			t.Fatal(err)
		}
		if got[i] != want.String() {
			t.Errorf("%q is %q on the page, %q in a terminal", c, got[i], want.String())
		}
		if got[i] != c {
			escaped++
		}
	}
	if escaped < 60 {
		t.Errorf("%d characters are escaped", escaped)
	}
}

// hostileNames are of files, without an extension.
var hostileNames = []string{
	`<img src=x onerror="window.hacked=1">`, `<script>window.hacked=1<⁄script>`, `"><svg onload=window.hacked=1>`,
	"javascript:window.hacked=1", "a\u202egpj", "b\u2066c\u2069", "d\u200fe", `' onclick='window.hacked=1`, "&lt;b&gt;",
	"${window.hacked=1}",
}

// dom is an expression for what script code, markup or characters of strangers have done to the document. The attribute
// data-key tells elements apart and is never shown.
const dom = `(() => {
	const wrong = [];
	if (window.hacked) wrong.push('a script of a stranger ran');
	const dangerous = new RegExp(window.dangerous, 'u');
	for (const e of document.querySelectorAll('*')) {
		for (const a of e.attributes) {
			if (a.name.startsWith('on')) wrong.push('an element has ' + a.name);
			if (a.name !== 'data-key' && dangerous.test(a.value)) wrong.push(a.name + ' is ' + JSON.stringify(a.value));
		}
		const link = typeof e.href === 'string' ? e.href : '';
		if (link && !link.startsWith(location.origin + '/')) wrong.push('a link to ' + link);
		if (e.src && !e.src.startsWith(location.origin + '/')) wrong.push('a source ' + e.src);
		const foreign = ['IFRAME', 'OBJECT', 'EMBED', 'BASE'].includes(e.tagName) || e.tagName === 'SCRIPT' && !e.src;
		if (foreign) wrong.push(e.outerHTML);
	}
	const texts = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const text = texts.currentNode.data;
		if (dangerous.test(text)) wrong.push('the text ' + JSON.stringify(text));
	}
	return wrong;
})()`

func (tb *tab) mustBeHarmless() {
	tb.t.Helper()
	tb.await("the module",
		`!!window.dangerous || (import('/page/printable.js').then(m => { window.dangerous = m.dangerous.source; }), false)`)
	for _, wrong := range value[[]string](tb, dom) {
		tb.t.Error(wrong)
	}
}

func TestHostileNamesOfFilesAreTextOnThePage(t *testing.T) {
	f := newFarm(t)
	f.images(1, 64, 0)
	jpeg, err := os.ReadFile(filepath.Join(f.in, "photo 0000.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range hostileNames {
		for suffix, content := range map[string][]byte{".jpg": jpeg, " broken.jpg": []byte("this is no image")} {
			if err := os.WriteFile(filepath.Join(f.in, name+suffix), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	f.sink()
	f.worker("w1")
	tb := openTab(t, 1280, 900)
	tb.open(f.url())
	tb.awaitLive()
	f.ventilator("--size", "64").MustExit(3)
	tb.await("every image", `document.querySelectorAll('#recent li').length >= 10`)
	tb.await("every rejection", `document.querySelectorAll('#refused tbody tr').length >= 10`)
	tb.await("pictures", `[...document.querySelectorAll('#recent img')].every(i => i.complete && i.naturalWidth > 0)`)
	tb.mustBeHarmless()
	tb.do(chromedp.Click(chromedp.CSS("#refused-more")))
	tb.await("the ledger", `!document.getElementById('refused-latest').hidden`)
	tb.mustBeHarmless()
	said := value[string](tb,
		`document.body.innerText + [...document.querySelectorAll('[title]')].map(e => e.title).join('\n')`)
	for _, name := range hostileNames {
		var shown bytes.Buffer
		if _, err := printable.NewWriter(&shown).Write([]byte(name)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(said, shown.String()) {
			t.Errorf("the page does not show %q", shown.String())
		}
	}
	tb.quiet()
}

// Texts of peers may hold what no name of a file may.
func TestHostileTextsOfPeersAreTextOnThePage(t *testing.T) {
	const hostile = "\u009b31m\x1b[2J\u2028<img src=x onerror=window.hacked=1>javascript:window.hacked=1\x00"
	m := newMadeUp()
	m.workers(3, func(i int, w *wire.WorkerStatus) { w.Worker += hostile })
	m.change(func(s *wire.Status) {
		run := begun(hostile, 5000, 0.2, hostile)
		s.Runs = []wire.Run{run}
		s.Host, s.Version, s.Out, s.Trouble = hostile, hostile, hostile, hostile
	})
	url, _ := m.serve(t, false)
	tb := openTab(t, 1280, 900)
	tb.open(url)
	tb.awaitLive()
	tb.await("the workers", `document.querySelectorAll('#workers tbody tr').length === 3`)
	refused, made := rejected(1, outcome.NotAnImage, hostile), done(1)
	refused.Filename, refused.Run, refused.Worker = "a"+hostile, hostile, hostile
	made.Filename, made.Run, made.Worker, made.Warnings = "b"+hostile, hostile, hostile, []string{hostile}
	m.say(wire.TopicTaskRejected, refused)
	m.say(wire.TopicTaskDone, made)
	tb.await("the image", `document.querySelectorAll('#recent li').length === 1`)
	tb.await("the rejection", `document.querySelectorAll('#refused tbody tr').length === 1`)
	tb.mustBeHarmless()
	tb.quiet()
}
