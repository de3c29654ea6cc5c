package report

import (
	"bytes"
	"cmp"
	"context"
	_ "embed" // the page
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

//go:embed page.html
var pageText string

// pageTemplate parses the template when a page is first made, since every program would otherwise parse it at its
// start.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"count": numfmt.Count[int64], "size": numfmt.Bytes[int64], "micros": micros, "round": numfmt.Time,
		"digits":  numfmt.Rate,
		"us":      func(us int64) time.Duration { return time.Duration(us) * time.Microsecond },
		"when":    func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") },
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"bytesPS": func(f float64) string { return numfmt.Bytes(f) },
	}).Parse(pageText))
})

// Pictures finds the pictures of a page, small enough to be embedded: JPEG, PNG, GIF or WebP. A page leaves out a
// picture for which a function returns an error. Either function may be nil.
type Pictures struct {
	Original func(ctx context.Context, name string) ([]byte, error) // the photo of that name
	Output   func(ctx context.Context, name string) ([]byte, error) // what was made of it
}

// MaxPicture bounds a picture on the page, in bytes; larger ones are left out.
const MaxPicture = 256 << 10

// PageConfig says what a page shows beside the report. Every field is optional.
type PageConfig struct {
	Pictures Pictures
	Version  string    // of the program
	Now      time.Time // when the page is made; default: the report's last moment
}

// page is what the template shows.
type page struct {
	*Report
	Sums     Summary
	Accounts []account
	Chart    *Chart
	Shares   []share
	Slow     []slow
	Groups   []group
	Crew     []crew
	Pairs    []pair
	Covered  string // which images it covers
	Version  string
	Now      time.Time
}

// account is one part of found = done + skipped + rejected + dead.
type account struct {
	Name  string
	Count int64
	Share float64 // percent
}

// share is a stage's part of the work.
type share struct {
	StageSummary
	Share float64 // percent of the stages' sum; of "waited" and "total" 0
}

// slow is one of the slowest images, with the shares of its stages, in percent of the slowest one's time.
type slow struct {
	wire.Receipt
	Decode, Transform, Encode, Write, Rest float64
}

// group is the images refused for one reason.
type group struct {
	Refused
	More int64
}

// crew is a worker with its share of the images, in percent.
type crew struct {
	Worker
	Share float64
}

// pair is a picture before and after.
type pair struct {
	wire.Receipt
	Before, After template.URL // data URIs; may be empty
	Shown         wire.OutputInfo
	Written       int64 // bytes of all outputs
}

// WritePage writes the report as one page of HTML that needs nothing else.
func (r *Report) WritePage(ctx context.Context, w io.Writer, c PageConfig) error {
	p := page{Report: r, Sums: r.Summary(), Covered: r.covered(), Version: c.Version, Now: c.Now}
	end := r.Run.Ended
	if end.IsZero() || end.Before(r.last) {
		end = r.last
	}
	if p.Now.IsZero() {
		p.Now = end
	}
	if r.ofRun > 0 {
		p.Chart = r.flow.chart(end)
	}
	p.accounts()
	p.stages()
	p.slow()
	for _, g := range r.Refused() {
		p.Groups = append(p.Groups, group{g, g.Count - int64(len(g.Images))})
	}
	workers := r.Workers()
	for _, worker := range workers {
		p.Crew = append(p.Crew, crew{worker, percent(worker.Images, workers[0].Images)})
	}
	if err := p.pictures(ctx, c.Pictures); err != nil {
		return err
	}
	return pageTemplate().Execute(printable.NewWriter(w), &p)
}

func percent(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return tenth(100 * float64(part) / float64(whole))
}

func (p *page) accounts() {
	run := &p.Run
	for _, a := range []account{
		{Name: "done", Count: run.Done}, {Name: "skipped", Count: run.Skipped},
		{Name: "rejected", Count: run.Rejected}, {Name: "dead", Count: run.Dead},
	} {
		a.Share = percent(a.Count, run.Found)
		p.Accounts = append(p.Accounts, a)
	}
}

func (p *page) stages() {
	sum := int64(0)
	work := func(s *StageSummary) bool { return s.Name != "waited" && s.Name != "total" }
	for i := range p.Sums.Stages {
		if s := &p.Sums.Stages[i]; work(s) {
			sum += s.Sum
		}
	}
	for _, s := range p.Sums.Stages {
		sh := share{StageSummary: s}
		if work(&s) {
			sh.Share = percent(s.Sum, sum)
		}
		p.Shares = append(p.Shares, sh)
	}
}

func (p *page) slow() {
	all := p.Slowest()
	for _, e := range all {
		t, most := &e.Timings, max(1, all[0].Timings.Total)
		rest := max(0, t.Total-t.Decode-t.Transform-t.Encode-t.Write)
		p.Slow = append(p.Slow, slow{
			Receipt: e, Decode: percent(t.Decode, most), Transform: percent(t.Transform, most),
			Encode: percent(t.Encode, most), Write: percent(t.Write, most), Rest: percent(rest, most),
		})
	}
}

// pictures fills in at most maxPairs pairs, spread over the run.
func (p *page) pictures(ctx context.Context, from Pictures) error {
	kept := p.sample.kept
	spread := max(1, len(kept)/maxPairs)
	take := func(i int) {
		e := kept[i]
		pr := pair{Receipt: e}
		outputs := slices.SortedStableFunc(slices.Values(e.Outputs), func(a, b wire.OutputInfo) int {
			return cmp.Compare(b.Width*b.Height, a.Width*a.Height)
		})
		for _, o := range outputs {
			pr.Written += o.Size
			if pr.After == "" { // the largest that can be shown
				pr.Shown, pr.After = o, inline(ctx, from.Output, o.Name)
			}
		}
		if pr.After != "" {
			pr.Before = inline(ctx, from.Original, e.Filename)
			p.Pairs = append(p.Pairs, pr)
		}
	}
	if from.Output == nil {
		return nil
	}
	for first := range spread { // should some be missing, their neighbours stand in
		for i := first; i < len(kept) && len(p.Pairs) < maxPairs; i += spread {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			take(i)
		}
	}
	return nil
}

// inline returns a picture as a data URI, or nothing if there is no picture that a browser shows.
func inline(ctx context.Context, find func(context.Context, string) ([]byte, error), name string) template.URL {
	if find == nil {
		return ""
	}
	data, err := find(ctx, name)
	if err != nil || len(data) > MaxPicture {
		return ""
	}
	switch kind := http.DetectContentType(data); kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
		return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data))
	}
	return ""
}

// contentPolicy forbids a page to load or run anything, whatever the names of files contain.
const contentPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; " +
	"base-uri 'none'; form-action 'none'"

// Handler serves the page of the run that the query's "run" names, or of all images. It makes one page at a time.
func Handler(b wire.LedgerReader, c PageConfig) http.Handler {
	turn := make(chan struct{}, 1)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "a report can only be read", http.StatusMethodNotAllowed)
			return
		}
		ctx := req.Context()
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return
		}
		var text bytes.Buffer
		report, err := Read(ctx, b, req.URL.Query().Get("run"))
		if err == nil {
			shown := c
			shown.Now = time.Now()
			err = report.WritePage(ctx, &text, shown)
		}
		answer(w, &text, err)
	})
}
