package sink

import (
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestImagesAreCountedOfLiveRunsOrOfTheNewest(t *testing.T) {
	for runs, want := range map[string]string{"": "", "L": "L", "l": "l", "eL": "L", "Le": "L", "Lel": "Ll", "e": "e",
		"ef": "e"} {
		var all []wire.Run
		for _, c := range runs {
			r := wire.Run{ID: string(c)}
			if c == 'e' || c == 'f' {
				r.Ended = time.Unix(1, 0)
			}
			all = append(all, r)
		}
		got := ""
		for _, r := range liveOrNewest(all) {
			got += r.ID
		}
		if got != want {
			t.Errorf("of %q, newest first, %q is counted, want %q", runs, got, want)
		}
	}
}
