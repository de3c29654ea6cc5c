//go:build linux

package hostile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// album makes n small images in a directory.
func album(t testing.TB, n int) string {
	t.Helper()
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 300, 200)), nil); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.jpg", i)), picture.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// dial returns a socket that pushes to the sink's results endpoint with that identity.
func dial(t testing.TB, f *farmtest.Farm, identity string) *zsock.Push {
	t.Helper()
	push, err := zsock.NewPush(zsock.Config{Identity: identity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = push.Close(ctx) // what the sink no longer reads is lost
	})
	if err := push.Dial(f.Results); err != nil {
		t.Fatal(err)
	}
	return push
}

func send(t testing.TB, push *zsock.Push, messages ...[]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	for _, m := range messages {
		if err := push.Send(ctx, zsock.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
}

// sendByMany sends n messages as a stranger, a hundred by each connection: so many heartbeats of one are admitted at
// once.
func sendByMany(t testing.TB, f *farmtest.Farm, n int, message func(i int) []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	for i := 0; i < n; {
		push := dial(t, f, "")
		for end := min(n, i+100); i < end; i++ {
			send(t, push, message(i))
		}
		if err := push.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// attacker sends by a new connection whenever the sink has slowed the old one down so much that its queue is full.
type attacker struct {
	farm     *farmtest.Farm
	identity string
	push     *zsock.Push
}

func (a *attacker) send(t *testing.T, messages ...[]byte) {
	t.Helper()
	for _, m := range messages {
		if a.push == nil {
			a.push = dial(t, a.farm, a.identity)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		err := a.push.Send(ctx, zsock.Message{m})
		if cancel(); errors.Is(err, context.DeadlineExceeded) {
			_ = a.push.Close(ctx) // what it holds is lost
			a.push = nil
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// impostor is the identity of somebody who calls himself w1.
func impostor() string {
	return wire.WorkerIdentity{Name: "w1", Slots: 1, Prefetch: 4, Token: wire.NewToken()}.String()
}

// forgedResults are what a liar makes of a task whose id and file name he knows.
func forgedResults(id, run, filename string, delivery int) [][]byte {
	r := wire.Result{ID: id, Filename: filename, Outcome: outcome.Done,
		ResultInfo: wire.ResultInfo{Worker: "w1", Run: run, Delivery: delivery, Recipe: recipe.Default().String()}}
	for _, name := range recipe.Default().OutputNames(filename) {
		r.Outputs = append(r.Outputs, wire.Output{Name: name, Width: 1, Height: 1, Data: []byte("forged")})
	}
	bare, failed, rejected := r, r, r
	bare.Recipe, bare.Run, bare.Outputs = "", "", []wire.Output{{Name: "victim.txt", Data: []byte("forged")}}
	failed.Outcome, failed.Outputs = outcome.Failed, nil
	rejected.Outcome, rejected.Outputs, rejected.Reason = outcome.Rejected, nil, outcome.Corrupt
	ticketed := r
	ticketed.Ticket = wire.BlankTicket()
	all := [][]byte{r.Encode(), bare.Encode(), failed.Encode(), rejected.Encode(), ticketed.Encode()}
	for _, name := range recipe.Default().OutputNames(filename) {
		all = append(all, wire.EncodeBareName(name))
	}
	return all
}

// mustHaveNoForgery checks that no output below dir has the content that an attacker sent.
func mustHaveNoForgery(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if string(b) == "forged" {
			t.Errorf("%s is forged", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// mustBeUnharmed checks that a run ended as if nobody had attacked it: n images done by w1 at the first delivery.
func mustBeUnharmed(t *testing.T, f *farmtest.Farm, n int) {
	t.Helper()
	page, err := f.Client().Entries(context.Background(), wire.EntriesArgs{})
	if err != nil || len(page.Entries) != n {
		t.Fatalf("%d of %d entries, %v", len(page.Entries), n, err)
	}
	for _, e := range page.Entries {
		if e.Outcome != outcome.Done || e.Worker != "w1" || e.Delivery != 1 || e.Stranger || len(e.Outputs) != 3 {
			t.Errorf("the ledger says %+v", e)
		}
	}
	mustHaveNoForgery(t, f.Out)
}

// Found: forged results overwrote thumbnails and turned done into rejected, forged failures made twelve dead letters
// in two seconds, and one forged heartbeat kept all tasks from w1.
func TestForgedResultsAndHeartbeatsChangeNothing(t *testing.T) {
	const n = 900
	f := farmtest.New(t, programs, t.TempDir())
	f.StartSink("--allow-strangers=false")
	f.StartWorker("w1")
	sub, err := zsock.NewSub(zsock.Config{MaxMessage: wire.MaxEvent})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Close(context.Background()) }()
	if err := errors.Join(sub.Subscribe(""), sub.Dial(f.Events)); err != nil {
		t.Fatal(err)
	}
	stranger, liar := attacker{farm: f}, attacker{farm: f, identity: impostor()}
	drain := (&wire.Heartbeat{Worker: "w1", Slots: 1, Draining: true}).Encode()
	mustAnswer(t, f)
	ventilator := f.StartVentilator("--allow-strangers=false", "--run", "r", album(t, n))
	for attacks := 0; ; {
		stranger.send(t, drain)
		liar.send(t, drain)
		ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
		frames, err := sub.Recv(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		topic, payload, err := wire.DecodeEvent(frames)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		switch topic {
		case wire.TopicWorkerHeartbeat:
			var h wire.Heartbeat
			if err := wire.DecodePayload(payload, &h); err != nil {
				t.Fatal(err)
			}
			ids = h.Held
		case wire.TopicTaskDone:
			var r wire.Receipt
			if err := wire.DecodePayload(payload, &r); err != nil {
				t.Fatal(err)
			}
			ids = []string{r.ID}
		}
		for _, id := range ids {
			for i := range 3 {
				forged := forgedResults(id, "r", fmt.Sprintf("%03d.jpg", attacks%n), 1+i)
				stranger.send(t, forged...)
				liar.send(t, forged...)
				attacks++
			}
		}
		if topic == wire.TopicRunFinished {
			t.Logf("%d attacks", attacks)
			break
		}
	}
	ventilator.MustExit(0)
	mustBeUnharmed(t, f, n)
	if s := f.Status(); s.Refused < 100 || s.Failed+s.Rejected+s.Dead > 0 {
		t.Errorf("%d refused, %d failed, %d rejected, %d dead", s.Refused, s.Failed, s.Rejected, s.Dead)
	}
}

// A worker knows the tickets of its own tasks, and whoever overhears it knows them, too.
func TestTicketsCannotBeUsedAgainOrForAnythingElse(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	f.StartSink("--allow-strangers=false")
	mustAnswer(t, f)
	me := wire.WorkerIdentity{Name: "w1", Slots: 1, Prefetch: 4, Token: wire.NewToken()}
	pull, err := zsock.NewPull(zsock.Config{Identity: me.String()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pull.Close(context.Background()) }()
	mine, stranger, liar := dial(t, f, me.String()), dial(t, f, ""), dial(t, f, impostor())
	ventilator := f.StartVentilator("--allow-strangers=false", album(t, 3))
	if err := pull.Dial(f.Tasks); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	var right [][]byte
	for range 3 {
		m, err := pull.Recv(ctx)
		if err != nil {
			t.Fatal(err)
		}
		task, err := wire.DecodeTask(m[0])
		if err != nil {
			t.Fatal(err)
		}
		answer := func(data string) *wire.Result { return answerTo(task, "w1", data) }
		overheard := answer("forged").Encode()
		send(t, stranger, overheard)
		send(t, liar, overheard)
		for _, change := range []func(*wire.Result){
			func(r *wire.Result) { r.ID = strings.Repeat("7", 32) },
			func(r *wire.Result) { r.Filename = "victim.jpg" },
			func(r *wire.Result) { r.Delivery++ },
			func(r *wire.Result) { r.Recipe += ";x=fit:1x1" },
			func(r *wire.Result) { r.Outputs[0].Name = "victim.txt" },
		} {
			forged := answer("forged")
			change(forged)
			send(t, mine, forged.Encode())
		}
		right = append(right, answer("right").Encode())
		send(t, mine, right[len(right)-1], overheard) // the second is a replay with other outputs
	}
	ventilator.MustExit(0)
	send(t, mine, right...)
	mustBeUnharmed(t, f, 3)
	if s := f.Status(); s.Refused < 21 {
		t.Errorf("%d messages are refused, not 21", s.Refused)
	}
}

func TestRunsAndSettlementsOfOthersAreRefused(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	if err := os.WriteFile(filepath.Join(f.Out, "private.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.StartSink() // strangers are admitted
	mustAnswer(t, f)
	owner, thief := f.Client(), f.Client()
	key := wire.NewRunKey()
	owner.UseRunKey(key)
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	run := wire.Run{ID: "r", State: outcome.Running, Started: time.Now(), Recipe: recipe.Default().String()}
	if _, err := owner.TellRun(ctx, &run); err != nil {
		t.Fatal(err)
	}
	settle := func(c *sinkclient.Client, output string) error {
		r := wire.Receipt{ID: strings.Repeat("7", 32), Run: "r", Filename: "a.jpg", Outcome: outcome.Done,
			Stranger: true,
			Outputs:  []wire.OutputInfo{{Name: output}}}
		_, err := c.Settle(ctx, []wire.Receipt{r})
		return err
	}
	mustRefuse := func(what string, err error) {
		t.Helper()
		var refused *sinkclient.RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, other := range [][]byte{nil, wire.NewRunKey()} {
		thief.UseRunKey(other)
		mustRefuse("a thief settles", settle(thief, "a_thumbnail64.jpg"))
		stolen := run
		stolen.State, stolen.Ended = outcome.Finished, time.Now()
		_, err := thief.TellRun(ctx, &stolen)
		mustRefuse("a thief ends the run", err)
	}
	for _, output := range []string{"../victim.txt", "a\nb.jpg", "private.txt", ".imagefarm/ledger.db"} {
		mustRefuse(output, settle(owner, output))
	}
	if err := settle(owner, "a_thumbnail64.jpg"); err != nil {
		t.Error(err)
	}
}
