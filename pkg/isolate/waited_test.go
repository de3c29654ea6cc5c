package isolate

import (
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
)

func TestWorkBesideTheAnswerBeforeIsNoWaiting(t *testing.T) {
	const ms = time.Millisecond
	stages := engine.Stages{Decode: 5 * ms, Transform: 3 * ms, Encode: 2 * ms}
	came := time.Now()
	for _, c := range []struct {
		name        string
		began, done time.Duration
		want        time.Duration
	}{
		{"its turn began in time", 20 * ms, 31 * ms, 20 * ms},
		{"it was nearly done when its turn began", 29 * ms, 30 * ms, 20 * ms},
		{"stages that overlap", 0, 8 * ms, 0},
	} {
		if got := waited(came, came.Add(c.began), came.Add(c.done), stages); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
