package report

import (
	"bytes"
	"encoding/csv"
	"slices"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestCSVTellsWhatIsKnownOfImages(t *testing.T) {
	b := newShelf(2, time.Second)
	b.entry = func(i int) wire.Receipt {
		e := entry(i, time.Second)
		if i == 0 {
			e.Known = &known.Facts{
				SHA256: bytes.Repeat([]byte{0xab}, known.DigestSize), Captured: "2024-05-17T12:30:45", Camera: "=Ada",
				Location: &known.Location{Latitude: -33.875, Longitude: 151.25}, Color: "c86432", ThumbHash: []byte{1, 2, 3},
			}
			e.Outputs = append(e.Outputs, wire.OutputInfo{Name: "a_hero.webp", Quality: 78})
			e.URL, e.Columns = "https://x/a.jpg?v=1", map[string]string{"id": "7", "caption": "a lake"}
		}
		return e
	}
	var out bytes.Buffer
	if err := WriteCSV(t.Context(), &out, b, "new"); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatalf("%q, %v", lines, err)
	}
	at := slices.Index(columns, "sha256")
	want := []string{
		"abababababababababababababababababababababababababababababababab", "2024-05-17T12:30:45", "'=Ada", "-33.875000",
		"151.250000", "c86432", "AQID", "https://x/a.jpg?v=1", `{"caption":"a lake","id":"7"}`,
		`{"a_hero.webp":78}`,
	}
	if !slices.Equal(lines[1][at:], want) || !slices.Equal(lines[2][at:], make([]string, len(want))) {
		t.Errorf("%q and %q", lines[1][at:], lines[2][at:])
	}
}
