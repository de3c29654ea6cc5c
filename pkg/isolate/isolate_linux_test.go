package isolate

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// bothWays runs a test with shared memory and with pipes.
func bothWays(t *testing.T, f func(t *testing.T, newEngine func(*testing.T, Config) *Engine)) {
	for _, piped := range []bool{false, true} {
		name := "shared"
		if piped {
			name = "piped"
		}
		t.Run(name, func(t *testing.T) {
			f(t, func(t *testing.T, c Config) *Engine {
				e := idleEngine(t, c)
				e.piped = piped
				runEngine(t, e)
				return e
			})
		})
	}
}

func TestResultCrossesWhole(t *testing.T) {
	bothWays(t, func(t *testing.T, newEngine func(*testing.T, Config) *Engine) {
		e := newEngine(t, Config{Slots: 1})
		for _, n := range []int{0, 1, 5000, 300_000, 9 << 20, 10} {
			data := bytes.Repeat([]byte("x"), n)
			got, err := e.Transform(t.Context(), data, recipe.Default())
			if err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			want := result(recipe.Default(), data)
			got.Stages.Waited = 0
			for i, o := range got.Outputs {
				if !bytes.Equal(o.Data, data) {
					t.Fatalf("%d bytes: the data of output %d differs", n, i)
				}
				got.Outputs[i].Data, want.Outputs[i].Data = nil, nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%d bytes: %+v, want %+v", n, got, want)
			}
		}
		if s := e.Stats(); s.Starts != 1 || s.Children[0].Tasks != 6 {
			t.Errorf("one child was to do six tasks: %+v", s)
		}
	})
}

func TestErrorsCrossTyped(t *testing.T) {
	bothWays(t, func(t *testing.T, newEngine func(*testing.T, Config) *Engine) {
		e := newEngine(t, Config{Slots: 1, MaxOutput: 1 << 20})
		_, err := transform(t, e, "reject 17")
		wantRejection(t, err, outcome.Truncated, "it ends at 17")
		_, err = transform(t, e, "wrapped")
		wantRejection(t, err, outcome.Unsupported, "CMYK")
		_, err = transform(t, e, "large 400000")
		wantRejection(t, err, outcome.TooLarge, "1.1 MiB, the limit is 1.0 MiB")
		for image, words := range map[string]string{
			"fail":   "the disk is on fire",
			"few":    "made 0 outputs of 3 variants",
			"invent": `unknown reason "ugly"`,
		} {
			_, err := transform(t, e, image)
			var r *outcome.Rejection
			if err == nil || errors.As(err, &r) || !strings.Contains(err.Error(), words) {
				t.Errorf("%s: error %v, want a plain one with %q", image, err, words)
			}
		}
		if s := e.Stats(); s.Starts != 1 {
			t.Errorf("an error cost a child: %+v", s)
		}
	})
}

func TestImageBeyondMaxInputIsRejectedAtHome(t *testing.T) {
	e := idleEngine(t, Config{MaxInput: 10})
	_, err := transform(t, e, "12345678901")
	wantRejection(t, err, outcome.TooLarge, "11 bytes, the limit is 10 bytes")
}
