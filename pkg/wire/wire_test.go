package wire_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// bombs are messages that hurt a decoder which believes what they announce.
func bombs() map[string][]byte {
	return map[string][]byte{
		"array of 2^32-1": {0xdd, 0xff, 0xff, 0xff, 0xff},
		"map of 2^32-1":   {0xdf, 0xff, 0xff, 0xff, 0xff},
		"binary of 4 GiB": {0xc6, 0xff, 0xff, 0xff, 0xff, 1},
		"string of 4 GiB": {0xdb, 0xff, 0xff, 0xff, 0xff, 1},
		"nested arrays":   bytes.Repeat([]byte{0x91}, 1<<20),
		"nested maps":     bytes.Repeat([]byte{0x81, 0xa0}, 1<<20),
		"deep inside the task's info": append([]byte{0x93, 0xa1, 'a', 0xc4, 0},
			append([]byte{0x81, 0xa1, 'x'}, bytes.Repeat([]byte{0x91}, 1<<20)...)...),
		"a million nils":   append([]byte{0xdd, 0, 0x10, 0, 0}, bytes.Repeat([]byte{0xc0}, 1<<20)...),
		"never used code":  {0xc1},
		"ends in a length": {0xda, 0x01},
		"empty":            {},
		"extension":        {0xc7, 0xff, 0x01},
	}
}

func TestBombsAreRefusedWithoutBelievingThem(t *testing.T) {
	for name, b := range bombs() {
		allocated := testing.AllocsPerRun(1, func() {
			if _, err := wire.DecodeTask(b); !errors.Is(err, wire.ErrMalformed) {
				t.Errorf("%s as a task: error %v", name, err)
			}
			if _, err := wire.DecodeFromWorker(b); err == nil {
				t.Errorf("%s was taken as a worker's message", name)
			}
			if _, err := wire.DecodeRequest(b); !errors.Is(err, wire.ErrMalformed) {
				t.Errorf("%s as a request: error %v", name, err)
			}
		})
		if allocated > 100 {
			t.Errorf("%s cost %v allocations", name, allocated)
		}
	}
}

func TestNamesThatLeadAwayAreRefused(t *testing.T) {
	for _, name := range []string{"", "/etc/passwd", "../a.jpg", "a/../../b", "a//b", "./a", ".", "..", "a/", "a\x00b",
		"a\nb", "\xff\xfe", strings.Repeat("x", wire.MaxName+1)} {
		if wire.CheckName(name) == nil {
			t.Errorf("%q passes as a name", name)
		}
		task := wire.Task{Filename: name, Data: []byte{1}}
		if _, err := wire.DecodeTask(task.Encode()); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("a task named %q: error %v", name, err)
		}
		result := wire.Result{ID: "x", Filename: "a", Outcome: outcome.Done, Outputs: []wire.Output{{Name: name}}}
		if _, err := wire.DecodeFromWorker(result.Encode()); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("an output named %q: error %v", name, err)
		}
	}
	for _, name := range []string{"a", "a/b.jpg", "..a", "ü/ñ.jpg", "a b"} {
		if err := wire.CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestTaskSharesTheMessagesMemory(t *testing.T) {
	for _, size := range []int{0, 1, 255, 256, 65535, 65536, 1 << 20} {
		buf := wire.NewTaskBuffer(func(n int) []byte { return make([]byte, n+1) }, "a.jpg", size, wire.TaskInfo{ID: "x"})
		if len(buf.Data) != size {
			t.Fatalf("%d bytes of room for %d", len(buf.Data), size)
		}
		for i := range buf.Data {
			buf.Data[i] = byte(i)
		}
		got, err := wire.DecodeTask(buf.Message)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Data, buf.Data) || size > 0 && &got.Data[0] != &buf.Data[0] {
			t.Errorf("size %d: the data were copied or changed", size)
		}
		reference, err := msgpack.Marshal([]any{"a.jpg", buf.Data, map[string]any{"id": "x"}})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(reference, buf.Message) {
			t.Errorf("size %d: the layout is not what msgpack makes", size)
		}
	}
}

func TestWhoKnowsNoIdentityIsAStranger(t *testing.T) {
	w := wire.WorkerIdentity{Name: "host name=1", Slots: 3, Prefetch: 8}
	if got, ok := wire.ParseWorkerIdentity(w.String()); !ok || got != w {
		t.Errorf("%q came back as %+v, %v", w, got, ok)
	}
	for _, s := range []string{"", "x", "imagefarm/1 ", "imagefarm/1 slots=1 name=x",
		"imagefarm/1 slots=0 prefetch=1 name=x",
		"imagefarm/1 slots=1 prefetch=99999999 name=x", "imagefarm/2 slots=1 prefetch=1 name=x",
		"imagefarm/1 slots=1 prefetch=2 name="} {
		if w, ok := wire.ParseWorkerIdentity(s); ok {
			t.Errorf("%q passes as %+v", s, w)
		}
	}
}

func TestRejectionNeedsAKnownReason(t *testing.T) {
	r := wire.Result{ID: "x", Filename: "a", Outcome: outcome.Rejected, ResultInfo: wire.ResultInfo{Reason: "ugly"}}
	if _, err := wire.DecodeFromWorker(r.Encode()); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("error %v", err)
	}
	r = wire.Result{ID: "x", Filename: "a", Outcome: outcome.Dead}
	if _, err := wire.DecodeFromWorker(r.Encode()); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("a worker buried a task: error %v", err)
	}
}

func FuzzTask(f *testing.F) {
	for _, v := range vectors() {
		f.Add(mustHex(v.Hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		task, err := wire.DecodeTask(b)
		if err != nil {
			if task != nil {
				t.Error("a task came with an error")
			}
			return
		}
		again, err := wire.DecodeTask(task.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if again.Filename != task.Filename || !bytes.Equal(again.Data, task.Data) ||
			!reflect.DeepEqual(again.TaskInfo, task.TaskInfo) {
			t.Errorf("%+v came back as %+v", task, again)
		}
	})
}

func FuzzFromWorker(f *testing.F) {
	for _, v := range vectors() {
		f.Add(mustHex(v.Hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := wire.DecodeFromWorker(b)
		if err != nil {
			return
		}
		switch {
		case m.Result != nil:
			again, err := wire.DecodeFromWorker(m.Result.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(normal(again.Result), normal(m.Result)) {
				t.Errorf("%+v came back as %+v", m.Result, again.Result)
			}
		case m.Heartbeat != nil:
			if _, err := wire.DecodeFromWorker(m.Heartbeat.Encode()); err != nil {
				t.Fatal(err)
			}
		default:
			if wire.CheckName(m.BareName) != nil {
				t.Errorf("the bare name %q is none", m.BareName)
			}
		}
	})
}

// normal makes absent and empty lists the same.
func normal(r *wire.Result) *wire.Result {
	c := *r
	if len(c.Outputs) == 0 {
		c.Outputs = nil
	}
	if len(c.Dropped) == 0 {
		c.Dropped = nil
	}
	if len(c.Warnings) == 0 {
		c.Warnings = nil
	}
	for i := range c.Outputs {
		if len(c.Outputs[i].Data) == 0 {
			c.Outputs[i].Data = nil
		}
	}
	return &c
}

func FuzzControl(f *testing.F) {
	for _, v := range vectors() {
		f.Add(mustHex(v.Hex))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := wire.DecodeRequest(b); err == nil {
			for _, v := range []any{new(wire.SettledArgs), new(wire.Receipts), new(wire.Run), new(wire.EntriesArgs),
				new(wire.Steering)} {
				_ = wire.DecodeRaw(r.Args, v) // any error is fine, no panic is
			}
		}
		_, _ = wire.DecodeReply(b)
		_ = wire.DecodePayload(b, new(wire.Receipt))
	})
}

// A result's message is made in one piece of memory: to grow would copy all outputs once more.
func TestResultIsEncodedWithoutGrowing(t *testing.T) {
	long := strings.Repeat("x", 255)
	r := wire.Result{
		ID: long[:wire.MaxID], Filename: strings.Repeat("y", wire.MaxName), Outcome: outcome.Done,
		ResultInfo: wire.ResultInfo{
			Reason: outcome.TooLarge, Detail: strings.Repeat("z",
				wire.MaxText), Worker: long, Run: long[:wire.MaxID], Delivery: math.MaxInt,
			Recipe: strings.Repeat("r", wire.MaxText), Format: long[:64], Width: math.MaxInt32, Height: math.MaxInt32,
			InputBytes: math.MaxInt64, Dropped: slices.Repeat([]string{long[:64]}, 64), Stored: true,
			Warnings: slices.Repeat(outcome.Warnings{long[:outcome.MaxWarning-1]}, outcome.MaxWarnings),
			Timings:  wire.Timings{math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64},
		},
	}
	for range wire.MaxOutputs {
		r.Outputs = append(r.Outputs, wire.Output{Name: strings.Repeat("o", wire.MaxName), Size: 70_000, Width: 1 << 30,
			Height: 1 << 30, Data: make([]byte, 70_000)})
	}
	encoded := r.Encode()
	if spare := cap(encoded) - len(encoded); spare > 32<<10 {
		t.Errorf("%d bytes of the message's memory are spare: it has grown", spare)
	}
}

func TestAnswerWithAsManyRunsAsMayBeCanBeDecoded(t *testing.T) {
	run := wire.Run{
		ID: "r", State: "finished", Inputs: []string{"a", "b",
			"c"}, Recipe: "r", Host: "h", Started: time.Now(), Ended: time.Now(),
		Total: 1, Found: 1, Done: 1, WorkUS: 1, Waiting: "w",
	}
	reply, err := wire.DecodeReply(wire.EncodeReply(&wire.Runs{Runs: slices.Repeat([]wire.Run{run}, wire.MaxRuns)}))
	var runs wire.Runs
	if err == nil {
		err = wire.DecodeRaw(reply.Value, &runs)
	}
	if err != nil || len(runs.Runs) != wire.MaxRuns {
		t.Errorf("%d runs, error %v", len(runs.Runs), err)
	}
}

func TestTotalIsNeverLessThanTheStages(t *testing.T) {
	for _, c := range []struct{ got, want wire.Timings }{
		{wire.Timings{Decode: 1107, Transform: 471, Encode: 292, Write: 460, Total: 68},
			wire.Timings{Decode: 1107, Transform: 471, Encode: 292, Write: 460, Total: 2330}},
		{wire.Timings{Waited: 9000, Decode: 5, Total: 7}, wire.Timings{Waited: 9000, Decode: 5, Total: 7}},
		{wire.Timings{Waited: -1, Decode: -1, Write: 3}, wire.Timings{Write: 3, Total: 3}},
		{wire.Timings{Decode: math.MaxInt64, Encode: math.MaxInt64},
			wire.Timings{Decode: wire.MaxTime, Encode: wire.MaxTime, Total: wire.MaxTime}},
	} {
		if c.got.Normalize(); c.got != c.want {
			t.Errorf("%+v, want %+v", c.got, c.want)
		}
	}
}
