package dashboard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Found: sixteen clients that read nothing made an honest one wait for 29 s.
func TestSlowClientsLoseTheirPlacesToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlaces(2)
		var cut []int
		var leave []func()
		take := func(client int) {
			t.Helper()
			l, ok := p.take(t.Context(), func() { cut = append(cut, client) })
			if !ok {
				t.Fatal("no place")
			}
			leave = append(leave, l)
		}
		start := time.Now()
		take(0)
		time.Sleep(10 * time.Second)
		take(1)
		if len(cut) > 0 {
			t.Fatalf("clients %v are cut although there was room", cut)
		}
		take(2) // at once, in the place of 0
		take(3) // in the place of 1, which may hold it for a second
		if len(cut) != 2 || cut[0] != 0 || cut[1] != 1 || time.Since(start) != 11*time.Second {
			t.Errorf("after %s, clients %v are cut", time.Since(start), cut)
		}
		leave[0]() // has no place any more
		leave[2]()
		take(4)
		if len(cut) != 2 {
			t.Errorf("clients %v are cut although one had left", cut)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, ok := p.take(ctx, func() {}); ok {
			t.Error("a place beyond the limit")
		}
	})
}
