package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a running sink with a worker's socket and an operator's client.
type stage struct {
	t       *testing.T
	sink    *Sink
	out     string
	push    *zsock.Push
	client  *sinkclient.Client
	network zsock.Network
	events  <-chan wire.Event
	ledger  *ledger.Ledger
	unwatch func()
}

func newStage(t *testing.T) *stage { return newStageWith(t, func(*Config) {}) }

func newStageWith(t *testing.T, edit func(*Config)) *stage {
	t.Helper()
	network := zsock.Network{Inproc: zsock.NewInproc()}
	s := &stage{t: t, out: t.TempDir(), network: network}
	dir, err := blob.OpenDir(s.out, blob.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if s.ledger, err = ledger.Open(filepath.Join(s.out, ".imagefarm", "ledger.db"), ledger.Config{}); err != nil {
		t.Fatal(err)
	}
	listening := make(chan struct{})
	cfg := Config{Results: "inproc://results", Events: "inproc://events", Control: "inproc://control", Network: network,
		LocalControl: "inproc://local-control",
		Out:          dir, Ledger: s.ledger, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Listen: func(string, string, string) { close(listening) }}
	edit(&cfg)
	if s.sink, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	s.events, s.unwatch = s.sink.Watch(1000)
	ended := make(chan error, 1)
	go func() { ended <- s.sink.Run(context.Background()) }()
	<-listening
	if s.push, err = zsock.NewPush(zsock.Config{Network: network}); err != nil {
		t.Fatal(err)
	}
	if err := s.push.Dial("inproc://results"); err != nil {
		t.Fatal(err)
	}
	if s.client, err = sinkclient.Dial(network, "inproc://control"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err := errors.Join(s.push.Close(closing), s.client.Close())
		s.sink.Drain()
		if err := errors.Join(err, <-ended, s.ledger.Close(), dir.Close()); err != nil {
			t.Error(err)
		}
		s.unwatch()
	})
	return s
}

func (s *stage) send(m []byte) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	if err := s.push.Send(ctx, zsock.Message{m}); err != nil {
		s.t.Fatal(err)
	}
}

// await returns the next event of that topic.
func (s *stage) await(topic string) any {
	s.t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case ev := <-s.events:
			if ev.Topic == topic {
				return ev.Payload
			}
		case <-timeout:
			s.t.Fatalf("no %s came", topic)
		}
	}
}

func idOf(n int) string { return taskid.FromMetadata(fmt.Sprint(n), 0, time.Time{}, "").String() }

func done(n int) *wire.Result {
	return &wire.Result{ID: idOf(n), Filename: fmt.Sprintf("d/%d.jpg", n), Outcome: outcome.Done,
		Outputs:    []wire.Output{{Name: fmt.Sprintf("d/%d_x.jpg", n), Width: 1, Height: 1, Data: []byte("pixels")}},
		ResultInfo: wire.ResultInfo{Worker: "w", Run: "r", Delivery: 1}}
}

func TestReceiptComesWhenOutputAndEntryAreThere(t *testing.T) {
	s := newStage(t)
	s.send(done(1).Encode())
	r := s.await(wire.TopicTaskDone).(*wire.Receipt)
	if r.ID != idOf(1) || r.Duplicate {
		t.Errorf("%+v", r)
	}
	b, err := os.ReadFile(filepath.Join(s.out, "d", "1_x.jpg"))
	if err != nil || string(b) != "pixels" {
		t.Errorf("the output is %q, %v", b, err)
	}
	id, _ := taskid.Parse(r.ID)
	if e, ok, err := s.ledger.Lookup(id); !ok || err != nil || e.Outputs[0].Size != 6 {
		t.Errorf("the entry is %+v, %v, %v", e, ok, err)
	}
}

func TestLedgerKeepsNotesSourceAndChecksums(t *testing.T) {
	s := newStage(t)
	written, stored := done(1), done(2)
	written.Dropped, written.Source = []string{"exif", "icc"}, "/photos"
	written.Warnings = outcome.Warnings{"it ends at row 17", "it has a hole"}
	written.Refused = []wire.RefusedVariant{{Variant: "hero", Reason: outcome.TooManyPixels, Detail: "it is too wide"}}
	written.Known = &known.Facts{
		SHA256: bytes.Repeat([]byte{7}, known.DigestSize), Camera: "Ada EOS 1", Captured: "2024-05-17T12:30:45",
		Color:    "000000",
		Location: &known.Location{Latitude: -33.8, Longitude: 151.2}, ThumbHash: []byte{1, 2, 3, 4, 5},
	}
	written.Outputs[0].Sum = 1 // of other bytes than came
	stored.Stored, stored.Outputs[0].Data, stored.Outputs[0].Sum = true, nil, 7
	for _, r := range []*wire.Result{written, stored} {
		s.send(r.Encode())
		s.await(wire.TopicTaskDone)
	}
	page, err := s.client.Entries(t.Context(), wire.EntriesArgs{})
	if err != nil || len(page.Entries) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	for _, e := range page.Entries {
		switch e.ID {
		case idOf(1):
			if !slices.Equal(e.Dropped, written.Dropped) || !slices.Equal(e.Warnings, written.Warnings) ||
				e.Source != "/photos" ||
				e.Outputs[0].Sum != wire.Checksum([]byte("pixels")) {
				t.Errorf("%+v", e)
			}
			if !slices.Equal(e.Refused, written.Refused) {
				t.Errorf("refused variants: %+v", e.Refused)
			}
			want := *written.Known
			want.SHA256 = nil // no run has hashed it
			if !reflect.DeepEqual(e.Known, &want) {
				t.Errorf("it knows %+v, not %+v", e.Known, want)
			}
		default:
			if e.Dropped != nil || e.Warnings != nil || e.Outputs[0].Sum != 7 {
				t.Errorf("%+v", e)
			}
		}
	}
}

func TestSecondResultOfARunIsADuplicateAndSaysWhatTheFirstWas(t *testing.T) {
	s := newStage(t)
	s.send(done(1).Encode())
	s.await(wire.TopicTaskDone)
	late := &wire.Result{ID: idOf(1), Filename: "d/1.jpg", Outcome: outcome.Rejected,
		ResultInfo: wire.ResultInfo{Run: "r", Reason: outcome.Corrupt}}
	s.send(late.Encode())
	r := s.await(wire.TopicTaskDone).(*wire.Receipt)
	if !r.Duplicate || r.Outcome != outcome.Done {
		t.Errorf("%+v", r)
	}
	status, err := s.client.Status(t.Context())
	if err != nil || status.Done != 1 || status.Duplicates != 1 || status.Settled != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestHostileMessagesAreCountedAndPassedOver(t *testing.T) {
	s := newStage(t)
	for _, m := range [][]byte{{0xdd, 0xff, 0xff, 0xff, 0xff}, bytes.Repeat([]byte{0x91}, 1<<18), {0xff, 0xfe}, {0xc0},
		[]byte("../../etc/passwd"),
		(&wire.Result{ID: "x", Filename: "a", Outcome: outcome.Done, Outputs: []wire.Output{{Name: "../a",
			Data: []byte("x")}}}).Encode()} {
		s.send(m)
	}
	s.send(done(1).Encode())
	s.await(wire.TopicTaskDone)
	if status, err := s.client.Status(t.Context()); err != nil || status.Malformed != 6 || status.Done != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestOutputIntoTheHiddenDirectoryIsAFailureOfThatTaskAlone(t *testing.T) {
	s := newStage(t)
	bad := done(1)
	bad.Outputs[0].Name = ".imagefarm/ledger.db"
	s.send(bad.Encode())
	if r := s.await(wire.TopicTaskFailed).(*wire.Receipt); r.Detail == "" {
		t.Errorf("%+v", r)
	}
	s.send(done(2).Encode())
	s.await(wire.TopicTaskDone)
}

func TestObstructedOutputIsARejectionAtTheFirstTry(t *testing.T) {
	s := newStage(t)
	r := done(1)
	if err := os.MkdirAll(filepath.Join(s.out, filepath.FromSlash(r.Outputs[0].Name)), 0o755); err != nil {
		t.Fatal(err)
	}
	s.send(r.Encode())
	got := s.await(wire.TopicTaskRejected).(*wire.Receipt)
	if got.Reason != outcome.Obstructed || !strings.Contains(got.Detail, "has that name") ||
		strings.Contains(got.Detail, blob.OwnDir) || len(got.Outputs) > 0 {
		t.Errorf("%+v", got)
	}
	s.send(done(2).Encode())
	s.await(wire.TopicTaskDone)
}

func TestVentilatorsOwnWordIsCommittedWithinItsBounds(t *testing.T) {
	s := newStage(t)
	dead := wire.Receipt{ID: idOf(1), Run: "r", Filename: "a.jpg", Outcome: outcome.Dead, Detail: "no luck",
		At: time.Now()}
	got, err := s.client.Settle(t.Context(), []wire.Receipt{dead})
	if err != nil || len(got) != 1 || got[0].Outcome != outcome.Dead {
		t.Errorf("%+v, %v", got, err)
	}
	for name, r := range map[string]wire.Receipt{
		"done without a worker": {ID: idOf(2), Filename: "a.jpg", Outcome: outcome.Done},
		"no id":                 {ID: "x", Filename: "a.jpg", Outcome: outcome.Dead},
		"a name that leads out": {ID: idOf(2), Filename: "../a.jpg", Outcome: outcome.Dead},
		"an unknown reason":     {ID: idOf(2), Filename: "a.jpg", Outcome: outcome.Rejected, Reason: "ugly"},
	} {
		var refused *sinkclient.RefusedError
		if _, err := s.client.Settle(t.Context(), []wire.Receipt{r}); !errors.As(err, &refused) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestOutputsThatAreGoneMakeATaskDueAgain(t *testing.T) {
	s := newStage(t)
	s.send(done(1).Encode())
	s.await(wire.TopicTaskDone)
	id, _ := taskid.Parse(idOf(1))
	ask := func(present bool) int {
		t.Helper()
		got, err := s.client.Settled(t.Context(), []taskid.ID{id}, present)
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Receipts)
	}
	if ask(true) != 1 {
		t.Error("it is there")
	}
	if err := os.Remove(filepath.Join(s.out, "d", "1_x.jpg")); err != nil {
		t.Fatal(err)
	}
	if ask(true) != 0 || ask(false) != 1 {
		t.Error("it is gone, though settled")
	}
}

func TestLedgerIsReadPageByPageAndRetried(t *testing.T) {
	s := newStage(t)
	const n = 25
	for i := range n {
		r := done(i)
		if i%5 == 0 {
			r.Outcome, r.Outputs, r.Reason = outcome.Rejected, nil, outcome.Truncated
		}
		s.send(r.Encode())
	}
	for settled := 0; settled < n; {
		switch ev := <-s.events; ev.Topic {
		case wire.TopicTaskDone, wire.TopicTaskRejected:
			settled++
		}
	}
	seen := map[string]bool{}
	for args := (wire.EntriesArgs{Limit: 7}); ; {
		page, err := s.client.Entries(t.Context(), args)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			seen[e.ID] = true
		}
		if page.Next == "" {
			break
		}
		args.After = page.Next
	}
	if len(seen) != n {
		t.Errorf("%d of %d entries in pages", len(seen), n)
	}
	retried, err := s.client.Retry(t.Context(), wire.EntriesArgs{Reasons: []outcome.Reason{outcome.Truncated}})
	if err != nil || retried != 5 {
		t.Errorf("%d retried, %v", retried, err)
	}
	if page, err := s.client.Entries(t.Context(),
		wire.EntriesArgs{Outcomes: []outcome.Outcome{outcome.Rejected}}); err != nil || len(page.Entries) != 0 {
		t.Errorf("still rejected: %+v, %v", page, err)
	}
}

func TestWorkersAreSeenAndLost(t *testing.T) {
	s := newStage(t)
	s.send((&wire.Heartbeat{Worker: "silent", Slots: 1}).Encode())
	if seen := s.await(wire.TopicWorkerSeen).(*wire.WorkerEvent); seen.Worker != "silent" {
		t.Errorf("%+v", seen)
	}
	if lost := s.await(wire.TopicWorkerLost).(*wire.WorkerEvent); lost.Worker != "silent" || lost.Why == "" {
		t.Errorf("%+v", lost)
	}
}

func TestRunsAreSteered(t *testing.T) {
	s := newStage(t)
	run := &wire.Run{ID: "r", State: "running", Started: time.Now(), Found: 3}
	if got, err := s.client.TellRun(t.Context(), run); err != nil || got.State != "running" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.client.Steer(t.Context(), "", "paused"); err != nil {
		t.Error(err)
	}
	if got, err := s.client.TellRun(t.Context(), run); err != nil || got.State != "paused" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.client.Steer(t.Context(), "another", "paused"); err == nil ||
		!strings.Contains(err.Error(), "no such run") {
		t.Errorf("error %v", err)
	}
	run.State, run.Ended = "finished", time.Now()
	if _, err := s.client.TellRun(t.Context(), run); err != nil {
		t.Error(err)
	}
	runs, err := s.client.Runs(t.Context())
	if err != nil || len(runs) != 1 || runs[0].State != "finished" || runs[0].Found != 3 {
		t.Errorf("%+v, %v", runs, err)
	}
}

func TestSlowWatcherIsToldWhatItMissed(t *testing.T) {
	var ws watchers
	s := &Sink{core: &core{}}
	events, unwatch := s.Watch(2)
	for range 5 {
		s.watchers.send("x", nil)
	}
	<-events
	<-events
	s.watchers.send("y", nil)
	if ev := <-events; ev.Topic != wire.TopicMissed || ev.Payload.(*wire.Missed).Count != 3 {
		t.Errorf("%+v", ev)
	}
	if ev := <-events; ev.Topic != "y" {
		t.Errorf("%+v", ev)
	}
	unwatch()
	if _, open := <-events; open {
		t.Error("the watch goes on")
	}
	ws.send("nobody listens", nil)
}
