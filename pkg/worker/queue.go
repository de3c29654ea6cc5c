package worker

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queue holds received tasks until the engine takes them. It shares the slots fairly between runs: each has the same
// part of their time, however many tasks the others send and however long these take. Within a run the first task goes
// first. Its methods may be called concurrently.
type queue struct {
	mu     sync.Mutex
	came   sync.Cond // a task came, or the queue was closed, or a context ended
	runs   []*share  // those that have tasks here or in the engine; the one that was served longest ago first
	n      int       // tasks that wait
	closed bool
}

// share is what a run has in the queue, and what it had of the slots.
type share struct {
	run     string
	waiting []received
	engaged int           // its tasks that the engine has
	used    time.Duration // of the slots, beside those; a run that comes begins with the least of the others
	usual   time.Duration // of one of its tasks, lately
}

// due is what the run will have used when the tasks that the engine has are done.
func (s *share) due() time.Duration { return s.used + time.Duration(s.engaged)*s.usual }

func newQueue() *queue {
	q := new(queue)
	q.came.L = &q.mu
	return q
}

// put adds a task.
func (q *queue) put(r received) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.share(r.task.Run)
	if s == nil {
		s = &share{run: r.task.Run}
		for i, other := range q.runs {
			if i == 0 || other.due() < s.used {
				s.used = other.due()
			}
		}
		q.runs = append(q.runs, s)
	}
	s.waiting = append(s.waiting, r)
	q.n++
	q.came.Signal()
}

func (q *queue) share(run string) *share {
	for _, s := range q.runs {
		if s.run == run {
			return s
		}
	}
	return nil
}

// take waits for a task and takes it out. It returns false when the queue is closed and empty, or ctx has ended. The
// caller calls done for each task that it took.
func (q *queue) take(ctx context.Context) (received, bool) {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.came.Broadcast()
	})
	defer stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.n == 0 && !q.closed && ctx.Err() == nil {
		q.came.Wait()
	}
	if q.n == 0 || ctx.Err() != nil {
		return received{}, false
	}
	best := -1
	for i, s := range q.runs {
		if len(s.waiting) > 0 && (best < 0 || s.due() < q.runs[best].due()) {
			best = i
		}
	}
	s := q.runs[best]
	q.runs = append(slices.Delete(q.runs, best, best+1), s)
	r := s.waiting[0]
	s.waiting[0] = received{} // the list keeps no image that was transformed
	s.waiting = s.waiting[1:]
	s.engaged++
	q.n--
	return r, true
}

// done notes that a task of a run, which was taken, occupied a slot for so long.
func (q *queue) done(run string, took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.share(run)
	s.engaged--
	s.used += took
	if s.usual == 0 {
		s.usual = took
	}
	s.usual += (took - s.usual) / 4
	if s.engaged == 0 && len(s.waiting) == 0 {
		q.runs = slices.DeleteFunc(q.runs, func(other *share) bool { return other == s })
	}
}

// len returns how many tasks wait.
func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}

// close lets take end when the queue is empty. Nothing is put afterwards.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.came.Broadcast()
}
