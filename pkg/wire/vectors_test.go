package wire_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

var update = flag.Bool("update", false, "rewrite testdata/wire/vectors.json")

const vectorsFile = "../../testdata/wire/vectors.json"

// vector is one message, byte by byte. Canonical ones are exactly what we send; the others must be understood, too.
type vector struct {
	Name      string `json:"name"`
	Place     string `json:"place"` // "task", "from-worker", "event", "request", "reply"
	Canonical bool   `json:"canonical"`
	Hex       string `json:"hex"`
	Means     any    `json:"means"`
}

// decodeAt decodes what stands at a place; the name of an event's vector begins with its topic.
func decodeAt(name, place string, b []byte) (any, error) {
	switch place {
	case "task":
		return wire.DecodeTask(b)
	case "from-worker":
		return wire.DecodeFromWorker(b)
	case "event":
		if strings.HasPrefix(name, "event "+wire.TopicTaskAnswered) {
			a := new(wire.Answered)
			return a, wire.DecodePayload(b, a)
		}
		if strings.HasPrefix(name, "event "+wire.TopicWorkerHeartbeat) {
			h := new(wire.Heartbeat)
			return h, wire.DecodePayload(b, h)
		}
		r := new(wire.Receipt)
		return r, wire.DecodePayload(b, r)
	case "request":
		return wire.DecodeRequest(b)
	case "reply":
		return wire.DecodeReply(b)
	}
	panic(place)
}

// bytesUpTo returns the bytes 0, 1, … n-1, as a key that others can type.
func bytesUpTo(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func vectors() []vector {
	const id = "00112233445566778899aabbccddeeff"
	at := time.Date(2024, 5, 17, 12, 30, 45, 123456000, time.UTC)
	pixel := []byte("GIF89a")
	task := &wire.Task{Filename: "holiday/beach.jpg", Data: []byte{0xff, 0xd8, 0xff}}
	full := &wire.Task{Filename: "holiday/beach.jpg", Data: []byte{0xff, 0xd8, 0xff}, TaskInfo: wire.TaskInfo{
		ID: id, Run: "r1", Delivery: 2, Recipe: "thumbnail64=fit:64x64", Source: "/photos"}}
	done := &wire.Result{ID: id, Filename: "a.gif", Outcome: outcome.Done,
		Outputs: []wire.Output{{Name: "a_thumbnail64.gif", Size: 6, Width: 64, Height: 48, Data: pixel}},
		ResultInfo: wire.ResultInfo{Worker: "w1", Run: "r1", Delivery: 1, Format: "gif", Width: 640, Height: 480,
			InputBytes: 1234, Timings: wire.Timings{Decode: 1500, Total: 2500}}}
	stored := &wire.Result{ID: id, Filename: "a.gif", Outcome: outcome.Done,
		Outputs:    []wire.Output{{Name: "a_thumbnail64.gif", Size: 6, Width: 64, Height: 48}},
		ResultInfo: wire.ResultInfo{Worker: "w1", Stored: true}}
	summed := &wire.Result{ID: id, Filename: "a.gif", Outcome: outcome.Done,
		Outputs: []wire.Output{
			{Name: "a_thumbnail64.gif", Size: 6, Width: 64, Height: 48, Data: pixel, Sum: wire.Checksum(pixel)},
			{Name: "a_web.gif", Size: 6, Width: 640, Height: 480, Sum: wire.Checksum(pixel)},
		},
		ResultInfo: wire.ResultInfo{Worker: "w1", Source: "/photos", Dropped: []string{"exif"}}}
	chosen := *summed
	chosen.Outputs = slices.Clone(summed.Outputs)
	chosen.Outputs[1].Quality = 78
	noted := *stored
	noted.Warnings = outcome.Warnings{"the file ends within row 7 of 480: what is missing is black or transparent"}
	lacking := *stored
	lacking.Refused = []wire.RefusedVariant{{Variant: "hero", Reason: outcome.TooManyPixels, Detail: "it is too wide"}}
	facts := &known.Facts{
		Captured: "2024-05-17T12:30:45+02:00", Camera: "Ada EOS 1", Color: "c86432", ThumbHash: bytesUpTo(5),
		Location: &known.Location{Latitude: -33.875, Longitude: 151.25},
	}
	described := *stored
	described.Known = facts
	rejected := &wire.Result{ID: id, Filename: "a.gif", Outcome: outcome.Rejected,
		ResultInfo: wire.ResultInfo{Reason: outcome.Truncated, Detail: "unexpected EOF", Worker: "w1"}}
	beat := &wire.Heartbeat{Worker: "w1", Slots: 2, Busy: 1, Held: []string{id}, Done: 7, IdleUS: 1000, UpUS: 9000}
	receipt := wire.Receipt{ID: id, Run: "r1", Filename: "a.gif", Outcome: outcome.Done, Worker: "w1", Delivery: 1,
		Outputs: []wire.OutputInfo{{Name: "a_thumbnail64.gif", Size: 6, Width: 64, Height: 48}}, Bytes: 1234, At: at}
	taken := receipt
	taken.Known = new(known.Facts)
	*taken.Known = *facts
	taken.Known.SHA256 = bytesUpTo(known.DigestSize)
	tried := receipt
	tried.Outputs = []wire.OutputInfo{{Name: "a_web.gif", Size: 6, Width: 640, Height: 480, Quality: 78}}
	warned := receipt
	warned.Dropped, warned.Warnings = []string{"exif"}, noted.Warnings
	failed := wire.Receipt{ID: id, Run: "r1", Filename: "a.gif", Outcome: outcome.Failed, Detail: "no disk", Worker: "w1",
		Delivery: 2, At: at}
	runKey := bytesUpTo(wire.RunKeySize)
	worker := wire.WorkerIdentity{Name: "w1", Slots: 2, Prefetch: 6, Token: hex.EncodeToString(bytesUpTo(16))}
	ticket := wire.NewTickets(wire.TicketKey(runKey)).Of(
		wire.TicketOf{ID: id, Filename: "a.gif", Recipe: "thumbnail64=fit:64x64", Delivery: 1, Proof: worker.Proof()})
	ticketed := &wire.Task{Filename: "a.gif", Data: pixel, TaskInfo: wire.TaskInfo{
		ID: id, Run: "r1", Delivery: 1, Recipe: "thumbnail64=fit:64x64", Ticket: ticket}}
	input := taskid.InputOfMetadata("a.gif", 6, at)
	partial := wire.TaskInfo{ID: input.ID("a=gray;b=fit:64x64").String(), Run: "r1", Delivery: 1,
		Recipe: "a=gray;b=fit:64x64", Only: []string{"b"}, Input: []byte(input)}
	partly := &wire.Result{ID: partial.ID, Filename: "a.gif", Outcome: outcome.Done,
		Outputs: []wire.Output{{Name: "a_b.gif", Size: 6, Width: 64, Height: 48, Data: pixel}},
		ResultInfo: wire.ResultInfo{Worker: "w1", Run: "r1", Recipe: partial.Recipe, Only: partial.Only,
			Input: partial.Input}}
	answer := &wire.Result{ID: id, Filename: "a.gif", Outcome: outcome.Failed,
		ResultInfo: wire.ResultInfo{Worker: "w1", Run: "r1", Delivery: 1, Recipe: "thumbnail64=fit:64x64", Ticket: ticket}}
	proven := *beat
	proven.Proof = worker.Proof()
	bytes := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			panic(err)
		}
		return b
	}
	all := []struct {
		name, place string
		canonical   bool
		b           []byte
	}{
		{"task, bare", "task", true, task.Encode()},
		{"task, all that we send", "task", true, full.Encode()},
		{"task of an old msgpack: name and data are both of the raw type", "task", false,
			bytes("92" + "a5612e6a7067" + "a3ffd8ff")},
		{"task with an unknown key and an unknown tail", "task", false, bytes("94" + "a5612e6a7067" + "c403ffd8ff" +
			"82a26964a178a3666f6f01" + "c0")},
		{"result, bare name, msgpack str", "from-worker", true, wire.EncodeBareName("a_thumbnail64.gif")},
		{"result, bare name, raw bytes", "from-worker", false, []byte("a_thumbnail64.gif")},
		{"result, done, with the outputs' bytes", "from-worker", true, done.Encode()},
		{"result, done, outputs stored by the worker", "from-worker", true, stored.Encode()},
		{"result, done, with checksums, a source and dropped metadata", "from-worker", true, summed.Encode()},
		{"result, done, with a chosen quality", "from-worker", true, chosen.Encode()},
		{"result, done, with warnings", "from-worker", true, noted.Encode()},
		{"result, done without one of its variants", "from-worker", true, lacking.Encode()},
		{"result, done, with what is known of the image", "from-worker", true, described.Encode()},
		{"task that asks for the place", "task", true, (&wire.Task{Filename: "a.gif", Data: pixel,
			TaskInfo: wire.TaskInfo{ID: id, Location: true}}).Encode()},
		{"result, rejected", "from-worker", true, rejected.Encode()},
		{"result of a stranger that echoes the id and names its output", "from-worker", false,
			bytes("94" + "a178" + "a5612e6a7067" + "a4646f6e65" + "91" + "91" + "a7615f742e6a7067")},
		{"heartbeat", "from-worker", true, beat.Encode()},
		{"event task.done, second frame", "event", true, wire.EncodeEvent(wire.TopicTaskDone, &receipt)[1]},
		{"event task.done with a chosen quality, second frame", "event", true,
			wire.EncodeEvent(wire.TopicTaskDone, &tried)[1]},
		{"event task.done with warnings, second frame", "event", true, wire.EncodeEvent(wire.TopicTaskDone, &warned)[1]},
		{"event task.done with what is known of the image, second frame", "event", true,
			wire.EncodeEvent(wire.TopicTaskDone, &taken)[1]},
		{"event task.answered, second frame", "event", true,
			wire.EncodeEvent(wire.TopicTaskAnswered, &wire.Answered{ID: id, Worker: "w1", Instance: "89abcdef"})[1]},
		{"task with a ticket", "task", true, ticketed.Encode()},
		{"result with a ticket", "from-worker", true, answer.Encode()},
		{"task that names the variants to make", "task", true,
			(&wire.Task{Filename: "a.gif", Data: pixel, TaskInfo: partial}).Encode()},
		{"task that refers to its image", "task", true, (&wire.Task{Filename: "a.gif", TaskInfo: wire.TaskInfo{
			ID: id, Run: "r1", Delivery: 1, Recipe: "thumbnail64=fit:64x64", Ticket: ticket, Reference: &wire.Reference{
				At: "/photos/a.gif", Size: 6, Modified: at}}}).Encode()},
		{"result with the variants that were to be made", "from-worker", true, partly.Encode()},
		{"request variants", "request", true, wire.EncodeRequest(wire.OpVariants, &wire.VariantsArgs{
			Recipe: partial.Recipe, Images: []wire.VariantsOf{{Filename: "a.gif", Source: "/photos", Input: partial.Input}},
			Run: "r1", Key: runKey})},
		{"reply to variants", "reply", true,
			wire.EncodeReply(&wire.Variants{Known: []wire.KnownVariants{{Names: []string{"a"}}}})},
		{"event worker.alive, second frame", "event", true, wire.EncodeEvent(wire.TopicWorkerHeartbeat, &proven)[1]},
		{"request run, with the key of the run", "request", true, wire.EncodeRequest(wire.OpRun,
			&wire.RunReport{Run: wire.Run{ID: "r1", State: outcome.Running, Started: at, Total: 3}, Key: runKey})},
		{"request settle, with the key of the run", "request", true, wire.EncodeRequest(wire.OpSettle,
			&wire.Receipts{Receipts: []wire.Receipt{failed}, Key: runKey})},
		{"request status", "request", true, wire.EncodeRequest(wire.OpStatus, nil)},
		{"request settled", "request", true, wire.EncodeRequest(wire.OpSettled,
			&wire.SettledArgs{IDs: []string{id}, Present: true})},
		{"reply to settled", "reply", true, wire.EncodeReply(&wire.Receipts{Receipts: []wire.Receipt{receipt}})},
		{"reply to settled, with a failed delivery and the sink's instance", "reply", true,
			wire.EncodeReply(&wire.Receipts{Receipts: []wire.Receipt{}, Failed: []wire.Receipt{failed}, Instance: "89abcdef"})},
		{"reply that refuses", "reply", true, wire.EncodeError(wire.ErrMalformed)},
	}
	var vs []vector
	for _, a := range all {
		means, err := decodeAt(a.name, a.place, a.b)
		if err != nil {
			panic(a.name + ": " + err.Error())
		}
		vs = append(vs, vector{Name: a.name, Place: a.place, Canonical: a.canonical, Hex: hex.EncodeToString(a.b),
			Means: means})
	}
	return vs
}

// The vectors are the wire's memory: a change of this file is a change of the protocol.
func TestMessagesAreTheVectorsByteForByte(t *testing.T) {
	got, err := json.MarshalIndent(vectors(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(vectorsFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the messages are not those of %s; go test ./pkg/wire -update shows the difference in git", vectorsFile)
	}
}

func TestVectorsDecodeToWhatTheyMean(t *testing.T) {
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(b, &vs); err != nil {
		t.Fatal(err)
	}
	for _, v := range vs {
		message, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeAt(v.Name, v.Place, message)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		asJSON, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var generic any
		if err := json.Unmarshal(asJSON, &generic); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(generic, v.Means) {
			t.Errorf("%s: got %v, want %v", v.Name, generic, v.Means)
		}
	}
}

func mustHex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}
