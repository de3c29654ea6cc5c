package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// slow is an engine that takes a while, by the image's word.
type slow struct{}

func (slow) Name() string { return "slow" }

func (slow) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	if d, err := time.ParseDuration(string(data)); err == nil {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if strings.HasPrefix(string(data), "broken") {
		return nil, errors.New("the engine is broken")
	}
	if strings.HasPrefix(string(data), "wide") && len(r.Variants) == 1 {
		return nil, outcome.RejectVariant(r.Variants[0].Name, outcome.TooManyPixels, "it is too wide")
	}
	res := &engine.Result{Format: "jpeg", Known: &known.Facts{Camera: "Ada", Location: &known.Location{Latitude: 1}}}
	for _, v := range r.Variants {
		o := engine.Output{Variant: v.Name, Data: []byte(v.Name)}
		if string(data) == "wide" && v.Name == "b" {
			o = engine.Output{Variant: v.Name, Refused: outcome.Reject(outcome.TooManyPixels, "it is too wide")}
		}
		res.Outputs = append(res.Outputs, o)
	}
	return res, nil
}

// stage is a worker between a ventilator and a sink that the test plays, in memory and virtual time.
type stage struct {
	t      *testing.T
	worker *Worker
	tasks  *zsock.Push
	taken  *zsock.Pull
	ended  chan error
	cut    context.CancelFunc
}

func onStage(t *testing.T, edit func(*Config), test func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := zsock.Network{Inproc: zsock.NewInproc()}
		s := &stage{t: t, ended: make(chan error, 1)}
		var err error
		if s.tasks, err = zsock.NewPush(zsock.Config{Network: network}); err != nil {
			t.Fatal(err)
		}
		if s.taken, err = zsock.NewPull(zsock.Config{Network: network}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.tasks.Listen("inproc://tasks"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.taken.Listen("inproc://results"); err != nil {
			t.Fatal(err)
		}
		cfg := Config{Name: "w", Ventilators: []string{"inproc://tasks"}, Results: "inproc://results", Network: network,
			Engine: slow{}, Slots: 1, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}
		if edit != nil {
			edit(&cfg)
		}
		if s.worker, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		ctx, cut := context.WithCancel(context.Background())
		s.cut = cut
		go func() { s.ended <- s.worker.Run(ctx) }()
		synctest.Wait()
		test(t, s)
		cut()
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _ = s.tasks.Close(closing), s.taken.Close(closing) // what a cut worker left is left
	})
}

func (s *stage) send(name, data string, info wire.TaskInfo) {
	s.t.Helper()
	task := wire.Task{Filename: name, Data: []byte(data), TaskInfo: info}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.tasks.Send(ctx, zsock.Message{task.Encode()}); err != nil {
		s.t.Fatal(err)
	}
}

// result returns the next result within d, nil when there is none; heartbeats are passed over.
func (s *stage) result(d time.Duration) *wire.Result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for {
		m, err := s.taken.Recv(ctx)
		if err != nil {
			return nil
		}
		got, err := wire.DecodeFromWorker(m[0])
		if err != nil {
			s.t.Fatal(err)
		}
		if got.Result != nil {
			return got.Result
		}
	}
}

// What a worker has is listed as held, so that nobody takes it for lost: also what two ventilators have sent to
// their limits.
func TestEverythingThatWasReceivedIsListedAsHeld(t *testing.T) {
	edit := func(c *Config) { c.Prefetch, c.Ventilators = 4, append(c.Ventilators, "inproc://other") }
	onStage(t, edit, func(t *testing.T, s *stage) {
		for i := range 8 {
			s.send(fmt.Sprintf("%d.jpg", i), "1h", wire.TaskInfo{ID: fmt.Sprint("id", i)})
		}
		time.Sleep(5 * time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		held := 0
		for held != 8 {
			m, err := s.taken.Recv(ctx)
			if err != nil {
				t.Fatalf("%d of 8 are listed", held)
			}
			if got, err := wire.DecodeFromWorker(m[0]); err == nil && got.Heartbeat != nil {
				held = len(got.Heartbeat.Held)
			}
		}
	})
}

func TestDrainEndsAlthoughAStrangerSendsOn(t *testing.T) {
	edit := func(c *Config) { c.Prefetch = 4 }
	onStage(t, edit, func(t *testing.T, s *stage) {
		ctx, stop := context.WithCancel(context.Background())
		var flood sync.WaitGroup
		flood.Go(func() {
			task := wire.Task{Filename: "a.jpg", Data: []byte("1s")}
			for s.tasks.Send(ctx, zsock.Message{task.Encode()}) == nil {
			}
		})
		time.Sleep(5 * time.Second)
		s.worker.Drain()
		select {
		case err := <-s.ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("it still works a minute later")
		}
		stop()
		flood.Wait()
	})
}

func TestIdleWorkerLeavesAtOnceWhenItDrains(t *testing.T) {
	onStage(t, nil, func(t *testing.T, s *stage) {
		began := time.Now()
		s.worker.Drain()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestDrainingWorkerFinishesWhatItHoldsAndTakesNothingNew(t *testing.T) {
	onStage(t, func(c *Config) { c.Prefetch = 2 }, func(t *testing.T, s *stage) {
		s.send("a.jpg", "1s", wire.TaskInfo{ID: "a"})
		s.send("b.jpg", "1s", wire.TaskInfo{ID: "b"})
		synctest.Wait()
		s.worker.Drain()
		synctest.Wait()
		if s.worker.Ready() == nil {
			t.Error("a draining worker says that it is ready")
		}
		s.send("c.jpg", "0s", wire.TaskInfo{ID: "c"})
		if a, b := s.result(time.Minute), s.result(time.Minute); a == nil || b == nil || a.ID != "a" || b.ID != "b" {
			t.Errorf("results %v and %v", a, b)
		}
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		if c := s.result(time.Second); c != nil {
			t.Errorf("it took %s while draining", c.Filename)
		}
	})
}

func TestReturningWorkerFinishesWhatIsAtWorkAndListsTheRest(t *testing.T) {
	onStage(t, func(c *Config) { c.Prefetch = 4 }, func(t *testing.T, s *stage) {
		for _, id := range []string{"a", "b", "c"} {
			s.send(id+".jpg", "1h", wire.TaskInfo{ID: id})
		}
		synctest.Wait()
		s.worker.Return()
		synctest.Wait()
		var returned []string
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for len(returned) == 0 {
			m, err := s.taken.Recv(ctx)
			if err != nil {
				t.Fatal("no heartbeat lists what is returned")
			}
			if got, err := wire.DecodeFromWorker(m[0]); err == nil && got.Heartbeat != nil {
				returned = got.Heartbeat.Returned
			}
		}
		if !slices.Equal(returned, []string{"b", "c"}) {
			t.Errorf("%q are returned", returned)
		}
		if r := s.result(2 * time.Hour); r == nil || r.ID != "a" {
			t.Errorf("the task at work ended as %v", r)
		}
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		if r := s.result(time.Second); r != nil {
			t.Errorf("%s was transformed all the same", r.Filename)
		}
	})
}

func TestCutWorkerSaysNothingAboutWhatItHeld(t *testing.T) {
	onStage(t, nil, func(t *testing.T, s *stage) {
		s.send("a.jpg", "1h", wire.TaskInfo{ID: "a"})
		synctest.Wait()
		s.cut()
		if err := <-s.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		if r := s.result(time.Second); r != nil {
			t.Errorf("it said %+v", r)
		}
	})
}

func TestTroubleOfTheFarmIsAFailureNotARejection(t *testing.T) {
	onStage(t, nil, func(t *testing.T, s *stage) {
		s.send("a.jpg", "broken", wire.TaskInfo{ID: "a"})
		s.send("b.jpg", "fine", wire.TaskInfo{ID: "b", Recipe: "no recipe"})
		for range 2 {
			if r := s.result(time.Minute); r == nil || r.Outcome != outcome.Failed || r.Detail == "" || r.Reason != "" {
				t.Errorf("the result is %+v", r)
			}
		}
	})
}

func TestVariantThatCannotBeMadeIsRefusedBesideTheOthers(t *testing.T) {
	onStage(t, nil, func(t *testing.T, s *stage) {
		both, one := recipetest.Canonical(t, "a=fit:8x8", "b=fit:9x9"), recipetest.Canonical(t, "b=fit:9x9")
		s.send("a.jpg", "wide", wire.TaskInfo{ID: "a", Recipe: both})
		r := s.result(time.Minute)
		if r == nil || r.Outcome != outcome.Done || len(r.Outputs) != 1 || r.Outputs[0].Name != "a_a.jpg" ||
			len(r.Refused) != 1 || r.Refused[0].Variant != "b" || r.Refused[0].Reason != outcome.TooManyPixels {
			t.Errorf("%+v", r)
		}
		// When the others are there from earlier, none is left to make.
		s.send("a.jpg", "wide", wire.TaskInfo{ID: "b", Recipe: both, Only: []string{"b"}})
		r = s.result(time.Minute)
		if r == nil || r.Outcome != outcome.Done || len(r.Outputs) != 0 || len(r.Refused) != 1 ||
			r.Refused[0].Variant != "b" {
			t.Errorf("%+v", r)
		}
		s.send("a.jpg", "wide", wire.TaskInfo{ID: "c", Recipe: one})
		if r = s.result(time.Minute); r == nil || r.Outcome != outcome.Rejected || r.Reason != outcome.TooManyPixels {
			t.Errorf("%+v", r)
		}
	})
}

func TestPlaceIsToldOnlyWhereItIsAskedFor(t *testing.T) {
	onStage(t, nil, func(t *testing.T, s *stage) {
		for _, asked := range []bool{true, false} {
			s.send("a.jpg", "x", wire.TaskInfo{ID: "a", Location: asked})
			r := s.result(time.Minute)
			if r == nil || r.Known == nil || r.Known.Camera != "Ada" || (r.Known.Location != nil) != asked {
				t.Errorf("asked %v: %+v", asked, r)
			}
		}
	})
}

func TestStrangersTaskGetsAnIDFromItsContent(t *testing.T) {
	onStage(t, nil, func(t *testing.T, s *stage) {
		s.send("a.jpg", "x", wire.TaskInfo{})
		s.send("a.jpg", "x", wire.TaskInfo{})
		s.send("a.jpg", "y", wire.TaskInfo{})
		a, b, c := s.result(time.Minute), s.result(time.Minute), s.result(time.Minute)
		if a.ID == "" || a.ID != b.ID || a.ID == c.ID {
			t.Errorf("ids %q, %q, %q", a.ID, b.ID, c.ID)
		}
		if len(a.Outputs) != 3 || a.Outputs[0].Name != "a_thumbnail64.jpg" ||
			string(a.Outputs[0].Data) != "thumbnail64" {
			t.Errorf("outputs %+v", a.Outputs)
		}
	})
}

func TestMessagesThatAreNoTasksArePassedOver(t *testing.T) {
	onStage(t, nil, func(t *testing.T, s *stage) {
		for _, m := range []zsock.Message{{[]byte("nonsense")}, {{0xdd, 0xff, 0xff, 0xff, 0xff}},
			{[]byte("two"), []byte("frames")}} {
			if err := s.tasks.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		s.send("a.jpg", "x", wire.TaskInfo{ID: "a"})
		if r := s.result(time.Minute); r == nil || r.Outcome != outcome.Done {
			t.Errorf("the result is %+v", r)
		}
	})
}

func TestHeartbeatsTellWhatIsHeld(t *testing.T) {
	onStage(t, nil, func(t *testing.T, s *stage) {
		s.send("a.jpg", "10s", wire.TaskInfo{ID: "a"})
		synctest.Wait()
		time.Sleep(3 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var last *wire.Heartbeat
		for {
			m, err := s.taken.Recv(ctx)
			if err != nil {
				break
			}
			if got, err := wire.DecodeFromWorker(m[0]); err == nil && got.Heartbeat != nil {
				last = got.Heartbeat
			}
		}
		if last == nil || last.Worker != "w" || last.Busy != 1 || len(last.Held) != 1 || last.Held[0] != "a" {
			t.Errorf("the last heartbeat is %+v", last)
		}
	})
}

func TestConfigurationIsCheckedInSentences(t *testing.T) {
	good := Config{Name: "w", Ventilators: []string{"x"}, Results: "y", Engine: slow{}}
	for word, spoil := range map[string]func(*Config){
		"name":        func(c *Config) { c.Name = "" },
		"ventilator":  func(c *Config) { c.Ventilators = nil },
		"sink":        func(c *Config) { c.Results = "" },
		"engine":      func(c *Config) { c.Engine = nil },
		"bare":        func(c *Config) { c.Bare = true },
		"slots":       func(c *Config) { c.Slots = -1 },
		"prefetch":    func(c *Config) { c.Slots, c.Prefetch = 4, 3 },
		"max-message": func(c *Config) { c.MaxMessage = -1 },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: error %v", word, err)
		}
	}
}
