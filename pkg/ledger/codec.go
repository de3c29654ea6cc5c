package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// An entry is stored as
//
//	form    1 byte    1
//	id      16 bytes
//	fields  each: tag (uvarint: number*2 + kind), then
//	          kind 0: a uvarint
//	          kind 1: a length (uvarint) and that many bytes
//	crc     4 bytes   CRC-32C of all before, little-endian
//
// A field that is zero is left out, and a reader skips numbers that it does not know, so that fields can be added. A
// text that many entries share (run, worker, recipe, format, reason) is kept once, in the bucket of words, and stored
// as its number: kind 0. One that is not among the words is stored itself: kind 1.
//
// An output is one field of bytes: how many bytes its name shares with the name before it (the previous output's, or
// the file name), the length of the rest, the rest, size, width, height, the checksum (4 bytes, little-endian) and
// flags (1 byte). Flags that are 0 are left out, and so is a checksum of 0 before none. Timings are one field of
// bytes too: uvarints in the order of the struct, microseconds. What follows in either is ignored.
const entryForm = 1

const (
	kindNumber = 0
	kindBytes  = 1
)

const (
	fieldFilename = iota + 1
	fieldRun
	fieldOutcome
	fieldReason
	fieldDetail
	fieldOutput
	fieldWorker
	fieldDeliveries
	fieldRecipe
	fieldInputSize
	fieldInputFormat
	fieldInputWidth
	fieldInputHeight
	fieldTimings
	fieldSettled // microseconds since 1970, zigzag
	fieldStranger
	fieldRetries
	fieldStored
	fieldSource
	fieldDropped // one of several
	fieldWarning // one of several
	fieldContent
	fieldDigest // the second half of the SHA-256, of which the content is the first
	fieldCaptured
	fieldCamera
	fieldLocation
	fieldColor
	fieldThumbHash
	fieldURL
	fieldColumn  // one of several: the length of its name (uvarint), the name, the value
	fieldRefused // one of several
	fieldVersion
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// codeOf and outcomeOf are how outcomes are stored; a number never changes its meaning.
func codeOf(o outcome.Outcome) byte {
	switch o {
	case outcome.Done:
		return 1
	case outcome.Rejected:
		return 2
	case outcome.Dead:
		return 3
	}
	return 0
}

func outcomeOf(code uint64) (outcome.Outcome, error) {
	switch code {
	case 1:
		return outcome.Done, nil
	case 2:
		return outcome.Rejected, nil
	case 3:
		return outcome.Dead, nil
	}
	return "", fmt.Errorf("outcome number %d is unknown", code)
}

// encode appends e, which is valid, to b. word returns the number of a text, or false to have it stored itself.
func encode(b []byte, e *Entry, word func(string) (uint64, bool)) []byte {
	start := len(b)
	b = append(b, entryForm)
	b = append(b, e.ID[:]...)
	number := func(field int, n uint64) {
		if n != 0 {
			b = binary.AppendUvarint(b, uint64(field)<<1|kindNumber)
			b = binary.AppendUvarint(b, n)
		}
	}
	text := func(field int, s string) {
		if s != "" {
			b = binary.AppendUvarint(b, uint64(field)<<1|kindBytes)
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	shared := func(field int, s string) {
		if s == "" {
			return
		}
		if n, ok := word(s); ok {
			number(field, n)
			return
		}
		text(field, s)
	}
	text(fieldFilename, e.Filename)
	shared(fieldRun, e.Run)
	number(fieldOutcome, uint64(codeOf(e.Outcome)))
	shared(fieldReason, string(e.Reason))
	text(fieldDetail, outcome.Cut(e.Detail, MaxDetail))
	before := e.Filename
	var buf []byte
	for _, o := range e.Outputs {
		buf = appendOutput(buf[:0], before, o)
		text(fieldOutput, string(buf))
		before = o.Name
	}
	shared(fieldWorker, e.Worker)
	number(fieldDeliveries, uint64(e.Deliveries))
	shared(fieldRecipe, e.Recipe)
	number(fieldInputSize, uint64(e.Input.Size))
	shared(fieldInputFormat, e.Input.Format)
	number(fieldInputWidth, uint64(e.Input.Width))
	number(fieldInputHeight, uint64(e.Input.Height))
	if e.Timings != (Timings{}) {
		text(fieldTimings, string(appendTimings(buf[:0], e.Timings)))
	}
	number(fieldSettled, zigzag(e.Settled.UnixMicro()))
	if e.Stranger {
		number(fieldStranger, 1)
	}
	number(fieldRetries, uint64(e.Retries))
	if e.Stored {
		number(fieldStored, 1)
	}
	shared(fieldSource, e.Source)
	for _, d := range e.Dropped {
		shared(fieldDropped, d)
	}
	for _, w := range e.Warnings {
		text(fieldWarning, w)
	}
	if e.Content != (Content{}) {
		text(fieldContent, string(e.Content[:]))
	}
	for _, v := range e.Refused {
		text(fieldRefused, encodeRefused(v))
	}
	if e.Known != nil {
		encodeKnown(e, number, text, shared)
	}
	text(fieldURL, e.URL)
	text(fieldVersion, e.Version)
	for _, name := range slices.Sorted(maps.Keys(e.Columns)) {
		buf = append(binary.AppendUvarint(buf[:0], uint64(len(name))), name...)
		text(fieldColumn, string(append(buf, e.Columns[name]...)))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func appendTimings(b []byte, t Timings) []byte {
	for _, d := range []time.Duration{t.Queued, t.Decode, t.Transform, t.Encode, t.Write, t.EndToEnd} {
		b = binary.AppendUvarint(b, uint64(max(0, d.Microseconds())))
	}
	return b
}

func zigzag(n int64) uint64   { return uint64(n)<<1 ^ uint64(n>>63) }
func unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

var errCutOff = errors.New("it is cut off")

// decode returns the entry that b holds; nothing in it refers to b. word returns the text with a number.
func decode(b []byte, word func(uint64) (string, bool)) (Entry, error) {
	if len(b) < 1+taskid.Size+4 {
		return Entry{}, errCutOff
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.Checksum(body, castagnoli) != sum {
		return Entry{}, errors.New("its checksum does not match")
	}
	if body[0] != entryForm {
		return Entry{}, fmt.Errorf("its form is %d, not %d", body[0], entryForm)
	}
	e := Entry{ID: taskid.ID(body[1 : 1+taskid.Size])}
	d := decoder{rest: body[1+taskid.Size:], word: word}
	var settled uint64
	for len(d.rest) > 0 && d.err == nil {
		tag := d.uvarint()
		d.kind = tag & 1
		switch tag >> 1 {
		case fieldFilename:
			e.Filename = string(d.bytes())
		case fieldRun:
			e.Run = d.text()
		case fieldOutcome:
			var err error
			if e.Outcome, err = outcomeOf(d.number()); err != nil {
				d.fail(err)
			}
		case fieldReason:
			e.Reason = outcome.Reason(d.text())
		case fieldDetail:
			e.Detail = string(d.bytes())
		case fieldOutput:
			before := e.Filename
			if len(e.Outputs) > 0 {
				before = e.Outputs[len(e.Outputs)-1].Name
			}
			e.Outputs = append(e.Outputs, d.output(before))
		case fieldWorker:
			e.Worker = d.text()
		case fieldDeliveries:
			e.Deliveries = int(d.count())
		case fieldRecipe:
			e.Recipe = d.text()
		case fieldInputSize:
			e.Input.Size = d.count()
		case fieldInputFormat:
			e.Input.Format = d.text()
		case fieldInputWidth:
			e.Input.Width = int(d.count())
		case fieldInputHeight:
			e.Input.Height = int(d.count())
		case fieldTimings:
			e.Timings = d.timings()
		case fieldSettled:
			settled = d.number()
		case fieldStranger:
			e.Stranger = d.number() != 0
		case fieldRetries:
			e.Retries = int(d.count())
		case fieldStored:
			e.Stored = d.number() != 0
		case fieldSource:
			e.Source = d.text()
		case fieldDropped:
			e.Dropped = append(e.Dropped, d.text())
		case fieldWarning:
			e.Warnings = append(e.Warnings, string(d.bytes()))
		case fieldContent:
			copy(e.Content[:], d.bytes())
		case fieldRefused:
			e.Refused = append(e.Refused, d.refused())
		case fieldDigest, fieldCaptured, fieldCamera, fieldLocation, fieldColor, fieldThumbHash:
			d.known(int(tag>>1), &e)
		case fieldURL:
			e.URL = string(d.bytes())
		case fieldVersion:
			e.Version = string(d.bytes())
		case fieldColumn:
			d.column(&e)
		default:
			d.skip()
		}
	}
	if d.err == nil && e.Outcome == "" {
		d.fail(errors.New("it has no outcome"))
	}
	if d.err != nil {
		return Entry{}, d.err
	}
	e.Settled = time.UnixMicro(unzigzag(settled)).UTC()
	return e, nil
}

// decoder reads fields; after its first failure everything it returns is zero.
type decoder struct {
	rest []byte
	kind uint64 // of the field that is being read
	word func(uint64) (string, bool)
	err  error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.rest = nil
}

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.fail(errCutOff)
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) number() uint64 {
	if d.kind != kindNumber {
		d.fail(errors.New("it has bytes where a number belongs"))
		return 0
	}
	return d.uvarint()
}

// count returns a number that has to fit an int on any platform that made it.
func (d *decoder) count() int64 {
	n := d.number()
	if n > math.MaxInt64 {
		d.fail(fmt.Errorf("it counts %d", n))
		return 0
	}
	return int64(n)
}

func (d *decoder) bytes() []byte {
	if d.kind != kindBytes {
		d.fail(errors.New("it has a number where bytes belong"))
		return nil
	}
	return d.take(d.uvarint())
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.fail(errCutOff)
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) text() string {
	if d.kind == kindBytes {
		return string(d.bytes())
	}
	n := d.uvarint()
	if d.err != nil {
		return ""
	}
	s, ok := d.word(n)
	if !ok {
		d.fail(fmt.Errorf("it uses word %d, which is missing", n))
	}
	return s
}

func (d *decoder) skip() {
	if d.kind == kindBytes {
		d.bytes()
	} else {
		d.uvarint()
	}
}

func (d *decoder) timings() Timings {
	in := decoder{rest: d.bytes()}
	var t Timings
	for _, to := range []*time.Duration{&t.Queued, &t.Decode, &t.Transform, &t.Encode, &t.Write, &t.EndToEnd} {
		us := in.count()
		if us > math.MaxInt64/int64(time.Microsecond) {
			in.fail(fmt.Errorf("a timing is %d microseconds", us))
		}
		*to = time.Duration(us) * time.Microsecond
	}
	if in.err != nil {
		d.fail(in.err)
	}
	return t
}
