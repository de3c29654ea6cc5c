package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestParquetHasARowForEachImageAndVariant(t *testing.T) {
	b := newShelf(10, time.Second)
	b.entry = func(i int) wire.Receipt {
		e := entry(i, time.Second)
		if i == 0 {
			e.Known = &known.Facts{Camera: "Ada", Location: &known.Location{Latitude: 1.5, Longitude: -2.5}}
			e.Refused = []wire.RefusedVariant{{Variant: "hero", Reason: outcome.TooManyPixels, Detail: "too wide"}}
			e.Dropped = []string{"exif", "icc"}
			e.Outputs[0].Quality = 78
		}
		return e
	}
	var out bytes.Buffer
	if err := WriteParquet(t.Context(), &out, b, "new"); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[parquetRow](bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	for i := range 10 {
		e := b.entry(i)
		want += max(1, len(e.Outputs)+len(e.Refused))
	}
	if len(rows) != want {
		t.Fatalf("%d rows, want %d", len(rows), want)
	}
	first, refused, last := rows[0], rows[1], rows[len(rows)-1]
	e := b.entry(0)
	if first.Output != e.Outputs[0].Name || first.OutputBytes != e.Outputs[0].Size || first.Camera != "Ada" ||
		first.Quality == nil || *first.Quality != 78 || first.Latitude == nil || *first.Latitude != 1.5 ||
		len(first.Dropped) != 2 || !first.At.Equal(e.At.Truncate(time.Microsecond)) {
		t.Errorf("%+v", first)
	}
	if refused.Refused != "hero" || refused.Reason != "too-many-pixels" || refused.Output != "" ||
		refused.Outcome != "done" {
		t.Errorf("%+v", refused)
	}
	if last.Outcome != "rejected" || last.Reason != "truncated" || last.Output != "" || last.Quality != nil ||
		last.Latitude != nil {
		t.Errorf("%+v", last)
	}
}
