package worker

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func TestRunsShareTheTimeOfTheSlots(t *testing.T) {
	for _, slots := range []int{1, 2} {
		t.Run(fmt.Sprint(slots, " slots"), func(t *testing.T) {
			edit := func(c *Config) { c.Slots, c.Prefetch = slots, 100 }
			onStage(t, edit, func(t *testing.T, s *stage) {
				for i := range 40 { // all of the first run's come before the second run's
					s.send(fmt.Sprintf("slow%d.jpg", i), "1s", wire.TaskInfo{ID: fmt.Sprint("slow", i), Run: "slow"})
				}
				for i := range 60 {
					s.send(fmt.Sprintf("fast%d.jpg", i), "100ms", wire.TaskInfo{ID: fmt.Sprint("fast", i), Run: "fast"})
				}
				begun := time.Now()
				count := make(map[string]int)
				for count["fast"] < 60 {
					r := s.result(time.Minute)
					if r == nil {
						t.Fatalf("only %v came", count)
					}
					count[r.Run]++
				}
				// Six seconds of slots for each.
				if took := time.Since(begun); took > 15*time.Second/time.Duration(slots) || count["slow"] < 4 ||
					count["slow"] > 10 {
					t.Errorf("after %v the run of slow images has %d done, and not 6 or so", took, count["slow"])
				}
			})
		})
	}
}

func TestRunThatComesLaterHasNoClaimToThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		put := func(run string, n int) {
			for range n {
				q.put(received{task: &wire.Task{TaskInfo: wire.TaskInfo{Run: run}}})
			}
		}
		served := func(n int) map[string]int {
			count := make(map[string]int)
			for range n {
				r, ok := q.take(t.Context())
				if !ok {
					t.Fatal("the queue is empty")
				}
				count[r.task.Run]++
				q.done(r.task.Run, time.Second)
			}
			return count
		}
		put("old", 100)
		served(50)
		put("new", 40)
		if count := served(20); count["old"] != 10 || count["new"] != 10 {
			t.Errorf("served %v", count)
		}
		served(70)
		if q.len() != 0 || len(q.runs) != 0 {
			t.Errorf("%d tasks of %d runs are left", q.len(), len(q.runs))
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan bool)
		go func() {
			_, ok := q.take(ctx)
			ended <- ok
		}()
		synctest.Wait()
		cancel()
		if <-ended {
			t.Error("an empty queue gave a task")
		}
		q.close()
		if _, ok := q.take(t.Context()); ok {
			t.Error("a closed queue gave a task")
		}
	})
}

func TestQueueKeepsNoTaskThatWasTaken(t *testing.T) {
	q := newQueue()
	for range 2 {
		q.put(received{task: &wire.Task{TaskInfo: wire.TaskInfo{Run: "r"}}, frame: make([]byte, 1)})
	}
	waiting := q.runs[0].waiting
	if _, ok := q.take(t.Context()); !ok {
		t.Fatal("the queue is empty")
	}
	if waiting[0].task != nil || waiting[0].frame != nil || waiting[1].frame == nil {
		t.Errorf("the list holds %+v", waiting)
	}
}

// Every ventilator that a name leads to may fill its prefetch, and all of that is held.
func TestRoomGrowsWithTheVentilators(t *testing.T) {
	edit := func(c *Config) { c.Prefetch, c.HeldBytes = 4, 4<<10 }
	onStage(t, edit, func(t *testing.T, s *stage) {
		send := func(push *zsock.Push, name string) {
			t.Helper()
			for i := range 4 {
				task := wire.Task{Filename: "a.jpg", Data: []byte(strings.Repeat("0h", 450) + "1h"),
					TaskInfo: wire.TaskInfo{ID: fmt.Sprint(name, i), Run: name}}
				if err := push.Send(t.Context(), zsock.Message{task.Encode()}); err != nil {
					t.Fatal(err)
				}
			}
		}
		send(s.tasks, "v0")
		for i := 1; i < 4; i++ { // as if the name had got more addresses
			push, err := zsock.NewPush(zsock.Config{Network: s.worker.cfg.Network})
			if err != nil {
				t.Fatal(err)
			}
			defer push.Close(t.Context())
			endpoint := fmt.Sprint("inproc://tasks", i)
			if _, err := push.Listen(endpoint); err != nil {
				t.Fatal(err)
			}
			if err := s.worker.pull.Dial(endpoint); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			send(push, fmt.Sprint("v", i))
		}
		synctest.Wait()
		if held := len(s.worker.heartbeat().Held); held != 16 {
			t.Errorf("the worker holds %d of 16 tasks", held)
		}
	})
}
