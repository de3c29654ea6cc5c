package tunnel

import (
	"bytes"
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// Found: a thousand silent connections kept a program with a token out for 12 s.
func TestProgramsThatAreNotAdmittedMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, admitted = 8, 3
		s := newPlaces(most, admissionGrace)
		connect := func(said int64) (*passage, context.Context) {
			if !s.take(t.Context()) {
				t.Fatal("there is no place")
			}
			ctx, cut := context.WithCancel(t.Context())
			p := s.begin(cut)
			context.AfterFunc(ctx, func() { s.end(p) }) // as the tunnel does once a connection has ended
			_, _ = io.Copy(io.Discard, &heard{Reader: bytes.NewReader(make([]byte, said)), passage: p})
			return p, ctx
		}
		var connected []context.Context
		for range admitted {
			_, ctx := connect(greetingSize + 1)
			connected = append(connected, ctx)
		}
		began := time.Now()
		var silent []context.Context
		for range 100 {
			_, ctx := connect(greetingSize)
			silent = append(silent, ctx)
		}
		_, last := connect(greetingSize + 1)
		if took, rounds := time.Since(began), time.Duration(100/(most-admitted)); took > rounds*admissionGrace {
			t.Errorf("the last one got in after %v", took)
		}
		for _, ctx := range append(connected, last, silent[99]) {
			if ctx.Err() != nil {
				t.Error("one that is admitted, or the youngest, was cut")
			}
		}
		if silent[0].Err() == nil || silent[95].Err() == nil {
			t.Error("the oldest one that is not admitted was not cut")
		}

		for range most - len(s.begun) { // now all are admitted: the next waits
			connect(greetingSize + 1)
		}
		for _, p := range s.begun {
			p.admitted.Store(true)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if s.take(ctx) {
			t.Error("there are more places than allowed")
		}
	})
}
