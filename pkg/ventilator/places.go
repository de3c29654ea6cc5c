package ventilator

import "github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"

// This file hands out the places of web servers. A server bears so many requests at a time, from all workers together.
// A task that refers to an image there has a place from its message's being made until it is settled or must be
// delivered again.

// holdPlace makes place that of a task; nil: it has none any more. It frees the one before.
func (l *loop) holdPlace(t *dispatch.Task, place func()) {
	if before := l.places[t]; before != nil {
		before()
	}
	if place == nil {
		delete(l.places, t)
		return
	}
	l.places[t] = place
}

// freePlaces frees the places of tasks that no worker fetches now.
func (l *loop) freePlaces() {
	for t := range l.places {
		if l.d.Task(t.ID) != t || !t.UnderWay() {
			l.holdPlace(t, nil)
		}
	}
}

// releaseHeld drops images that were fetched ahead of tasks that will not be read any more, such as one that another
// run has settled.
func (l *loop) releaseHeld() {
	for t := range l.held {
		if l.d.Task(t.ID) != t || t.Deliveries() > 0 {
			t.Origin.(*image).entry.Release()
			delete(l.held, t)
		}
	}
}
