package wire

import (
	"hash/crc32"
	"slices"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Result is a worker's report to the sink about one task.
//
//	name                                             the bare form: msgpack str, or the raw UTF-8 bytes
//	[ id str, filename str, outcome str, [Output…], {ResultInfo} ]
//
// The info may be left out, as may the outputs of a task that has none.
type Result struct {
	ID       string // the task's, echoed; empty when the task had none
	Filename string
	Outcome  outcome.Outcome // done, rejected or failed
	Outputs  []Output
	ResultInfo
}

// ResultInfo holds the optional fields of a result.
type ResultInfo struct {
	Reason     outcome.Reason `msgpack:"reason,omitempty"` // of a rejection
	Detail     string         `msgpack:"detail,omitempty"` // a sentence for people
	Worker     string         `msgpack:"worker,omitempty"`
	Run        string         `msgpack:"run,omitempty"`
	Delivery   int            `msgpack:"delivery,omitempty"`
	Recipe     string         `msgpack:"recipe,omitempty"`
	Format     string         `msgpack:"format,omitempty"` // of the input
	Width      int            `msgpack:"width,omitempty"`  // of the input, as displayed, pixels
	Height     int            `msgpack:"height,omitempty"`
	InputBytes int64          `msgpack:"input_bytes,omitempty"`
	Dropped    []string       `msgpack:"dropped,omitempty"` // metadata that no output carries
	// What is wrong with the input though the outputs were made.
	Warnings outcome.Warnings `msgpack:"warnings,omitempty"`
	Refused  []RefusedVariant `msgpack:"refused,omitempty" json:",omitempty"` // variants that could not be made
	// What is known of the input. The sink adds the SHA256, which Input tells.
	Known  *known.Facts `msgpack:"known,omitempty" json:",omitempty"`
	Source string       `msgpack:"source,omitempty"` // the task's, echoed
	// The worker may not open what the task refers to, so that it failed. The next delivery is to have the bytes.
	OutOfReach bool     `msgpack:"out_of_reach,omitempty" json:",omitempty"`
	Stored     bool     `msgpack:"stored,omitempty"` // the worker wrote the outputs where they belong
	Timings    Timings  `msgpack:"timings,omitempty"`
	Only       []string `msgpack:"only,omitempty" json:",omitempty"`    // the task's, echoed by a worker that heeds it
	Input      []byte   `msgpack:"input,omitempty" json:",omitempty"`   // the task's, echoed
	Carried    string   `msgpack:"carried,omitempty" json:",omitempty"` // the task's, echoed
	Ticket     Ticket   `msgpack:"ticket,omitempty" json:",omitempty"`  // the task's, echoed
}

// Timings says how a task's time at the worker was spent, in microseconds.
type Timings struct {
	Waited    int64 `msgpack:"waited,omitempty" json:"waited_us,omitempty"` // received, not yet begun
	Decode    int64 `msgpack:"decode,omitempty" json:"decode_us,omitempty"`
	Transform int64 `msgpack:"transform,omitempty" json:"transform_us,omitempty"`
	Encode    int64 `msgpack:"encode,omitempty" json:"encode_us,omitempty"`
	Write     int64 `msgpack:"write,omitempty" json:"write_us,omitempty"`
	Total     int64 `msgpack:"total,omitempty" json:"total_us,omitempty"` // from its beginning to stored outputs
}

// Normalize makes negative times zero, and Total at least the sum of the stages; a sum beyond MaxTime is MaxTime. Other
// programs' workers may leave Total out.
func (t *Timings) Normalize() {
	var sum int64
	for _, stage := range []*int64{&t.Decode, &t.Transform, &t.Encode, &t.Write} {
		*stage = min(max(*stage, 0), MaxTime)
		sum += *stage
	}
	t.Waited = min(max(t.Waited, 0), MaxTime)
	t.Total = min(max(t.Total, sum), MaxTime)
}

// MaxTime is the longest time in Timings, in microseconds: about a year.
const MaxTime = 1 << 45

// Output is one file that a worker made.
//
//	[ name str, size int, width int, height int, data bin|nil, crc32c int, quality int ]
//
// data is there when the sink is to write it, and absent or nil when the worker has stored it. The checksum and the
// quality may be left out.
type Output struct {
	Name   string
	Size   int64 // bytes
	Width  int   // pixels
	Height int
	Data   []byte // shares the message's memory
	Sum    uint32 // Checksum of the bytes; 0: unknown
	// Quality is the one that quality:auto or max-bytes chose, 1 to 100; 0: the recipe says it, or the format has none.
	Quality int `json:",omitempty"`
}

// Checksum returns the CRC-32C of an output's bytes.
func Checksum(data []byte) uint32 { return UpdateChecksum(0, data) }

// UpdateChecksum returns the Checksum of what sum is that of, followed by data.
func UpdateChecksum(sum uint32, data []byte) uint32 {
	return crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), data)
}

// EncodeMsgpack implements msgpack.CustomEncoder.
func (o *Output) EncodeMsgpack(e *msgpack.Encoder) error {
	n := 4
	switch {
	case o.Quality != 0:
		n = 7
	case o.Sum != 0:
		n = 6
	case o.Data != nil:
		n = 5
	}
	if err := e.EncodeArrayLen(n); err != nil {
		return err
	}
	if err := e.EncodeMulti(o.Name, o.Size, o.Width, o.Height); err != nil {
		return err
	}
	if n > 4 {
		if err := e.EncodeBytes(o.Data); err != nil { // nil when there is none
			return err
		}
	}
	if n > 5 {
		if err := e.EncodeUint(uint64(o.Sum)); err != nil {
			return err
		}
	}
	if n > 6 {
		return e.EncodeInt(int64(o.Quality))
	}
	return nil
}

func (o *Output) decode(b []byte) error {
	parts, err := elements(b, 7)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return malformed("an output without a name")
	}
	if o.Name, err = text(parts[0], "an output's name", MaxName); err != nil {
		return err
	}
	for i, field := range []any{&o.Size, &o.Width, &o.Height} {
		if len(parts) > i+1 && !isNil(parts[i+1]) {
			if err := decode(parts[i+1], field); err != nil {
				return err
			}
		}
	}
	if len(parts) > 4 && !isNil(parts[4]) {
		if o.Data, err = raw(parts[4]); err != nil {
			return err
		}
		o.Size = int64(len(o.Data))
	}
	if len(parts) > 5 && !isNil(parts[5]) {
		if err := decode(parts[5], &o.Sum); err != nil {
			return err
		}
	}
	if len(parts) > 6 && !isNil(parts[6]) {
		if err := decode(parts[6], &o.Quality); err != nil {
			return err
		}
	}
	if o.Quality < 0 || o.Quality > MaxQuality {
		return malformed("output %.80q has a quality of %d, not 0 to %d", o.Name, o.Quality, MaxQuality)
	}
	if o.Size < 0 || o.Width < 0 || o.Height < 0 {
		return malformed("output %.80q has a negative size", o.Name)
	}
	return CheckName(o.Name)
}

// Encode returns r as a message.
func (r *Result) Encode() []byte {
	outputs := make([]*Output, len(r.Outputs))
	// The size is an upper bound: to grow the buffer would copy the outputs once more.
	size := 512 + len(r.ID) + len(r.Filename) + len(r.Detail) + len(r.Worker) + len(r.Run) + len(r.Recipe) +
		len(r.Source) + len(r.Input) + len(r.Carried)
	for _, d := range slices.Concat(r.Dropped, r.Only) {
		size += len(d) + 5
	}
	for _, w := range r.Warnings {
		size += len(w) + 5
	}
	for _, v := range r.Refused {
		size += len(v.Variant) + len(v.Detail) + 100
	}
	if r.Known != nil {
		size += 256
	}
	for i := range r.Outputs {
		outputs[i] = &r.Outputs[i]
		size += len(r.Outputs[i].Data) + len(r.Outputs[i].Name) + 46
	}
	b := make([]byte, 0, size)
	b = append(b, msgpcode.FixedArrayLow|5)
	for _, v := range []any{r.ID, r.Filename, string(r.Outcome), outputs, &r.ResultInfo} {
		b = appendValue(b, v)
	}
	return b
}

// EncodeBareName returns the bare form of a result: the name of one output.
func EncodeBareName(name string) []byte { return marshal(name) }

// FromWorker is a decoded message of a worker: exactly one field is set.
type FromWorker struct {
	Result    *Result
	BareName  string // an output's name, from a worker that knows only the bare form
	Heartbeat *Heartbeat
}

// DecodeFromWorker decodes a message to the sink's results endpoint: a result (an array), a heartbeat (a map), or a
// bare name. A bare name is a msgpack string or, if the message is no msgpack value, the raw UTF-8 bytes of the
// name.
func DecodeFromWorker(b []byte) (FromWorker, error) {
	n, err := walk(b)
	if err != nil || n != len(b) || msgpcode.IsFixedNum(b[0]) {
		if len(b) > MaxName || !utf8.Valid(b) {
			return FromWorker{}, malformed("neither msgpack nor a name")
		}
		name := string(b)
		return FromWorker{BareName: name}, CheckName(name)
	}
	switch c := b[0]; {
	case isArray(c):
		r, err := decodeResult(b)
		return FromWorker{Result: r}, err
	case isMap(c):
		if len(b) > maxHeartbeat {
			return FromWorker{}, malformed("a heartbeat of %d bytes (limit %d)", len(b), maxHeartbeat)
		}
		h := new(Heartbeat)
		if err := decode(b, h); err != nil {
			return FromWorker{}, err
		}
		h.Proof = "" // only the sink says who sent it
		return FromWorker{Heartbeat: h}, h.check()
	case msgpcode.IsString(c) || msgpcode.IsBin(c):
		name, err := text(b, "a name", MaxName)
		if err != nil {
			return FromWorker{}, err
		}
		return FromWorker{BareName: name}, CheckName(name)
	}
	return FromWorker{}, malformed("code %#x is no result", b[0])
}

func decodeResult(b []byte) (*Result, error) {
	parts, err := elements(b, 5)
	if err != nil {
		return nil, err
	}
	if len(parts) < 3 {
		return nil, malformed("a result has an id, a filename and an outcome, this has %d elements", len(parts))
	}
	r := new(Result)
	var word string
	for i, field := range []*string{&r.ID, &r.Filename, &word} {
		if isNil(parts[i]) {
			continue
		}
		limit := []int{MaxID, MaxName, MaxFormat}[i]
		if *field, err = text(parts[i], "id, filename or outcome", limit); err != nil {
			return nil, err
		}
	}
	if err := CheckName(r.Filename); err != nil {
		return nil, err
	}
	if r.Outcome, err = outcome.Parse(word); err != nil {
		return nil, malformed("%v", err)
	}
	if len(parts) > 3 && !isNil(parts[3]) {
		if err := r.decodeOutputs(parts[3]); err != nil {
			return nil, err
		}
	}
	if len(parts) > 4 && !isNil(parts[4]) {
		if len(parts[4]) > maxInfo {
			return nil, malformed("optional fields of %d bytes (limit %d)", len(parts[4]), maxInfo)
		}
		if err := decode(parts[4], &r.ResultInfo); err != nil {
			return nil, err
		}
	}
	return r, r.check()
}

func (r *Result) decodeOutputs(b []byte) error {
	outputs, err := elements(b, MaxOutputs+1)
	if err != nil {
		return err
	}
	if len(outputs) > MaxOutputs {
		return malformed("more than %d outputs", MaxOutputs)
	}
	r.Outputs = make([]Output, len(outputs))
	for i, o := range outputs {
		if err := r.Outputs[i].decode(o); err != nil {
			return err
		}
	}
	return nil
}

func (r *Result) check() error {
	if r.Outcome != outcome.Done && r.Outcome != outcome.Rejected && r.Outcome != outcome.Failed {
		return malformed("a worker cannot settle a task as %q", r.Outcome)
	}
	if r.Outcome == outcome.Rejected {
		if _, err := outcome.ParseReason(string(r.Reason)); err != nil {
			return malformed("%v", err)
		}
	}
	r.Detail = CutText(r.Detail, MaxDetail)
	if len(r.Recipe) > MaxText || len(r.Worker) > MaxWorkerName || len(r.Run) > MaxID || len(r.Reason) > MaxFormat ||
		len(r.Ticket) > MaxTicket || len(r.Input) > MaxInput || len(r.Only) > MaxOutputs {
		return malformed("a text of the result is too long")
	}
	if len(r.Source) > MaxName {
		return malformed("source longer than %d bytes", MaxName)
	}
	if r.Delivery < 0 || r.InputBytes < 0 || r.InputBytes > maxCount {
		return malformed("a result of %d bytes, of delivery %d", r.InputBytes, r.Delivery)
	}
	if _, err := DecodeCarried(r.Carried); err != nil {
		return err
	}
	return checkNotes(r.Dropped, r.Refused, r.Warnings, r.Known)
}
