package report

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// columns are those of WriteCSV.
var columns = []string{
	"filename", "outcome", "reason", "detail", "worker", "delivery", "bytes", "outputs", "output_bytes",
	"waited_us", "decode_us", "transform_us", "encode_us", "write_us", "total_us", "at",
	"dropped",  // kinds of metadata, separated by blanks
	"run",      // that settled it
	"warnings", // sentences, also about variants that were not made, separated by semicolons
	"sha256", "captured", "camera", "latitude", "longitude",
	"color",     // the mean, six hexadecimal digits
	"thumbhash", // in base64
	"url",       // of an image from a web server, where its name does not tell it
	"columns",   // of the list that names the image, as a JSON object
	"quality",   // that was chosen for outputs, by their names, as a JSON object
}

// WriteCSV writes a line for each image that the run of that id settled or, when it is empty, for each one that the
// ledger knows, below a header. Entries that later ones replaced have no line. Texts that a spreadsheet would take
// for a formula begin with an apostrophe.
func WriteCSV(ctx context.Context, w io.Writer, b wire.LedgerReader, id string) error {
	_, args, err := begin(ctx, b, id)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	err = EachEntry(ctx, b, args, func(e *wire.Receipt) error {
		if superseded(e) {
			return nil
		}
		size := int64(0)
		for _, o := range e.Outputs {
			size += o.Size
		}
		t := &e.Timings
		return out.Write(append([]string{
			printable.Cell(e.Filename), printable.Cell(string(e.Outcome)), printable.Cell(string(e.Reason)),
			printable.Cell(e.Detail), printable.Cell(e.Worker), strconv.Itoa(e.Delivery),
			number(e.Bytes), strconv.Itoa(len(e.Outputs)), number(size), number(t.Waited), number(t.Decode),
			number(t.Transform), number(t.Encode), number(t.Write), number(t.Total), e.At.UTC().Format(time.RFC3339Nano),
			printable.Cell(strings.Join(e.Dropped, " ")), printable.Cell(e.Run),
			printable.Cell(strings.Join(e.Notes(), "; ")),
		}, append(factCells(e.Known), printable.Cell(e.URL), objectCell(e.Columns),
			objectCell(qualities(e)))...))
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

// objectCell returns a map as a JSON object, its keys sorted; empty if there is nothing in it.
func objectCell[V string | int](m map[string]V) string {
	if len(m) == 0 {
		return ""
	}
	text, _ := json.Marshal(m) // of strings and numbers alone, so that it never fails
	return printable.Cell(string(text))
}

// qualities returns the qualities that were chosen for outputs, by their names.
func qualities(e *wire.Receipt) map[string]int {
	chosen := make(map[string]int)
	for _, o := range e.Outputs {
		if o.Quality != 0 {
			chosen[o.Name] = o.Quality
		}
	}
	return chosen
}

// factCells returns the last cells of a line.
func factCells(f *known.Facts) []string {
	if f == nil {
		f = new(known.Facts)
	}
	var latitude, longitude string
	if l := f.Location; l != nil {
		latitude, longitude = strconv.FormatFloat(l.Latitude, 'f', 6, 64), strconv.FormatFloat(l.Longitude, 'f', 6, 64)
	}
	return []string{
		f.SHA256.String(), f.Captured, printable.Cell(f.Camera), latitude, longitude, f.Color,
		base64.StdEncoding.EncodeToString(f.ThumbHash),
	}
}

// Summary is the end of WriteJSON.
type Summary struct {
	Settled      int64   `json:"settled"`        // entries that the report covers; an image has one for each recipe
	SettledByRun int64   `json:"settled_by_run"` // of those; the run's rates are reckoned by them
	Runs         int     `json:"runs"`           // that the report covers
	Superseded   int64   `json:"superseded"`     // entries that later ones replaced; not among the settled
	Bytes        int64   `json:"bytes"`          // of those images
	Outputs      int64   `json:"outputs"`
	OutputBytes  int64   `json:"output_bytes"`
	Unsettled    int64   `json:"unsettled"` // found − (done + skipped + rejected + dead)
	Seconds      float64 `json:"seconds"`   // from its start to its end
	// Of those, in which a worker was connected and the run was not paused
	WorkingSeconds  float64          `json:"working_seconds"`
	ImagesPerSecond float64          `json:"images_per_second"`
	BytesPerSecond  float64          `json:"bytes_per_second"`
	Refused         map[string]int64 `json:"refused"` // rejected images by reason, and dead letters
	Dropped         map[string]int64 `json:"dropped"` // done images by the kind of metadata that no output carries
	Warned          int64            `json:"warned"`  // done images with warnings, or without one of their variants
	Partly          int64            `json:"partly"`  // of these, those without one of their variants
	Stages          []StageSummary   `json:"stages"`
	Workers         []Worker         `json:"workers"`
	Throughput      Throughput       `json:"throughput"`
}

// StageSummary says how long a stage took, in microseconds. Quantiles are accurate to about a tenth.
type StageSummary struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
	Sum   int64  `json:"sum_us"`
	Mean  int64  `json:"mean_us"`
	P50   int64  `json:"p50_us"`
	P95   int64  `json:"p95_us"`
	P99   int64  `json:"p99_us"`
	Max   int64  `json:"max_us"`
}

// Throughput counts images in consecutive slices of time.
type Throughput struct {
	Start        time.Time `json:"start"`
	SliceSeconds float64   `json:"slice_seconds"`
	Done         []int64   `json:"done"`
	Refused      []int64   `json:"refused"`
	Bytes        []int64   `json:"bytes"`
}

// Summary returns the report's numbers.
func (r *Report) Summary() Summary {
	images, bytes := r.PerSecond()
	s := Summary{
		Settled: r.Entries, SettledByRun: r.ofRun, Runs: max(1, r.Runs), Superseded: r.Superseded,
		Bytes: r.Bytes, Outputs: r.Outputs, OutputBytes: r.Written, Unsettled: r.Run.Unsettled(),
		Seconds: r.Took().Seconds(), WorkingSeconds: r.Working().Seconds(), ImagesPerSecond: images, BytesPerSecond: bytes,
		Workers:    r.Workers(),
		Refused:    make(map[string]int64),
		Dropped:    maps.Clone(r.dropped),
		Warned:     r.warned.Count,
		Partly:     r.partly,
		Throughput: Throughput{Start: r.flow.start, SliceSeconds: r.flow.width.Seconds()},
	}
	for _, group := range r.Refused() {
		s.Refused[group.Why] = group.Count
	}
	for i := range r.stages {
		st := &r.stages[i]
		s.Stages = append(s.Stages, StageSummary{
			Name: st.Name, Count: st.Count, Sum: st.Sum, Mean: st.Mean().Microseconds(), P50: st.Quantile(.5).Microseconds(),
			P95: st.Quantile(.95).Microseconds(), P99: st.Quantile(.99).Microseconds(), Max: st.Max,
		})
	}
	for _, sl := range r.flow.slices {
		s.Throughput.Done = append(s.Throughput.Done, sl.done)
		s.Throughput.Refused = append(s.Throughput.Refused, sl.refused)
		s.Throughput.Bytes = append(s.Throughput.Bytes, sl.bytes)
	}
	return s
}

// WriteJSON writes one object: the run, its images (an array with a line for each), and the Summary.
func WriteJSON(ctx context.Context, w io.Writer, b wire.LedgerReader, id string) error {
	r, args, err := begin(ctx, b, id)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	put := func(before string, v any) error {
		text, err := json.Marshal(v)
		if err == nil {
			_, err = fmt.Fprintf(out, "%s%s", before, text)
		}
		return err
	}
	if err := put("{\"run\":", r.Run); err != nil {
		return err
	}
	before := ",\n\"images\":[\n"
	none := true
	err = EachEntry(ctx, b, args, func(e *wire.Receipt) error {
		r.add(e)
		if superseded(e) {
			return nil
		}
		none = false
		defer func() { before = ",\n" }()
		return put(before, e)
	})
	if err != nil {
		return err
	}
	end := "],\n\"summary\":"
	if none {
		end = before + end
	}
	if err := put(end, r.Summary()); err != nil {
		return err
	}
	if _, err := out.WriteString("}\n"); err != nil {
		return err
	}
	return out.Flush()
}

// Accounts returns what became of the images that a run found, as a sum: "5 done + 1 skipped + 0 rejected + 0 dead",
// and those that are left for the next run, if there are any.
func Accounts(r *wire.Run) string {
	s := fmt.Sprintf("%s done + %s skipped + %s rejected + %s dead", numfmt.Count(r.Done), numfmt.Count(r.Skipped),
		numfmt.Count(r.Rejected), numfmt.Count(r.Dead))
	if n := r.LeftOver(); n > 0 {
		s += " + " + numfmt.Count(n) + " left"
	}
	return s
}

// WriteText writes the report for a terminal.
func (r *Report) WriteText(w io.Writer) error {
	run := &r.Run
	fmt.Fprintf(w, "run %s %s, begun %s, took %s", printable.Line(run.ID), printable.Line(string(run.State)),
		run.Started.Local().Format(time.DateTime), numfmt.Time(r.Took()))
	if r.Took()-r.Working() > r.Took()/20 {
		fmt.Fprintf(w, ", %s working", numfmt.Time(r.Working()))
	}
	fmt.Fprintln(w)
	balance := "balanced"
	if n := run.Unaccounted(); n != 0 {
		balance = numfmt.Count(n) + " unaccounted for"
	} else if r.Unseen() {
		balance = "it ended without a final report"
	}
	fmt.Fprintf(w, "%s found = %s: %s\n", numfmt.Counted(run.Found, "image"), Accounts(run), balance)
	if left := r.LeftOut(); left != "" {
		fmt.Fprintf(w, "left out: %s\n", printable.Line(left))
	}
	if r.ofRun > 0 {
		images, bytes := r.PerSecond()
		fmt.Fprintf(w, "%s settled by this run: %s img/s, %s/s in\n", numfmt.Count(r.ofRun), numfmt.Rate(images),
			numfmt.Bytes(bytes))
	}
	fmt.Fprintln(w, r.covered())
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if r.stages[0].Count > 0 {
		fmt.Fprintln(table, "\nSTAGE\tMEAN\tMEDIAN\t95%\t99%\tLONGEST")
		for i := range r.stages {
			s := &r.stages[i]
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, numfmt.Time(s.Mean()), numfmt.Time(s.Quantile(.5)),
				numfmt.Time(s.Quantile(.95)), numfmt.Time(s.Quantile(.99)), numfmt.Time(time.Duration(s.Max)*time.Microsecond))
		}
		fmt.Fprintln(table, "\nSLOWEST\tTIME\tBYTES\tWORKER")
		slow := r.Slowest()
		for _, e := range slow[:min(5, len(slow))] {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", printable.Line(e.Filename), micros(e.Timings.Total),
				numfmt.Bytes(e.Bytes), printable.Line(e.Worker))
		}
	}
	if refused := r.Refused(); len(refused) > 0 {
		fmt.Fprintln(table, "\nREFUSED\tIMAGES\tSUCH AS")
		for _, group := range refused {
			fmt.Fprintf(table, "%s\t%d\t%s\n", printable.Line(group.Why), group.Count,
				printable.Line(group.Images[0].Filename))
		}
	}
	if dropped := r.Dropped(); len(dropped) > 0 {
		fmt.Fprintln(table, "\nDROPPED METADATA\tIMAGES")
		for _, d := range dropped {
			fmt.Fprintf(table, "%s\t%d\n", printable.Line(d.Kind), d.Images)
		}
	}
	if warned := r.Warned(); warned.Count > 0 {
		fmt.Fprintln(table, "\nWARNED\tWHAT")
		shown := warned.Images[:min(10, len(warned.Images))]
		for _, e := range shown {
			fmt.Fprintf(table, "%s\t%s\n", printable.Line(e.Filename), printable.Line(strings.Join(e.Notes(), "; ")))
		}
		if more := warned.Count - int64(len(shown)); more > 0 {
			fmt.Fprintf(table, "and %s more\t(--csv and --json list all)\n", numfmt.Count(more))
		}
	}
	return table.Flush()
}

// covered says in a sentence which images the report covers.
func (r *Report) covered() string {
	s := fmt.Sprintf("this report covers %s entries of the ledger", numfmt.Count(r.Entries))
	if r.Runs > 1 {
		s += fmt.Sprintf(" by %d runs", r.Runs)
	}
	s += fmt.Sprintf(": %s done, %s refused; %s outputs, %s", numfmt.Count(r.Done),
		numfmt.Count(r.Entries-r.Done), numfmt.Count(r.Outputs), numfmt.Bytes(r.Written))
	if r.Superseded > 0 {
		s += fmt.Sprintf("; superseded since: %s", numfmt.Count(r.Superseded))
	}
	return s
}

// micros writes a duration in microseconds.
func micros(us int64) string { return numfmt.Time(time.Duration(us) * time.Microsecond) }
