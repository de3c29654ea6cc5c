package telemetry

import (
	"testing"
)

func TestReadinessSaysWhyNot(t *testing.T) {
	var r Readiness
	if err := r.Err(); err == nil || err.Error() != "not started" {
		t.Errorf("at first: %v", err)
	}
	r.Ready()
	if err := r.Err(); err != nil {
		t.Errorf("ready: %v", err)
	}
	r.NotReady("draining")
	if err := r.Err(); err == nil || err.Error() != "draining" {
		t.Errorf("draining: %v", err)
	}
}
