package wire

import (
	"encoding/binary"
	"time"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Task is one image for a worker to transform.
//
//	[ filename str, data bin ]                       the bare form: a complete task
//	[ filename str, data bin, {TaskInfo} ]           what we send
//
// A receiver ignores elements after the third and unknown keys. Old msgpack packages may send filename as bin and
// data as str.
type Task struct {
	Filename string // slash-separated and relative; outputs go to the same directory
	Data     []byte // the encoded image; shares the message's memory
	TaskInfo
}

// TaskInfo holds the optional fields of a task.
type TaskInfo struct {
	ID       string `msgpack:"id,omitempty"`       // echoed in the result; delivery is promised by it
	Run      string `msgpack:"run,omitempty"`      // the ventilator's batch
	Delivery int    `msgpack:"delivery,omitempty"` // which sending this is, from 1
	Recipe   string `msgpack:"recipe,omitempty"`   // canonical text; without it the worker's default
	Source   string `msgpack:"source,omitempty"`   // where the image's name begins; echoed in the result
	// Only names the variants to make, because earlier outputs stand for the others. Empty: all. A worker that makes these
	// alone echoes Only and Input; one that does not know Only makes all.
	Only []string `msgpack:"only,omitempty" json:",omitempty"`
	// Input is a taskid.Input, whose ID with Recipe is the ID. It is there with Only, and when it tells the content of the
	// image; a worker that knows it echoes it.
	Input []byte `msgpack:"input,omitempty" json:",omitempty"`
	// Location asks the worker to tell where the image was taken.
	Location bool `msgpack:"location,omitempty" json:",omitempty"`
	// Carried is a text of Carried.Encode; echoed in the result.
	Carried string `msgpack:"carried,omitempty" json:",omitempty"`
	// Reference says where the image is, and the task has no data. Only a worker that announced WorkerIdentity.References
	// gets one.
	Reference *Reference `msgpack:"reference,omitempty" json:",omitempty"`
	Ticket    Ticket     `msgpack:"ticket,omitempty" json:",omitempty"` // echoed in the result; last, for SealTask
}

// Reference says where an image is.
type Reference struct {
	At       string    `msgpack:"at"`                 // an absolute path, s3://BUCKET/KEY or a URL
	Size     int64     `msgpack:"size,omitempty"`     // bytes; 0: unknown
	Modified time.Time `msgpack:"modified,omitempty"` // of a file
	ETag     string    `msgpack:"etag,omitempty"`     // of an object, or of an image on a web server
}

// TaskBuffer is a task message under construction. The image's bytes are read into Data, which is a part of Message,
// so that they are copied only once, from the file.
type TaskBuffer struct {
	Message []byte
	Data    []byte
}

// NewTaskBuffer lays out the message of a task whose image has size bytes, at most 4 GiB − 1. memory returns at
// least n bytes for the message.
func NewTaskBuffer(memory func(n int) []byte, filename string, size int, info TaskInfo) TaskBuffer {
	tail, parts := marshal(&info), byte(3)
	if len(tail) == 1 { // an empty map
		tail, parts = nil, 2
	}
	name := marshal(filename)
	head := make([]byte, 0, 1+len(name)+5)
	head = append(head, msgpcode.FixedArrayLow|parts)
	head = append(head, name...)
	head = appendBinHeader(head, size)
	n := len(head) + size + len(tail)
	message := memory(n)[:n]
	copy(message, head)
	copy(message[len(head)+size:], tail)
	return TaskBuffer{Message: message, Data: message[len(head) : len(head)+size : len(head)+size]}
}

func appendBinHeader(b []byte, size int) []byte {
	switch {
	case size < 1<<8:
		return append(b, msgpcode.Bin8, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, msgpcode.Bin16), uint16(size))
	default:
		return binary.BigEndian.AppendUint32(append(b, msgpcode.Bin32), uint32(size))
	}
}

// Encode returns t as a message.
func (t *Task) Encode() []byte {
	buf := NewTaskBuffer(func(n int) []byte { return make([]byte, n) }, t.Filename, len(t.Data), t.TaskInfo)
	copy(buf.Data, t.Data)
	return buf.Message
}

// DecodeTask decodes a task. Its Data shares b's memory.
func DecodeTask(b []byte) (*Task, error) {
	parts, err := elements(b, 3)
	if err != nil {
		return nil, err
	}
	if len(parts) < 2 {
		return nil, malformed("a task has a filename and data, this has %d elements", len(parts))
	}
	t := new(Task)
	if t.Filename, err = text(parts[0], "a filename", MaxName); err != nil {
		return nil, err
	}
	if err := CheckName(t.Filename); err != nil {
		return nil, err
	}
	if t.Data, err = raw(parts[1]); err != nil {
		return nil, err
	}
	if len(parts) > 2 && !isNil(parts[2]) {
		if len(parts[2]) > maxInfo {
			return nil, malformed("optional fields of %d bytes (limit %d)", len(parts[2]), maxInfo)
		}
		if err := decode(parts[2], &t.TaskInfo); err != nil {
			return nil, err
		}
	}
	switch {
	case len(t.ID) > MaxID || len(t.Run) > MaxID:
		return nil, malformed("id or run longer than %d bytes", MaxID)
	case len(t.Recipe) > MaxText:
		return nil, malformed("recipe longer than %d bytes", MaxText)
	case len(t.Source) > MaxName:
		return nil, malformed("source longer than %d bytes", MaxName)
	case len(t.Only) > MaxOutputs || len(t.Input) > MaxInput:
		return nil, malformed("%d variants, at most %d, or an input of %d bytes", len(t.Only), MaxOutputs, len(t.Input))
	case len(t.Carried) > MaxCarried:
		return nil, malformed("what is carried has %d bytes (limit %d)", len(t.Carried), MaxCarried)
	case t.Reference != nil && (len(t.Reference.At) > MaxReference || len(t.Reference.ETag) > MaxReference ||
		t.Reference.Size < 0 || len(t.Data) > 0):
		return nil, malformed("a reference beside data, of a negative size, or with a text longer than %d bytes",
			MaxReference)
	case len(t.Ticket) > MaxTicket:
		return nil, malformed("a ticket of %d bytes", len(t.Ticket))
	case t.Delivery < 0:
		return nil, malformed("delivery %d", t.Delivery)
	}
	return t, nil
}
