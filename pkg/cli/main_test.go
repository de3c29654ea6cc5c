package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func gcPercentNow() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestFirstCollectionComesLate(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	t.Setenv("GOGC", "50")
	tuneGC()
	if got := gcPercentNow(); got != 100 {
		t.Fatalf("GOGC is set, and the percentage changed to %d", got)
	}
	t.Setenv("GOGC", "")
	tuneGC()
	for gcPercentNow() != gcPercent { // until the test's own time is over
		runtime.GC()
		runtime.Gosched()
	}
}
