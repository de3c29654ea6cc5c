package numfmt_test

import (
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
)

func TestNumbersAreWrittenInOneForm(t *testing.T) {
	for got, want := range map[string]string{
		numfmt.Count(0):                         "0",
		numfmt.Count(999):                       "999",
		numfmt.Count(int64(1234567)):            "1,234,567",
		numfmt.Count(-1234):                     "-1,234",
		numfmt.Count(-123):                      "-123",
		numfmt.Counted(1, "worker"):             "1 worker",
		numfmt.Counted(2000, "worker"):          "2,000 workers",
		numfmt.Rate(0):                          "0",
		numfmt.Rate(0.84):                       "0.8",
		numfmt.Rate(99.94):                      "99.9",
		numfmt.Rate(99.96):                      "100",
		numfmt.Rate(3208.4):                     "3,208",
		numfmt.Bytes(999):                       "999 B",
		numfmt.Bytes(1000):                      "1.00 kB",
		numfmt.Bytes(int64(12_345_678)):         "12.3 MB",
		numfmt.Bytes(999_600):                   "1.00 MB",
		numfmt.Bytes(2.5e9):                     "2.50 GB",
		numfmt.Bytes(5e15):                      "5000 TB",
		numfmt.Percent(0.614):                   "61 %",
		numfmt.Time(41 * time.Microsecond):      "41µs",
		numfmt.Time(1_234 * time.Microsecond):   "1.23ms",
		numfmt.Time(123_400 * time.Microsecond): "123ms",
		numfmt.Time(time.Hour):                  "1h0m",
		numfmt.Time(12_340 * time.Microsecond):  "12.3ms",
		numfmt.Time(1234 * time.Millisecond):    "1.23s",
		numfmt.Time(12_340 * time.Millisecond):  "12.3s",
		numfmt.Time(100 * time.Second):          "1m40s",
		numfmt.Time(125*time.Minute + 4):        "2h5m",
		numfmt.Digits(9.996):                    "10.0",
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
