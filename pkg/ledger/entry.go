package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// Entry says what became of one task. The ledger keeps times and durations to the microsecond.
type Entry struct {
	ID       taskid.ID
	Seq      uint64          // its place in the ledger, counted from 1; set by the ledger
	Filename string          // of the image, slash-separated, relative
	Run      string          // the run in which it was settled; may be empty
	Outcome  outcome.Outcome // done, rejected or dead
	Reason   outcome.Reason  // of a rejected task, and only of one
	Detail   string          // for people; Append cuts it to MaxDetail bytes
	Outputs  []Output        // of a done task
	Worker   string          // that made the outputs or refused the image

	Deliveries int               // how often the ventilator sent it, as far as the sink knows
	Recipe     string            // canonical text
	Source     string            // where the file name begins, such as a directory; empty: unknown
	Content    Content           // of the image; zero: unknown
	Dropped    []string          // kinds of the image's metadata that no output carries: "exif", "icc", …
	Refused    []Refused         // variants that could not be made of a done task's image
	Known      *known.Facts      // what is known of the image; nil: nothing
	Warnings   outcome.Warnings  // what is wrong with the image though it is done
	URL        string            // of the image, where Source and Filename do not tell it
	Columns    map[string]string // what the list that names the image says of it
	Version    string            // by which a later run asks whether the image has changed; empty: unknown
	Input      Input
	Timings    Timings
	Settled    time.Time // when the sink learned it
	Stored     bool      // the worker wrote the outputs, perhaps to a directory that the sink cannot read
	Stranger   bool      // reported by a program that cannot echo task ids
	// Replaces is the task of the same image and run whose refusal this entry is to take the place of, since the image
	// has changed. Append removes its entry, unless it is done. The ledger does not keep Replaces.
	Replaces     taskid.ID
	Acknowledged bool // an operator has acknowledged the rejection; set by Lookup and Refused
	Retries      int  // how often an operator revived it before; set by the ledger
}

// Content stands for the content of an image: the first half of its SHA-256.
type Content [16]byte

// Refused is a variant that could not be made.
type Refused struct {
	Variant string
	Reason  outcome.Reason
	Detail  string // for people; Append cuts it to MaxDetail bytes
}

// Output is one file that was made of an image.
type Output struct {
	Name          string // slash-separated, relative
	Size          int64  // bytes
	Width, Height int    // pixels; 0 if unknown
	Sum           uint32 // CRC-32C of its bytes; 0 if unknown
	Quality       int    // that was chosen for the image, 1 to 100; 0 if the recipe says it, or it has none
	Earlier       bool   // it was made for an earlier entry: of the same image, by the same variant
	Pruned        bool   // it was removed, because nobody wanted it any more

	// Owner is the Seq of that entry, which Append takes the output from. When the output belongs to a later entry by
	// then, it stays with that. The ledger does not keep Owner.
	Owner uint64
}

// Unmade reports whether all outputs of e were made for earlier entries, so that e stands for no work.
func (e *Entry) Unmade() bool {
	made := slices.ContainsFunc(e.Outputs, func(o Output) bool { return !o.Earlier })
	return len(e.Outputs) > 0 && !made && len(e.Refused) == 0 // to find out that a variant cannot be made is work
}

// Input is what is known of the image.
type Input struct {
	Size          int64  // bytes
	Format        string // such as "jpeg"; empty if unknown
	Width, Height int    // pixels; 0 if unknown
}

// Timings says how long each stage of a task took; 0: unknown.
type Timings struct {
	Queued    time.Duration // from being sent to a slot's becoming free for it
	Decode    time.Duration
	Transform time.Duration
	Encode    time.Duration
	Write     time.Duration
	EndToEnd  time.Duration // from being sent to the outputs being stored
}

// The limits of an entry. Validate refuses an entry that exceeds one; only a Detail is cut instead.
const (
	MaxName    = 32 << 10 // bytes in a file name
	MaxDetail  = 2 << 10  // bytes in a detail
	MaxText    = 64 << 10 // bytes in a recipe, worker or format
	MaxRunID   = 128      // bytes in a run's id
	MaxOutputs = 4096     // outputs of one task
	MaxVersion = 4 << 10  // bytes in a version
	MaxColumns = 64       // of the list that names the image, together of at most MaxText bytes
	MaxDropped = 1 << 10  // kinds of dropped metadata, each of at most MaxText bytes
	maxQuality = 100      // of an output
)

// Validate returns an error that says why Append would refuse e.
func (e *Entry) Validate() error {
	var err error
	switch {
	case e.ID.IsZero():
		err = errors.New("it has no id")
	case e.Filename == "" || len(e.Filename) > MaxName:
		err = fmt.Errorf("its file name has %d bytes, not 1 to %d", len(e.Filename), MaxName)
	case e.Outcome != outcome.Done && e.Outcome != outcome.Rejected && e.Outcome != outcome.Dead:
		err = fmt.Errorf("its outcome is %q, not done, rejected or dead", e.Outcome)
	case e.Outcome == outcome.Rejected && !slices.Contains(outcome.Reasons(), e.Reason):
		err = fmt.Errorf("it is rejected for the unknown reason %q", e.Reason)
	case e.Outcome != outcome.Rejected && e.Reason != "":
		err = fmt.Errorf("it has the reason %q but is %s, not rejected", e.Reason, e.Outcome)
	case len(e.Run) > MaxRunID || strings.Contains(e.Run, "\x00"):
		err = fmt.Errorf("its run %.80q has %d bytes, more than %d, or a NUL", e.Run, len(e.Run), MaxRunID)
	case len(e.Worker) > MaxText || len(e.Recipe) > MaxText || len(e.Input.Format) > MaxText:
		err = fmt.Errorf("its worker, recipe or format has more than %d bytes", MaxText)
	case len(e.Source) > MaxName:
		err = fmt.Errorf("its source has %d bytes, more than %d", len(e.Source), MaxName)
	case len(e.Dropped) > MaxDropped ||
		slices.ContainsFunc(e.Dropped, func(d string) bool { return d == "" || len(d) > MaxText }):
		err = fmt.Errorf("it dropped more than %d kinds of metadata, or the name of one has not 1 to %d bytes", MaxDropped,
			MaxText)
	case len(e.Version) > MaxVersion:
		err = fmt.Errorf("its version has %d bytes, more than %d", len(e.Version), MaxVersion)
	case len(e.URL) > MaxName || len(e.Columns) > MaxColumns || columnBytes(e.Columns) > MaxText:
		err = fmt.Errorf("its URL has more than %d bytes, or its %d columns are too many or too long", MaxName,
			len(e.Columns))
	case e.Deliveries < 0 || e.Input.Size < 0 || e.Input.Width < 0 || e.Input.Height < 0:
		err = errors.New("it counts deliveries, bytes or pixels below 0")
	case e.Settled.IsZero():
		err = errors.New("it was never settled")
	case len(e.Refused) > MaxOutputs || slices.ContainsFunc(e.Refused, func(v Refused) bool {
		return v.Variant == "" || len(v.Variant) > MaxName || !slices.Contains(outcome.Reasons(), v.Reason)
	}):
		err = errors.New("it has too many refused variants, or one without a name or a known reason")
	case len(e.Outputs) > MaxOutputs:
		err = fmt.Errorf("it has %d outputs, more than %d", len(e.Outputs), MaxOutputs)
	default:
		err = errors.Join(e.Warnings.Check(), e.Known.Check())
	}
	for _, o := range e.Outputs {
		if err == nil && (o.Name == "" || len(o.Name) > MaxName) {
			err = fmt.Errorf("the name of an output has %d bytes, not 1 to %d", len(o.Name), MaxName)
		}
		if err == nil && (o.Size < 0 || o.Width < 0 || o.Height < 0) {
			err = fmt.Errorf("the output %.80q counts bytes or pixels below 0", o.Name)
		}
		if err == nil && (o.Quality < 0 || o.Quality > maxQuality) {
			err = fmt.Errorf("the output %.80q has a quality of %d, not 0 to %d", o.Name, o.Quality, maxQuality)
		}
	}
	if err != nil {
		return fmt.Errorf("entry of task %s (%.80q): %w", e.ID, e.Filename, err)
	}
	return nil
}

func columnBytes(columns map[string]string) (n int) {
	for name, value := range columns {
		n += len(name) + len(value)
	}
	return n
}
