//go:build unix

package sink

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// What waits behind a batch was written to the same directory. When that is replaced, one batch alone hears of it.
func TestOutputsThatWaitedBehindALossAreWrittenAgain(t *testing.T) {
	s := newStage(t)
	written := func(n int) []work {
		w := work{result: done(n), losses: s.sink.losses.Load()}
		if err := s.sink.writeOutputs(t.Context(), w.result); err != nil {
			t.Fatal(err)
		}
		return []work{w}
	}
	first, behind := written(1), written(2)
	if err := os.Rename(s.out, s.out+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.out, 0o755); err != nil {
		t.Fatal(err)
	}
	for n, batch := range [][]work{first, behind} {
		if err := s.sink.makeDurable(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		for _, o := range batch[0].result.Outputs {
			if _, err := os.Stat(filepath.Join(s.out, o.Name)); err != nil {
				t.Errorf("batch %d counts as durable: %v", n, err)
			}
		}
	}
	batch := []work{{receipt: wire.Receipt{}}} // a ventilator's word, of which there is nothing to write
	if err := s.sink.makeDurable(t.Context(), batch); err != nil {
		t.Error(err)
	}
}
