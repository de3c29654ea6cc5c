// Package progress shows the progress of a run: a bar on a terminal, lines in a log, JSON for programs.
package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Reporter shows the counts of a run. One goroutine calls Show several times a second, and End once with the last
// counts.
type Reporter interface {
	Show(wire.Run)
	End(wire.Run)
}

// Modes returns the values of --progress.
func Modes() []string { return []string{"auto", "bar", "plain", "json", "none"} }

// New returns the reporter that mode names: "auto" is a bar when screen is a terminal, and lines otherwise. Bar and
// lines go to screen, JSON to stdout.
func New(mode string, screen *Screen, stdout io.Writer) (Reporter, error) {
	if mode == "auto" {
		mode = "plain"
		if Drawn("auto", screen) {
			mode = "bar"
		}
	}
	switch mode {
	case "bar":
		return &bar{screen: screen}, nil
	case "plain":
		return &lines{w: screen, every: 2 * time.Second, format: plainLine}, nil
	case "json":
		return &lines{w: stdout, every: time.Second, format: jsonLine}, nil
	case "none":
		return silent{}, nil
	}
	return nil, fmt.Errorf("progress is %q: it must be one of %s", mode, strings.Join(Modes(), ", "))
}

// Drawn reports whether mode draws a bar on screen.
func Drawn(mode string, screen *Screen) bool {
	return mode == "bar" || mode == "auto" && term.IsTerminal(int(screen.Fd())) && os.Getenv("TERM") != "dumb"
}

type silent struct{}

func (silent) Show(wire.Run) {}
func (silent) End(wire.Run)  {}

// remarks returns that the run watches, what it waits for, and the counts of images that are not done.
func remarks(r *wire.Run) string {
	var parts []string
	if r.State == outcome.Watching {
		parts = append(parts, "watching")
		if r.New > 0 {
			parts = append(parts, numfmt.Count(r.New)+" new")
		}
	}
	if r.Waiting != "" {
		parts = append(parts, printable.Line(r.Waiting))
	}
	for _, c := range []struct {
		n    int64
		word string
	}{{r.Rejected, "rejected"}, {r.Dead, "dead"}, {r.Skipped, "skipped"}} {
		if c.n > 0 {
			parts = append(parts, numfmt.Count(c.n)+" "+c.word)
		}
	}
	return strings.Join(parts, ", ")
}

// speed says how fast images are settled. Without a sink that is unknown: images are only handed out.
func speed(r *wire.Run, now time.Time) string {
	if r.HandedOut > 0 {
		return "handed out"
	}
	perSecond, _ := r.PerSecond(now)
	return numfmt.Rate(perSecond) + " img/s"
}

// left returns the estimated time left of a live run as a text; "" when it is unknown or
// nothing is left to do.
func left(r *wire.Run, now time.Time) string {
	d, ok := r.Left(now)
	if !ok || d == 0 || !r.Ended.IsZero() { // a watching run with nothing to do has no end in sight
		return ""
	}
	return ", " + max(d.Round(time.Second), time.Second).String() + " left"
}

// lines prints a line when the counts have changed, and at least each minute.
type lines struct {
	w       io.Writer
	every   time.Duration
	format  func(r *wire.Run, now time.Time) string
	last    time.Time
	shown   int64
	waiting string
}

// idleLine is the interval of lines while nothing changes.
const idleLine = time.Minute

// Show implements Reporter.
func (l *lines) Show(r wire.Run) {
	now := time.Now()
	since := now.Sub(l.last)
	changed := r.Settled() != l.shown || r.Waiting != l.waiting
	if since < l.every || !changed && since < idleLine || !r.Ended.IsZero() {
		return
	}
	l.last, l.shown, l.waiting = now, r.Settled(), r.Waiting
	fmt.Fprintln(l.w, l.format(&r, now))
}

// End implements Reporter.
func (l *lines) End(r wire.Run) { fmt.Fprintln(l.w, l.format(&r, r.Ended)) }

func plainLine(r *wire.Run, now time.Time) string {
	percent := 100.0
	if r.Total > 0 {
		percent = 100 * float64(r.Settled()) / float64(r.Total)
	}
	s := fmt.Sprintf("%s/%s images (%.0f%%), %s, %s%s", numfmt.Count(r.Settled()), numfmt.Count(r.Total), percent,
		speed(r, now), numfmt.Counted(r.Peers, "worker"), left(r, now))
	if t := remarks(r); t != "" {
		s += ", " + t
	}
	return s
}

// message is one line of --progress json.
type message struct {
	MessageType      string   `json:"message_type"` // "status", and "summary" at the end
	PercentDone      float64  `json:"percent_done"` // 0 to 100
	SecondsRemaining *float64 `json:"seconds_remaining"`
	TotalFiles       int64    `json:"total"`
	Settled          int64    `json:"settled"`
	wire.Run
	ImagesPerSecond float64 `json:"images_per_second"`
	Balanced        bool    `json:"balanced"`
}

func jsonLine(r *wire.Run, now time.Time) string {
	perSecond, _ := r.PerSecond(now)
	m := message{MessageType: "status", PercentDone: 100, TotalFiles: r.Total, Settled: r.Settled(), Run: *r,
		ImagesPerSecond: perSecond, Balanced: r.Unsettled() == 0 && r.HandedOut == 0}
	if !r.Ended.IsZero() {
		m.MessageType = "summary"
	}
	if r.Total > 0 {
		m.PercentDone = 100 * float64(r.Settled()) / float64(r.Total)
	}
	if d, ok := r.Left(now); ok {
		s := d.Seconds()
		m.SecondsRemaining = &s
	}
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Sprintf(`{"message_type":"error","error":%q}`, err)
	}
	return string(b)
}

// barWidth returns the width of the bar on a terminal with that many columns, which leaves room for text beside it.
func barWidth(columns int) int { return min(max(columns/8, 4), 16) }

// bar draws its line again with each change.
type bar struct {
	screen *Screen
	width  int // of the bar itself, which stays as it was at the first Show
	b      *progressbar.ProgressBar
}

// Show implements Reporter.
func (b *bar) Show(r wire.Run) {
	if b.b == nil {
		b.width = barWidth(b.screen.columns())
		b.b = progressbar.NewOptions64(
			max(r.Total, 1),
			progressbar.OptionSetWriter(
				barWriter{b.screen},
			),
			progressbar.OptionSetWidth(b.width),
			progressbar.OptionSetPredictTime(false), // the library would count pauses
			progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: ""}),
		)
	}
	now := time.Now()
	text := fmt.Sprintf("%s/%s, %s, %s%s", numfmt.Count(r.Settled()), numfmt.Count(r.Total), speed(&r, now),
		numfmt.Counted(r.Peers, "worker"), left(&r, now))
	if t := remarks(&r); t != "" {
		text += " (" + t + ")"
	}
	b.b.Describe(shortened(text, b.screen.columns()-b.width-len("  100%  ")))
	if r.Total > 0 && r.Total != b.b.GetMax64() {
		b.b.ChangeMax64(r.Total)
	}
	_ = b.b.Set64(r.Settled()) // a full bar returns an error
}

// shortened cuts text to width characters. A line wider than the terminal would wrap, and could not be cleared.
func shortened(text string, width int) string {
	runes := []rune(text)
	if width = max(width, 1); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

// End implements Reporter.
func (b *bar) End(r wire.Run) {
	b.Show(r)
	_ = b.b.Exit()
	b.screen.endBar()
}
