package isolate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

func TestLibrariesAreLoadedWhenAnImageNeedsThem(t *testing.T) {
	e := newEngine(t, Config{Slots: 1, Libraries: func(_ context.Context, image []byte, _ recipe.Recipe) Libraries {
		if bytes.HasSuffix(image, []byte("large")) {
			return 4
		}
		return 0
	}})
	transformed := func(data string) (pid, libraries int) {
		t.Helper()
		res, err := transform(t, e, data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(string(res.Outputs[0].Data), &pid, &libraries); err != nil {
			t.Fatal(err)
		}
		return pid, libraries
	}
	first, none := transformed("libraries small")
	second, loaded := transformed("libraries large")
	third, kept := transformed("libraries small")
	if none != 0 || loaded != 4 || kept != 4 {
		t.Errorf("libraries %d, %d and %d, want 0, 4 and 4", none, loaded, kept)
	}
	if second == first || third != second {
		t.Errorf("children %d, %d and %d: want a new one for the second image only", first, second, third)
	}
	if n := e.Stats().Ended[Replaced]; n != 1 {
		t.Errorf("%d children were replaced, want 1", n)
	}
}
