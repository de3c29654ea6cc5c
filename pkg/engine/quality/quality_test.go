package quality

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// encoder is one whose pictures have so many bytes for each step of quality, and a distance that falls with it.
type encoder struct {
	bytes int
	far   float64 // distance at quality 0; at 100 there is none
	tries int
}

func (e *encoder) encode(q int) ([]byte, error) {
	e.tries++
	data := make([]byte, 10+e.bytes*q)
	data[0] = byte(q)
	return data, nil
}

func (e *encoder) distance(data []byte) (float64, error) {
	return e.far * (1 - float64(data[0])/100), nil
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		what      string
		goal      Goal
		far       float64
		want      int // quality
		mostTries int
	}{
		{"one quality", Goal{Quality: 85}, 1, 85, 1},
		{"no quality", Goal{}, 1, 0, 1},
		{"a limit that is kept", Goal{Quality: 85, MaxBytes: 860}, 1, 85, 1},
		{"a limit", Goal{Quality: 85, MaxBytes: 400}, 1, 39, 8},
		{"a limit for the lowest quality", Goal{Quality: 100, MaxBytes: 20}, 1, 1, 8},
		{"just a limit", Goal{Quality: 100, MaxBytes: 1009}, 1, 99, 8},
		{"an easy picture", Goal{Quality: 85, Auto: true}, Target, Least, 6},
		{"a picture", Goal{Quality: 85, Auto: true}, 4 * Target, 75, 6},
		{"a hard picture", Goal{Quality: 85, Auto: true}, 1, Most, 6},
		{"a picture with a limit", Goal{Quality: 85, Auto: true, MaxBytes: 600}, 4 * Target, 59, MaxTries},
	} {
		e := &encoder{bytes: 10, far: c.far}
		got, err := c.goal.Choose(e.encode, e.distance)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got.Quality != c.want || int(got.Data[0]) != c.want || len(got.Data) != 10+10*c.want {
			t.Errorf("%s: quality %d, and %d bytes of quality %d; want quality %d", c.what, got.Quality, len(got.Data),
				got.Data[0], c.want)
		}
		if e.tries > c.mostTries {
			t.Errorf("%s took %d tries, more than %d", c.what, e.tries, c.mostTries)
		}
	}
}

func TestChooseRejectsWhatCannotBeSmallEnough(t *testing.T) {
	for _, c := range []struct {
		goal  Goal
		words []string
	}{
		{Goal{Quality: 85, MaxBytes: 19}, []string{"20 bytes at quality 1", "max-bytes allows 19"}},
		{Goal{Quality: 1, MaxBytes: 19}, []string{"20 bytes at quality 1", "max-bytes allows 19"}},
		{Goal{Quality: 85, Auto: true, MaxBytes: 19}, []string{"20 bytes at quality 1"}},
		{Goal{MaxBytes: 9}, []string{"10 bytes", "allows 9", "no quality"}},
	} {
		e := &encoder{bytes: 10, far: 1}
		_, err := c.goal.Choose(e.encode, e.distance)
		var r *outcome.Rejection
		if !errors.As(err, &r) || r.Reason != outcome.TooLarge {
			t.Errorf("%+v: %v, want a rejection", c.goal, err)
			continue
		}
		for _, words := range c.words {
			if !strings.Contains(r.Detail, words) {
				t.Errorf("%+v: %q does not say %q", c.goal, r.Detail, words)
			}
		}
	}
}

func TestChoosePassesErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	e := &encoder{bytes: 10, far: 1}
	for _, g := range []Goal{{Quality: 85}, {Quality: 85, Auto: true}, {Quality: 85, MaxBytes: 20}} {
		tries := 0
		_, err := g.Choose(func(q int) ([]byte, error) {
			if tries++; tries == 2 || g.MaxBytes == 0 {
				return nil, broken
			}
			return e.encode(q)
		}, e.distance)
		if !errors.Is(err, broken) {
			t.Errorf("%+v: %v", g, err)
		}
	}
	_, err := Goal{Quality: 85, Auto: true}.Choose(e.encode, func([]byte) (float64, error) { return math.NaN(), broken })
	if !errors.Is(err, broken) {
		t.Errorf("an error of distance: %v", err)
	}
}
