package wire

import (
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Topics of events. The most general word comes first, so that a subscription to a prefix selects a whole family. An
// event has two frames: the topic and the payload, a msgpack map. Events may be lost: whatever matters can be asked
// for over control.
const (
	TopicTask            = "task."         // prefix: what became of one delivery; a Receipt
	TopicTaskAnswered    = "task.answered" // the sink has a result, not yet committed; an Answered
	TopicTaskDone        = "task.done"     // settled, committed
	TopicTaskRejected    = "task.rejected" // settled, committed
	TopicTaskDead        = "task.dead"     // settled, committed
	TopicTaskFailed      = "task.failed"   // not settled: it will be delivered again
	TopicOutput          = "output.named"  // a stranger's bare result; a BareName
	TopicWorkerSeen      = "worker.seen"   // a WorkerEvent
	TopicWorkerLost      = "worker.lost"   // a WorkerEvent
	TopicWorkerHeartbeat = "worker.alive"  // a Heartbeat
	TopicRunStarted      = "run.started"   // a Run
	TopicRunProgress     = "run.progress"  // a Run
	TopicRunFinished     = "run.finished"  // a Run
	TopicThroughput      = "throughput"    // a Throughput, each second
	TopicSink            = "sink."         // prefix: sink.started, sink.stopping
	TopicMissed          = "events.missed" // a Missed, in place of events that a slow subscriber lost
	TopicSinkStarted     = "sink.started"  // a SinkEvent
	TopicSinkStopping    = "sink.stopping" // a SinkEvent
	TopicRunState        = "run.state"     // an operator paused, resumed or cancelled a run; a Steering
)

// Event is an event for listeners in the sink's own process: the topic and a pointer to its payload, which they must
// not change.
type Event struct {
	Topic   string
	Payload any
}

// TaskTopic returns the topic of a receipt with outcome o.
func TaskTopic(o outcome.Outcome) string { return TopicTask + string(o) }

// Receipt is the sink's acknowledgement of a result. With a settled outcome it is sent only after the ledger's commit.
type Receipt struct {
	ID       string          `msgpack:"id" json:"id"`
	Run      string          `msgpack:"run,omitempty" json:"run,omitempty"`
	Filename string          `msgpack:"filename" json:"filename"`
	Outcome  outcome.Outcome `msgpack:"outcome" json:"outcome"`
	Reason   outcome.Reason  `msgpack:"reason,omitempty" json:"reason,omitempty"`
	Detail   string          `msgpack:"detail,omitempty" json:"detail,omitempty"`
	Worker   string          `msgpack:"worker,omitempty" json:"worker,omitempty"`
	Delivery int             `msgpack:"delivery,omitempty" json:"delivery,omitempty"`
	// OutOfReach says that the delivery failed because the worker may not open what the task refers to.
	OutOfReach bool `msgpack:"out_of_reach,omitempty" json:"out_of_reach,omitempty"`
	// It was settled before this result came
	Duplicate bool `msgpack:"duplicate,omitempty" json:"duplicate,omitempty"`
	Stranger  bool `msgpack:"stranger,omitempty" json:"stranger,omitempty"` // of a worker that cannot echo ids
	// Unproven says that the result had no ticket. Only receipts in events tell it.
	Unproven bool         `msgpack:"unproven,omitempty" json:"unproven,omitempty"`
	Outputs  []OutputInfo `msgpack:"outputs,omitempty" json:"outputs,omitempty"`
	Bytes    int64        `msgpack:"bytes,omitempty" json:"bytes,omitempty"` // of the input
	// Acknowledged says that an operator knows of the rejection. Answers of the ledger about single tasks and about the
	// rejected and dead tell it.
	Acknowledged bool     `msgpack:"acknowledged,omitempty" json:"acknowledged,omitempty"`
	Dropped      []string `msgpack:"dropped,omitempty" json:"dropped,omitempty"` // metadata that no output carries
	// What is wrong with the input though the outputs were made.
	Warnings outcome.Warnings `msgpack:"warnings,omitempty" json:"warnings,omitempty"`
	// Variants that could not be made of the image, while the outputs were.
	Refused []RefusedVariant `msgpack:"refused,omitempty" json:"refused,omitempty"`
	Known   *known.Facts     `msgpack:"known,omitempty" json:"known,omitempty"`   // what is known of the input
	Source  string           `msgpack:"source,omitempty" json:"source,omitempty"` // where the input's name begins
	URL     string           `msgpack:"url,omitempty" json:"url,omitempty"`       // Carried.URL
	// What the list that names the image says of it.
	Columns map[string]string `msgpack:"columns,omitempty" json:"columns,omitempty"`
	Timings Timings           `msgpack:"timings" json:"timings"`
	At      time.Time         `msgpack:"at" json:"at"`
}

// Unmade reports whether all outputs were made for earlier tasks of the image, so that this one was no work.
func (r *Receipt) Unmade() bool {
	made := slices.ContainsFunc(r.Outputs, func(o OutputInfo) bool { return !o.Earlier })
	return len(r.Outputs) > 0 && !made && len(r.Refused) == 0 // to find out that a variant cannot be made is work
}

// Answered says that the sink has received a worker's result. The worker may be given another task before the
// receipt comes.
type Answered struct {
	ID       string `msgpack:"id" json:"id"`
	Worker   string `msgpack:"worker" json:"worker"`
	Instance string `msgpack:"instance,omitempty" json:"instance,omitempty"` // of the sink that has the result
}

// OutputInfo is an output without its bytes.
type OutputInfo struct {
	Name   string `msgpack:"name" json:"name"`
	Size   int64  `msgpack:"size" json:"size"`
	Width  int    `msgpack:"width,omitempty" json:"width,omitempty"`
	Height int    `msgpack:"height,omitempty" json:"height,omitempty"`
	Sum    uint32 `msgpack:"crc32c,omitempty" json:"crc32c,omitempty"` // Checksum of the bytes; 0: unknown
	// Quality is the one that quality:auto or max-bytes chose, 1 to 100; 0: the recipe says it, or the format has none.
	Quality int `msgpack:"quality,omitempty" json:"quality,omitempty"`
	// Superseded says that a later entry has an output of that name. Only pages that were asked for it tell it.
	Superseded bool `msgpack:"superseded,omitempty" json:"superseded,omitempty"`
	// Earlier says that the output was made for an earlier task of the same image, by the same variant.
	Earlier bool `msgpack:"earlier,omitempty" json:"earlier,omitempty"`
	// Shard is the name of the shard that the output is in, and Offset that of its first byte there. Only pages of the
	// ledger tell it; empty: the output is a file of its own.
	Shard  string `msgpack:"shard,omitempty" json:"shard,omitempty"`
	Offset int64  `msgpack:"offset,omitempty" json:"offset,omitempty"`
	// OpenAt says where the shard may be if it is not published: HOST:DIRECTORY. Empty: it is published, or unknown.
	OpenAt string `msgpack:"open_at,omitempty" json:"open_at,omitempty"`
}

// BareName is a stranger's bare result, as an event. It belongs to the leased task that was to make an output of
// that name.
type BareName struct {
	Name string `msgpack:"name" json:"name"`
}

// WorkerEvent says that a worker came or went.
type WorkerEvent struct {
	Worker string `msgpack:"worker" json:"worker"`
	Why    string `msgpack:"why,omitempty" json:"why,omitempty"`
}

// Throughput counts the work of the last second, and of all time since the sink started.
type Throughput struct {
	ImagesPerSecond float64   `msgpack:"images_per_second" json:"images_per_second"`
	BytesPerSecond  float64   `msgpack:"bytes_per_second" json:"bytes_per_second"` // of input
	Done            uint64    `msgpack:"done" json:"done"`
	Rejected        uint64    `msgpack:"rejected" json:"rejected"`
	Dead            uint64    `msgpack:"dead" json:"dead"`
	Workers         int       `msgpack:"workers" json:"workers"`
	At              time.Time `msgpack:"at" json:"at"`
}

// SinkEvent says that a sink started or stops. Instance differs each time it starts.
type SinkEvent struct {
	Instance string `msgpack:"instance" json:"instance"`
}

// Missed says how many events a subscriber missed because it was too slow.
type Missed struct {
	Count uint64 `msgpack:"count" json:"count"`
}

// Steering is an operator's word about a run.
type Steering struct {
	Run   string           `msgpack:"run" json:"run"`
	State outcome.RunState `msgpack:"state" json:"state"` // running, paused or cancelled
	// Workers, in the reply to a ventilator, is how many workers the sink hears from.
	Workers int `msgpack:"workers,omitempty" json:"workers,omitempty"`
	// Instance, in the reply to a ventilator, differs each time the sink starts.
	Instance string `msgpack:"instance,omitempty" json:"instance,omitempty"`
	// Trouble, in the reply to a ventilator, says what keeps the sink from its work: its disk is full, or hangs. As
	// long as results cannot be committed, and heartbeats may lie unread behind them, no task is to be taken for lost.
	Trouble string `msgpack:"trouble,omitempty" json:"trouble,omitempty"`
}

// EncodeEvent returns the frames of an event; payload is one of the types above, by pointer or value.
func EncodeEvent(topic string, payload any) [][]byte {
	return [][]byte{[]byte(topic), marshal(payload)}
}

// DecodeEvent splits an event's frames into topic and payload; decode the payload with DecodePayload.
func DecodeEvent(frames [][]byte) (topic string, payload []byte, err error) {
	if len(frames) != 2 {
		return "", nil, malformed("an event has 2 frames, this has %d", len(frames))
	}
	if len(frames[0]) > 255 {
		return "", nil, malformed("a topic of %d bytes", len(frames[0]))
	}
	return string(frames[0]), frames[1], nil
}

// DecodePayload decodes an event's payload into v, a pointer to the topic's type or to a map[string]any.
func DecodePayload(payload []byte, v any) error { return unmarshal(payload, v) }
