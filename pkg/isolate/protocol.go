package isolate

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// A message, integers little-endian, strings as length and bytes:
//
//	+-----------+---------+----------------+
//	| length u32| kind u8 | body           |
//	+-----------+---------+----------------+
//
//	setup      version u32, shared u8, sandbox u8, libraries u8, input u64, output u64, memory u64,
//	           engine s16, settings s32                                                               parent to child
//	ready      version u32, layers u8 × (name s8, missing s16)                                        child to parent
//	transform  task u64, offset u64, length u64, recipe s32                                           parent to child
//	done       task u64, format s8, width u32, height u32, decode u64, transform u64,
//	           encode u64, dropped u8 × s8, warnings u8 × s16, captured s8,
//	           camera s8, location u8 × (latitude u64, longitude u64), color s8, thumbhash s8,
//	           outputs u8 × (format s8, width u32, height u32, quality u8, size u64, reason s8,
//	           detail s16)                                                                            child to parent
//	rejected   task u64, reason s8, detail s16, variant s8                                            child to parent
//	failed     task u64, text s16                                                                     child to parent
//
// Image and outputs lie in shared memory: the image at offset, the outputs one after another from where outputAt says.
// Without shared memory, which the setup says, their bytes follow the message.
const (
	kindSetup byte = iota + 1
	kindReady
	kindTransform
	kindDone
	kindRejected
	kindFailed
)

const (
	version      = 7
	headerSize   = 5
	maxRequest   = recipe.MaxText + maxSettings + 1<<10 // bytes of a body to a child
	maxReply     = 32 << 10                             // bytes of a body from a child
	maxSettings  = 64 << 10
	maxText      = 4 << 10 // bytes of a detail or an error
	maxHeadline  = 300     // bytes that are quoted of a crash report
	maxWord      = 64      // bytes of a format or a kind of metadata
	maxDropped   = 64
	maxRefused   = 256 // bytes of why a variant was not made
	maxDimension = math.MaxInt32
)

// setup is the first message to a child.
type setup struct {
	shared        bool
	sandbox       bool
	libraries     Libraries
	input, output uint64 // sizes of the shared memory, bytes
	memory        uint64 // TaskMemory, bytes
	engine        string
	settings      string
}

// request asks a child for a transform.
type request struct {
	task           uint64
	offset, length uint64 // of the image in the shared input
	recipe         string
}

// reply is what a child answers to a request. Exactly one of result, rejection and failure is set.
type reply struct {
	task      uint64
	began     time.Time      // when its turn began; set by the parent
	result    *engine.Result // outputs without names and data
	sizes     []int64        // of the outputs
	total     int64          // sum of sizes
	rejection *outcome.Rejection
	failure   string
}

func (s setup) append(b []byte) []byte {
	b = appendU32(begin(b, kindSetup), version)
	b = append(appendBool(appendBool(b, s.shared), s.sandbox), byte(s.libraries))
	b = appendU64(appendU64(appendU64(b, s.input), s.output), s.memory)
	return finish(append32(append16(b, s.engine), s.settings))
}

func (q request) append(b []byte) []byte {
	b = appendU64(begin(b, kindTransform), q.task)
	b = appendU64(appendU64(b, q.offset), q.length)
	return finish(append32(b, q.recipe))
}

// append encodes r. It fails if r is beyond the protocol's limits.
func (r reply) append(b []byte) ([]byte, error) {
	switch {
	case r.rejection != nil:
		if _, err := outcome.ParseReason(string(r.rejection.Reason)); err != nil {
			return nil, err
		}
		b = appendU64(begin(b, kindRejected), r.task)
		b = append16(append8(b, string(r.rejection.Reason)), clip(r.rejection.Detail))
		return finish(append8(b, r.rejection.Variant)), nil
	case r.result == nil:
		b = appendU64(begin(b, kindFailed), r.task)
		return finish(append16(b, clip(r.failure))), nil
	}
	res := r.result
	if err := checkResult(res); err != nil {
		return nil, err
	}
	b = append8(appendU64(begin(b, kindDone), r.task), res.Format)
	b = appendU32(appendU32(b, uint32(res.Width)), uint32(res.Height))
	b = appendU64(b, uint64(res.Stages.Decode))
	b = appendU64(b, uint64(res.Stages.Transform))
	b = appendU64(b, uint64(res.Stages.Encode))
	b = append(b, byte(len(res.Dropped)))
	for _, d := range res.Dropped {
		b = append8(b, d)
	}
	b = append(b, byte(len(res.Warnings)))
	for _, w := range res.Warnings {
		b = append16(b, w)
	}
	b = appendFacts(b, res.Known)
	b = append(b, byte(len(res.Outputs)))
	for i, o := range res.Outputs {
		b = appendU32(appendU32(append8(b, o.Format), uint32(o.Width)), uint32(o.Height))
		b = append(b, byte(o.Quality))
		b = appendU64(b, uint64(r.sizes[i]))
		if o.Refused == nil {
			b = append16(append8(b, ""), "")
		} else {
			b = append16(append8(b, string(o.Refused.Reason)), outcome.Clip(o.Refused.Detail, maxRefused))
		}
	}
	return finish(b), nil
}

// checkResult reports what in r is beyond the protocol's limits. The child checks its engine with it, and the parent
// the child.
func checkResult(r *engine.Result) error {
	if len(r.Dropped) > maxDropped {
		return fmt.Errorf("%d kinds of dropped metadata, more than %d", len(r.Dropped), maxDropped)
	}
	if err := errors.Join(r.Warnings.Check(), r.Known.Check()); err != nil {
		return err
	}
	for _, w := range r.Warnings {
		if clip(w) != w {
			return fmt.Errorf("a warning that is not plain text: %.80q", w)
		}
	}
	if len(r.Outputs) > recipe.MaxVariants {
		return fmt.Errorf("%d outputs, more than %d", len(r.Outputs), recipe.MaxVariants)
	}
	for _, d := range append([]string{r.Format}, r.Dropped...) {
		if err := checkWord(d); err != nil {
			return err
		}
	}
	if err := checkSize(r.Width, r.Height); err != nil {
		return err
	}
	if min(r.Stages.Decode, r.Stages.Transform, r.Stages.Encode) < 0 {
		return fmt.Errorf("a negative time: stages %v", r.Stages)
	}
	for _, o := range r.Outputs {
		if o.Refused != nil {
			if _, err := outcome.ParseReason(string(o.Refused.Reason)); err != nil {
				return err
			}
			continue
		}
		if err := errors.Join(checkWord(o.Format), checkSize(o.Width, o.Height)); err != nil {
			return err
		}
		if o.Quality < 0 || o.Quality > 100 {
			return fmt.Errorf("an output of quality %d", o.Quality)
		}
	}
	return nil
}

func checkSize(w, h int) error {
	if w < 0 || h < 0 || w > maxDimension || h > maxDimension {
		return fmt.Errorf("a picture of %d×%d pixels", w, h)
	}
	return nil
}

// checkWord allows plain characters only, because words end up in file names and on pages.
func checkWord(s string) error {
	if len(s) > maxWord {
		return fmt.Errorf("a word of %d bytes, more than %d", len(s), maxWord)
	}
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
			continue
		}
		return fmt.Errorf("the word %q has characters other than letters and digits", s)
	}
	return nil
}

func parseSetup(body []byte) (setup, error) {
	f := fields{b: body}
	if v := f.u32(); v != version && f.err == nil {
		return setup{}, fmt.Errorf("protocol version %d, this program speaks %d", v, version)
	}
	shared, sandbox := f.u8(), f.u8()
	s := setup{shared: shared == 1, sandbox: sandbox == 1, libraries: Libraries(f.u8()),
		input: f.u64(), output: f.u64(), memory: f.u64()}
	s.engine = f.str(f.u16())
	s.settings = f.str(int(f.u32()))
	if err := f.end(); err != nil {
		return setup{}, err
	}
	if shared > 1 || sandbox > 1 || s.input > math.MaxInt64 || s.output > math.MaxInt64 || s.memory > math.MaxInt64 {
		return setup{}, fmt.Errorf("setup out of range: shared %d, sandbox %d, sizes %d, %d, %d",
			shared, sandbox, s.input, s.output, s.memory)
	}
	return s, nil
}

// parseRequest decodes a request whose image lies within limit bytes.
func parseRequest(body []byte, limit uint64) (request, error) {
	f := fields{b: body}
	q := request{task: f.u64(), offset: f.u64(), length: f.u64()}
	q.recipe = f.str(int(f.u32()))
	if err := f.end(); err != nil {
		return request{}, err
	}
	if q.offset > limit || q.length > limit-q.offset {
		return request{}, fmt.Errorf("image at %d of %d bytes, beyond %d", q.offset, q.length, limit)
	}
	return q, nil
}

// parseReply decodes an answer whose outputs together take at most limit bytes.
func parseReply(kind byte, body []byte, limit int64) (reply, error) {
	f := fields{b: body}
	r := reply{task: f.u64()}
	switch kind {
	case kindDone:
		parseDone(&f, &r, limit)
	case kindRejected:
		reason, err := outcome.ParseReason(f.str(f.u8()))
		if err != nil && f.err == nil {
			f.err = err
		}
		r.rejection = &outcome.Rejection{Reason: reason, Detail: f.str(f.u16()), Variant: f.str(f.u8())}
		if f.err == nil && clip(r.rejection.Detail) != r.rejection.Detail {
			f.err = errors.New("a detail that is too long or not plain text")
		}
	case kindFailed:
		r.failure = f.str(f.u16())
		if f.err == nil && clip(r.failure) != r.failure {
			f.err = errors.New("an error that is too long or not plain text")
		}
	default:
		f.err = fmt.Errorf("a message of unknown kind %d", kind)
	}
	if err := f.end(); err != nil {
		return reply{}, err
	}
	return r, nil
}

func parseDone(f *fields, r *reply, limit int64) {
	res := &engine.Result{Format: f.str(f.u8()), Width: f.dimension(), Height: f.dimension()}
	res.Stages.Decode = time.Duration(f.size())
	res.Stages.Transform = time.Duration(f.size())
	res.Stages.Encode = time.Duration(f.size())
	for range f.u8() {
		if f.err != nil {
			return
		}
		res.Dropped = append(res.Dropped, f.str(f.u8()))
	}
	for range f.u8() {
		if f.err != nil {
			return
		}
		res.Warnings = append(res.Warnings, f.str(f.u16()))
	}
	res.Known = f.facts()
	n := f.u8()
	if n > recipe.MaxVariants {
		f.err = fmt.Errorf("%d outputs, more than %d", n, recipe.MaxVariants)
	}
	for range n {
		if f.err != nil {
			return
		}
		res.Outputs = append(res.Outputs, engine.Output{
			Format: f.str(f.u8()), Width: f.dimension(), Height: f.dimension(), Quality: f.u8(),
		})
		size := f.size()
		if f.err == nil && size > limit-r.total {
			f.err = fmt.Errorf("outputs of %d bytes or more, the limit is %d", r.total+size, limit)
			return
		}
		if reason, detail := f.str(f.u8()), f.str(f.u16()); reason != "" {
			res.Outputs[len(res.Outputs)-1].Refused = &outcome.Rejection{Reason: outcome.Reason(reason), Detail: detail}
		}
		r.sizes = append(r.sizes, size)
		r.total += size
	}
	if f.err == nil {
		f.err = checkResult(res)
	}
	r.result = res
}
