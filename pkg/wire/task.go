package wire

import (
	"encoding/binary"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Task is one image on its way to a worker.
//
//	[ filename str, data bin ]                       the bare form: a complete task
//	[ filename str, data bin, {TaskInfo} ]           what we send
//
// A receiver ignores elements after the third and keys that it does not know. For the sake of old msgpack packages,
// filename may be a bin and data a str.
type Task struct {
	Filename string // slash-separated, relative: where outputs go, too
	Data     []byte // the encoded image; shares the message's memory
	TaskInfo
}

// TaskInfo is what else is known of a task. All of it is optional.
type TaskInfo struct {
	ID       string `msgpack:"id,omitempty"`       // echoed in the result; without it the farm cannot promise delivery
	Run      string `msgpack:"run,omitempty"`      // the ventilator's batch
	Delivery int    `msgpack:"delivery,omitempty"` // which sending this is, from 1
	Recipe   string `msgpack:"recipe,omitempty"`   // canonical text; without it the worker's default
	Source   string `msgpack:"source,omitempty"`   // where the image's name begins; echoed in the result
}

// TaskBuffer is a task message under construction: Data is the hole in Message into which the image's bytes are read, so
// that they are copied once, from the file to where the socket sends them from.
type TaskBuffer struct {
	Message []byte
	Data    []byte
}

// NewTaskBuffer lays out the message of a task whose image has size bytes (at most 4 GiB − 1) in memory that the function
// returns, of at least as many bytes as it is asked for.
func NewTaskBuffer(memory func(n int) []byte, filename string, size int, info TaskInfo) TaskBuffer {
	var tail []byte
	parts := byte(2)
	if info != (TaskInfo{}) {
		tail, parts = marshal(&info), 3
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
	name, err := raw(parts[0])
	if err != nil {
		return nil, err
	}
	t := &Task{Filename: string(name)}
	if err := CheckName(t.Filename); err != nil {
		return nil, err
	}
	if t.Data, err = raw(parts[1]); err != nil {
		return nil, err
	}
	if len(parts) > 2 && !isNil(parts[2]) {
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
	case t.Delivery < 0:
		return nil, malformed("delivery %d", t.Delivery)
	}
	return t, nil
}
