package wire

import (
	"time"

	"github.com/imagefarm/imagefarm/pkg/diskfault"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// The control calls: one request, one reply, each one msgpack map of one frame. The request's "op" names the call, its
// "args" is the map below; the reply has either "error" or the map below under "value".
const (
	OpStatus   = "status"   // StatusArgs → Status: with the workers, page by page
	OpSettled  = "settled"  // SettledArgs → Receipts: those of the ids that are settled, and what failed lately
	OpSettle   = "settle"   // Receipts → Receipts: a ventilator settles tasks itself; committed like results
	OpRun      = "run"      // RunReport → Steering: a ventilator reports its run's counts, and learns whether to go on
	OpSteer    = "steer"    // Steering → Steering: an operator pauses, resumes or cancels a run
	OpEntries  = "entries"  // EntriesArgs → Entries: the ledger, page by page
	OpRetry    = "retry"    // EntriesArgs → Count: makes rejected, dead and partly done tasks due again
	OpRuns     = "runs"     // RunsArgs → Runs: the runs, page by page
	OpAck      = "ack"      // EntriesArgs → Count: acknowledges rejected and dead tasks
	OpOwners   = "owners"   // OwnersArgs → Owners: which images outputs were made from
	OpVariants = "variants" // VariantsArgs → Variants: which variants of unsettled images are made already
	OpReserve  = "reserve"  // VariantsArgs → Clashes: a run is about to make the outputs of some images
	OpBackup   = "backup"   // BackupArgs → Backup: copies the ledger; only at the sink's local endpoint
)

// Request is a control request; Args is encoded on its own.
type Request struct {
	Op   string `msgpack:"op"`
	Args Raw    `msgpack:"args,omitempty"`
}

// Reply answers a Request: exactly one of its fields is set.
type Reply struct {
	Error string `msgpack:"error,omitempty"` // a sentence
	Value Raw    `msgpack:"value,omitempty"`
}

// EncodeRequest returns the message of a call; args may be nil.
func EncodeRequest(op string, args any) []byte {
	return marshal(&Request{Op: op, Args: rawOf(args)})
}

// DecodeRequest decodes a control request.
func DecodeRequest(b []byte) (*Request, error) {
	r := new(Request)
	if err := unmarshal(b, r); err != nil {
		return r, err
	}
	if len(r.Op) > maxOp {
		return r, malformed("the name of a call has %d bytes (limit %d)", len(r.Op), maxOp)
	}
	return r, nil
}

// EncodeReply returns the message of a successful reply.
func EncodeReply(value any) []byte { return marshal(&Reply{Value: rawOf(value)}) }

// EncodeError returns the message of a reply that refuses the call, with a reason.
func EncodeError(err error) []byte { return marshal(&Reply{Error: CutText(err.Error(), MaxDetail)}) }

// DecodeReply decodes a control reply.
func DecodeReply(b []byte) (*Reply, error) {
	r := new(Reply)
	return r, unmarshal(b, r)
}

// SettledArgs asks which of some tasks are settled.
type SettledArgs struct {
	IDs []string `msgpack:"ids"` // at most MaxBatch
	// Present leaves out done tasks whose outputs are no longer where they were written. The sink looks for each
	// output.
	Present bool `msgpack:"present,omitempty"`
}

// Receipts is a batch of receipts. The other fields are set only in the reply to OpSettled, and not by older sinks.
type Receipts struct {
	Receipts []Receipt `msgpack:"receipts"`
	// Failed holds the last failed delivery of each task, as far as the sink remembers: its event may have been lost.
	// A task may also be settled, by an earlier run.
	Failed []Receipt `msgpack:"failed,omitempty"`
	// Key, in the arguments of OpSettle, is the key of the run.
	Key []byte `msgpack:"key,omitempty"`
	// Instance differs each time the sink starts. A result that an earlier instance received and that is not settled
	// is lost.
	Instance string `msgpack:"instance,omitempty"`
}

// EntriesArgs asks for a page of the ledger, in the ledger's order.
type EntriesArgs struct {
	Run      string            `msgpack:"run,omitempty"` // only entries of this run
	Outcomes []outcome.Outcome `msgpack:"outcomes,omitempty"`
	Reasons  []outcome.Reason  `msgpack:"reasons,omitempty"`
	After    string            `msgpack:"after,omitempty"` // Entries.Next of the page before
	Limit    int               `msgpack:"limit,omitempty"` // default and most: MaxBatch
	// Superseded asks the sink to tell of each output whether a later entry has one of the same name.
	Superseded bool `msgpack:"superseded,omitempty"`
	// Partly selects, in place of Outcomes, the done images of which a variant was refused, for one of Reasons if there
	// are any.
	Partly bool `msgpack:"partly,omitempty"`
}

// Entries is a page of the ledger; Next is empty on the last.
type Entries struct {
	Entries []Receipt `msgpack:"entries"`
	Next    string    `msgpack:"next,omitempty"`
}

// OwnersArgs asks which images the outputs of these names were made from. Without names it asks for the sources of
// all images.
type OwnersArgs struct {
	Outputs []string `msgpack:"outputs,omitempty"` // at most MaxBatch
}

// Owners answers OwnersArgs: with owners when names were given, and with sources when none were.
type Owners struct {
	Owners  []Owner  `msgpack:"owners,omitempty"`
	Sources []string `msgpack:"sources,omitempty"` // at most MaxBatch
	More    bool     `msgpack:"more,omitempty"`    // there are more sources
}

// Owner is the image that an output was made from.
type Owner struct {
	Output   string `msgpack:"output"`
	ID       string `msgpack:"id"` // of its task
	Source   string `msgpack:"source"`
	Filename string `msgpack:"filename"`
	Run      string `msgpack:"run,omitempty"`
	Recipe   string `msgpack:"recipe,omitempty"` // of its task, canonical text
	// Shard is the name of the shard that the output is in; empty: it is a file of its own.
	Shard  string `msgpack:"shard,omitempty"`
	Offset int64  `msgpack:"offset,omitempty"` // of the output in the shard
	Size   int64  `msgpack:"size,omitempty"`   // of the output in the shard, bytes
	// Version is Carried.Version of the image. Only if the id follows from it is it the one that the image had.
	Version string `msgpack:"version,omitempty"`
}

// VariantsArgs asks which variants of images that are not settled the ledger has outputs of already, under whatever
// recipe they were made.
type VariantsArgs struct {
	Recipe string       `msgpack:"recipe"` // canonical text
	Images []VariantsOf `msgpack:"images"` // at most MaxBatch
	// Run and its Key are given to settle the images of which every variant is known. Without a Run nothing is settled.
	Run string `msgpack:"run,omitempty"`
	Key []byte `msgpack:"key,omitempty"`
}

// VariantsOf is an image whose variants are asked for.
type VariantsOf struct {
	Filename string `msgpack:"filename"`
	Source   string `msgpack:"source,omitempty"`
	Input    []byte `msgpack:"input"` // a taskid.Input
}

// Variants answers VariantsArgs, in the order of its images.
type Variants struct {
	Known []KnownVariants `msgpack:"known"`
}

// KnownVariants are the variants of an image that need not be made.
type KnownVariants struct {
	Names []string `msgpack:"names,omitempty"`
	// Receipt is there when every variant is known, so that there is nothing to make.
	Receipt *Receipt `msgpack:"receipt,omitempty"`
}

// Clashes answers VariantsArgs of OpReserve. The outputs of images without a clash are reserved for the run, until
// their tasks are settled or the run has ended.
type Clashes struct {
	Clashes []Clash `msgpack:"clashes,omitempty"`
}

// Clash says that another live run makes an output of another image.
type Clash struct {
	Image  int    `msgpack:"image"` // index in VariantsArgs.Images
	Output string `msgpack:"output"`
	Run    string `msgpack:"run"` // the other
	Of     string `msgpack:"of"`  // the other image: its source and name
}

// Check returns an error that says which limit the arguments exceed.
func (a *VariantsArgs) Check() error {
	if len(a.Images) > MaxBatch || len(a.Recipe) > MaxText || len(a.Run) > MaxID {
		return malformed("%d images, at most %d, or a text is too long", len(a.Images), MaxBatch)
	}
	for i := range a.Images {
		if err := CheckName(a.Images[i].Filename); err != nil {
			return err
		}
		if len(a.Images[i].Input) > MaxInput || len(a.Images[i].Source) > MaxName {
			return malformed("the input or the source of %.80q is too long", a.Images[i].Filename)
		}
	}
	return nil
}

// BackupArgs asks the sink to copy its ledger.
type BackupArgs struct {
	Path string `msgpack:"path"` // absolute, of a file that does not exist yet, on the sink's machine
}

// Backup answers BackupArgs.
type Backup struct {
	Size int64 `msgpack:"size"` // bytes of the copy
}

// Count is how many entries a call changed.
type Count struct {
	Count int `msgpack:"count"`
}

// Run is one ventilator's batch, as the ventilator counts it.
type Run struct {
	ID       string           `msgpack:"id" json:"id"`
	State    outcome.RunState `msgpack:"state" json:"state"`
	Inputs   []string         `msgpack:"inputs,omitempty" json:"inputs,omitempty"`
	Recipe   string           `msgpack:"recipe,omitempty" json:"recipe,omitempty"`
	Host     string           `msgpack:"host,omitempty" json:"host,omitempty"`
	Started  time.Time        `msgpack:"started" json:"started"`
	Ended    time.Time        `msgpack:"ended,omitempty" json:"ended,omitzero"`
	Total    int64            `msgpack:"total" json:"total"` // images expected by the first look at the directory
	Found    int64            `msgpack:"found" json:"found"`
	Done     int64            `msgpack:"done" json:"done"`
	Skipped  int64            `msgpack:"skipped" json:"skipped"`
	Rejected int64            `msgpack:"rejected" json:"rejected"`
	Dead     int64            `msgpack:"dead" json:"dead"`
	Earlier  int64            `msgpack:"earlier" json:"earlier"` // of these four, settled before this run
	// Of the rejected and dead, those that an operator has acknowledged
	Acknowledged int64 `msgpack:"acknowledged,omitempty" json:"acknowledged,omitempty"`
	// Of the found, those that have come since a run that watches has counted its images
	New          int64  `msgpack:"new,omitempty" json:"new,omitempty"`
	Pending      int64  `msgpack:"pending" json:"pending"` // found, not settled, with no worker
	Leased       int64  `msgpack:"leased" json:"leased"`
	Deliveries   int64  `msgpack:"deliveries" json:"deliveries"`
	Redeliveries int64  `msgpack:"redeliveries" json:"redeliveries"`
	Speculative  int64  `msgpack:"speculative" json:"speculative"`
	Strangers    int64  `msgpack:"strangers" json:"strangers"`                   // done according to a stranger alone
	Unproven     int64  `msgpack:"unproven,omitempty" json:"unproven,omitempty"` // settled by results without a ticket
	Partly       int64  `msgpack:"partly,omitempty" json:"partly,omitempty"`     // done without some of the variants
	Bytes        int64  `msgpack:"bytes" json:"bytes"`                           // of inputs settled in this run
	Peers        int    `msgpack:"peers" json:"peers"`
	WorkUS       int64  `msgpack:"work,omitempty" json:"work_us"`              // of Working, microseconds; 0: not told
	Waiting      string `msgpack:"waiting,omitempty" json:"waiting,omitempty"` // what it waits for, in words
	// Of an ended run: images that are unsettled, at most MaxMissing
	Missing []string `msgpack:"missing,omitempty" json:"missing,omitempty"`

	// What the walk left out so far, by kind; at most MaxLeftOut kinds
	LeftOut map[string]int64 `msgpack:"left_out,omitempty" json:"left_out,omitempty"`

	// HandedOut counts images of a run without a sink that were sent to a worker: what became of them is unknown. It
	// never travels.
	HandedOut int64 `msgpack:"-" json:"handed_out,omitempty"`
}

// MaxMissing bounds Run.Missing.
const MaxMissing = 100

// RunReport is a ventilator's report of its run, with the key of the run. The key is never published.
type RunReport struct {
	Run `msgpack:",inline"`
	Key []byte `msgpack:"key,omitempty"` // the first report registers it, and the others must have the same
}

// Settled counts the images that need no more work of this run: done + skipped + rejected + dead, and without a sink
// those that were handed out.
func (r *Run) Settled() int64 { return r.Done + r.Skipped + r.Rejected + r.Dead + r.HandedOut }

// Count counts an image that was settled with this outcome.
func (r *Run) Count(o outcome.Outcome) { r.add(o, 1) }

// Uncount takes back an image that was found and counted with this outcome.
func (r *Run) Uncount(o outcome.Outcome) {
	r.Found--
	r.add(o, -1)
}

// add adds n to the images that were settled with this outcome.
func (r *Run) add(o outcome.Outcome, n int64) {
	switch o {
	case outcome.Done:
		r.Done += n
	case outcome.Skipped:
		r.Skipped += n
	case outcome.Rejected:
		r.Rejected += n
	case outcome.Dead:
		r.Dead += n
	}
}

// Unsettled is found − settled. At the end of a run these are LeftOver and Unaccounted.
func (r *Run) Unsettled() int64 { return r.Found - r.Settled() }

// LeftOver counts the images that a run found and did not settle before it ended early. The next run takes them.
func (r *Run) LeftOver() int64 {
	if r.State == outcome.Interrupted || r.State == outcome.Stalled {
		return r.Unsettled()
	}
	return 0
}

// Unaccounted counts the images of a finished run of which nobody knows what became: none, or something is wrong.
func (r *Run) Unaccounted() int64 {
	if r.State == outcome.Finished {
		return r.Unsettled()
	}
	return 0
}

// Worked returns how many images this run had work with: settled, and not by an earlier run. Of those that were
// handed out without a sink it is unknown.
func (r *Run) Worked() int64 { return r.Settled() - r.HandedOut - r.Earlier }

// RunsArgs asks for a page of the runs that a ledger knows.
type RunsArgs struct {
	After string `msgpack:"after,omitempty"` // Runs.Next of the page before
}

// Runs is a page of the runs that a ledger knows, newest first: at most MaxRuns, and fewer when their texts are
// long. Next is empty on the last.
type Runs struct {
	Runs []Run  `msgpack:"runs"`
	Next string `msgpack:"next,omitempty"`
}

// StatusArgs asks for the status with a page of the workers.
type StatusArgs struct {
	After string `msgpack:"after,omitempty"` // Status.Next of the page before
}

// MaxWorkers bounds the workers in one page of the status.
const MaxWorkers = 1000

// WorkerStatus describes a worker, as the sink sees it.
type WorkerStatus struct {
	Heartbeat       `msgpack:",inline"`
	Since           time.Time `msgpack:"since" json:"since"`
	LastSeen        time.Time `msgpack:"last_seen" json:"last_seen"`
	Lost            bool      `msgpack:"lost,omitempty" json:"lost"`
	Stranger        bool      `msgpack:"stranger,omitempty" json:"stranger"`
	ImagesPerSecond float64   `msgpack:"images_per_second" json:"images_per_second"` // over the last ten seconds
	Images          uint64    `msgpack:"images" json:"images"`                       // results from it that this sink took
	InputBytes      int64     `msgpack:"input_bytes" json:"input_bytes"`
}

// Left reports whether the worker drained before its connection ended, so that nothing is lost with it.
func (w *WorkerStatus) Left() bool { return w.Lost && w.Draining }

// Status is the sink's view of the farm.
type Status struct {
	Instance   string    `msgpack:"instance" json:"instance"`
	Version    string    `msgpack:"version" json:"version"`
	Started    time.Time `msgpack:"started" json:"started"`
	Now        time.Time `msgpack:"now" json:"now"`
	Host       string    `msgpack:"host" json:"host"`
	Out        string    `msgpack:"out" json:"out"`
	Ledger     string    `msgpack:"ledger" json:"ledger"`
	Done       uint64    `msgpack:"done" json:"done"` // results taken since the sink started
	Rejected   uint64    `msgpack:"rejected" json:"rejected"`
	Dead       uint64    `msgpack:"dead" json:"dead"`
	Failed     uint64    `msgpack:"failed" json:"failed"`
	Duplicates uint64    `msgpack:"duplicates" json:"duplicates"`
	Strangers  uint64    `msgpack:"strangers" json:"strangers"` // bare names taken
	Malformed  uint64    `msgpack:"malformed" json:"malformed"`
	// Messages of workers that did not count: no right ticket, or another's name
	Refused    uint64         `msgpack:"refused,omitempty" json:"refused"`
	Settled    uint64         `msgpack:"settled" json:"settled"` // entries in the ledger
	Throughput Throughput     `msgpack:"throughput" json:"throughput"`
	Stages     Timings        `msgpack:"stages" json:"stages"` // sums over the results taken
	Runs       []Run          `msgpack:"runs" json:"runs"`     // live ones and the last ended, newest first
	Workers    []WorkerStatus `msgpack:"workers" json:"workers"`
	Next       string         `msgpack:"next,omitempty" json:"-"` // for the next page of workers; empty on the last
	// What keeps the sink from committing results; empty: nothing
	Trouble string `msgpack:"trouble,omitempty" json:"trouble,omitempty"`
	// CertificateExpires is when the TLS certificate of the sink expires; zero: it has none.
	CertificateExpires time.Time `msgpack:"certificate_expires,omitempty" json:"certificate_expires,omitzero"`
	// TroubleKind names the kind of fault of the disk, if that is known.
	TroubleKind diskfault.Kind `msgpack:"trouble_kind,omitempty" json:"trouble_kind,omitempty"`
}
