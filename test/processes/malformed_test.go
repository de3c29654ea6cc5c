//go:build unix

package processes

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// attacks are messages that no well-behaved peer sends. None may hurt whoever gets it.
func attacks() map[string][][]byte {
	one := func(b ...byte) [][]byte { return [][]byte{b} }
	big := func(code byte, n uint32, rest ...byte) [][]byte {
		return [][]byte{append(binary.BigEndian.AppendUint32([]byte{code}, n), rest...)}
	}
	bare := func(name string) [][]byte { return [][]byte{wire.EncodeBareName(name)} }
	result := func(r *wire.Result) [][]byte { return [][]byte{r.Encode()} }
	picture := wire.Output{Name: "../../escaped.jpg", Size: 3, Data: []byte("bad")}
	return map[string][][]byte{
		"nothing at all":               {{}},
		"two frames":                   {wire.EncodeBareName("a.jpg"), wire.EncodeBareName("b.jpg")},
		"an array of 4 billion":        big(0xdd, 1<<32-1),
		"a map of 4 billion":           big(0xdf, 1<<32-1),
		"a string of 4 GB":             big(0xdb, 1<<32-1, 'x'),
		"a binary of 4 GB":             big(0xc6, 1<<32-1, 'x'),
		"an extension of 4 GB":         big(0xc9, 1<<32-1, 1),
		"arrays a million deep":        {bytes.Repeat([]byte{0x91}, 1<<20)},
		"maps a million deep":          {bytes.Repeat([]byte{0x81}, 1<<20)},
		"a million nils":               {append(big(0xdd, 1<<20)[0], bytes.Repeat([]byte{0xc0}, 1<<20)...)},
		"a byte that begins nothing":   one(0xc1),
		"half an array":                one(0x95, 0xa1),
		"an integer":                   one(0x07),
		"neither msgpack nor a name":   one(0xff, 0xfe, 0x00, 0x80),
		"an array of nothing":          one(0x90),
		"an array of nils":             one(0x95, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0),
		"numbers where texts belong":   one(0x95, 1, 2, 3, 4, 5),
		"an empty map":                 one(0x80),
		"a megabyte of noise":          {bytes.Repeat([]byte{0xd9, 0x00, 0x93, 0xc7}, 1<<18)},
		"a name that leads upwards":    bare("../../etc/passwd"),
		"an absolute name":             bare("/etc/passwd"),
		"a name of control characters": bare("a\x00b\x1b[2J.jpg"),
		"a name of a megabyte":         bare(strings.Repeat("a", 1<<20)),
		"an output that leads upwards": result(&wire.Result{ID: "x", Filename: "a.jpg", Outcome: outcome.Done,
			Outputs: []wire.Output{picture}}),
		"a result that nobody may tell": result(&wire.Result{ID: "x", Filename: "a.jpg", Outcome: outcome.Dead}),
		"a rejection without a reason":  result(&wire.Result{ID: "x", Filename: "a.jpg", Outcome: outcome.Rejected}),
		"a worker of negative slots":    {(&wire.Heartbeat{Worker: "w", Slots: -1}).Encode()},
	}
}

// peak is the most memory, in bytes, that a process has had resident.
func peak(t *testing.T, p *farmtest.Process) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// mustStaySmall fails when the process has ever used more memory than a farm of small images needs.
func mustStaySmall(t *testing.T, p *farmtest.Process) {
	t.Helper()
	p.MustLive()
	if n, most := peak(t, p), int64(300<<20); n > most {
		t.Errorf("%s used %d MiB", p.Name, n>>20)
	}
}

func TestMalformedMessagesHarmNobody(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 20
	dir := album(t, n)
	sink := f.StartSink()
	sink.Await("collecting")
	worker := f.StartWorker("w1")
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()

	// To the results endpoint.
	push, err := zsock.NewPush(zsock.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := push.Dial(f.Results); err != nil {
		t.Fatal(err)
	}
	for name, attack := range attacks() {
		if err := push.Send(ctx, attack); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if err := push.Close(ctx); err != nil {
		t.Fatal(err)
	}
	f.awaitMalformed(len(attacks()))
	sink.Await("dropped a malformed message") // the first ones; the log is limited
	mustStaySmall(t, sink)

	// To the control endpoint, each answered with an error, and so the next, good one is answered.
	for name, attack := range attacks() {
		f.refuse(ctx, name, attack)
	}
	for _, op := range []string{wire.OpSettled, wire.OpSettle, wire.OpRun, wire.OpSteer, wire.OpEntries, wire.OpRetry,
		"shutdown"} {
		for name, args := range map[string]any{"no arguments": nil, "arguments of another call": &wire.BareName{Name: "x"}} {
			if op == wire.OpEntries || op == wire.OpRetry || op == wire.OpSettled || op == wire.OpSettle {
				continue // all of whose arguments are optional
			}
			f.refuse(ctx, op+" with "+name, [][]byte{wire.EncodeRequest(op, args)})
		}
	}
	f.refuse(ctx, "settled with an id that is none", [][]byte{wire.EncodeRequest(wire.OpSettled,
		&wire.SettledArgs{IDs: []string{"../x"}})})
	f.refuse(ctx, "settled with too many ids", [][]byte{wire.EncodeRequest(wire.OpSettled,
		&wire.SettledArgs{IDs: make([]string, wire.MaxBatch+1)})})
	f.refuse(ctx, "settle as done", [][]byte{wire.EncodeRequest(wire.OpSettle, &wire.Receipts{Receipts: []wire.Receipt{
		{ID: strings.Repeat("0", 32), Filename: "a.jpg", Outcome: outcome.Done}}})})

	// From a hostile ventilator to a worker.
	hostile, err := zsock.NewPush(zsock.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hostile.Listen(f.Tasks); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for name, attack := range attacks() {
		if err := hostile.Send(ctx, attack); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sent++
	}
	tasks := map[string]*wire.Task{
		"a recipe that is none": {Filename: "a.jpg", Data: picture(t, 1), TaskInfo: wire.TaskInfo{ID: "x",
			Recipe: "a=swirl:9"}},
		"a recipe of a megapixel": {Filename: "a.jpg", Data: picture(t, 1), TaskInfo: wire.TaskInfo{ID: "x",
			Recipe: "a=force:1000000x1000000"}},
		"a recipe without end": {Filename: "a.jpg", Data: picture(t, 1), TaskInfo: wire.TaskInfo{ID: "x",
			Recipe: strings.Repeat("a=fit:1x1;", 6000)}},
		"a name without a stem": {Filename: ".jpg", Data: picture(t, 1), TaskInfo: wire.TaskInfo{ID: "x"}},
	}
	for name, task := range tasks {
		if err := hostile.Send(ctx, zsock.Message{task.Encode()}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	awaitMetric(t, worker, "imagefarm_worker_malformed_messages_total", float64(sent))
	awaitMetric(t, worker, "imagefarm_worker_tasks_total", float64(len(tasks)))
	if err := hostile.Close(ctx); err != nil {
		t.Fatal(err)
	}

	// And then a run as if nothing had been.
	ventilator := f.StartVentilator(dir)
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustStaySmall(t, worker)
	mustStaySmall(t, sink)
	for _, escaped := range []string{filepath.Dir(f.Out), filepath.Dir(filepath.Dir(f.Out)), f.Out} {
		if _, err := os.Stat(filepath.Join(escaped, "escaped.jpg")); err == nil {
			t.Errorf("an output was written to %s", escaped)
		}
	}
}

// refuse sends a control request that must be answered with an error, or not at all but with the next one answered.
func (f *farm) refuse(ctx context.Context, name string, request [][]byte) {
	f.t.Helper()
	req, err := zsock.NewReq(zsock.Config{})
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = req.Close(ctx) }()
	if err := req.Dial(f.Control); err != nil {
		f.t.Fatal(err)
	}
	answer, err := req.Do(ctx, request)
	if zsock.Message(request).Size() > wire.MaxRequest { // the sink reads no further, and drops the peer
		if !errors.Is(err, zsock.ErrPeerLost) {
			f.t.Errorf("%s: answered with %q, %v; it is too large to be read", name, answer, err)
		}
		return
	}
	if err != nil {
		f.t.Errorf("%s: %v", name, err)
		return
	}
	reply, err := wire.DecodeReply(answer[0])
	if err != nil || reply.Error == "" {
		f.t.Errorf("%s: answered with %+v, %v", name, reply, err)
	}
}

// A libzmq peer breaks nothing that ours could not.
func TestMalformedMessagesFromLibzmqHarmNobody(t *testing.T) {
	t.Parallel()
	needPython(t)
	f, n := newFarm(t), 5
	sink := f.StartSink()
	sink.Await("collecting")
	var messages []string
	for _, attack := range attacks() {
		var frames []string
		for _, frame := range attack {
			frames = append(frames, hex.EncodeToString(frame))
		}
		messages = append(messages, strings.Join(frames, ","))
	}
	list := filepath.Join(t.TempDir(), "attacks")
	write(t, list, []byte(strings.Join(messages, "\n")+"\n"))
	startPython(t, "hostile.py", filepath.Join("testdata", "hostile.py"), f.Results, f.Control, f.Events, list).MustExit(0)
	f.awaitMalformed(len(messages))
	f.StartWorker("w1")
	ventilator := f.StartVentilator(album(t, n))
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustStaySmall(t, sink)
}
