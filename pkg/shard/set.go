package shard

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/ledger"
)

// Defaults and limits of Config.
const (
	DefaultSize  = 1 << 30
	DefaultCount = 10_000
	MinSize      = 64 << 10
)

// Config is how a Set works. The zero value of an optional field means the default that its comment names.
type Config struct {
	Size   int64          // bytes beyond which a shard is full; one sample may exceed it alone; default: DefaultSize
	Count  int64          // samples of a full shard; default: DefaultCount
	Ledger *ledger.Ledger // required
	Blob   blob.Config    // how a bucket is reached
	Logger *slog.Logger   // default: nothing is logged
}

// Set is the shards of one farm, open for writing. One goroutine may call Append, Committed, Seal and Rewrite; the
// other methods may be called concurrently.
type Set struct {
	*Reader
	cfg  Config
	log  *slog.Logger
	lock *os.File
	host string // the name of this machine; empty: unknown

	// These are owned by the goroutine that calls Append, and by Open and Close.
	current *shardFile   // takes samples; nil: the next sample begins a shard
	next    int64        // the number of the next new shard
	fresh   []*shardFile // full, and not committed yet
	away    bool         // the store was unavailable when the set was opened

	unreplaced []ledger.Rewrite // that wait for the store, as Open found

	publishers sync.WaitGroup
	closing    chan struct{}   // closed by Close
	uploads    context.Context // of the requests that publish shards
	stop       context.CancelCauseFunc

	mu         sync.Mutex
	reserved   map[string]string    // key → output, of samples that are not committed yet
	waiting    []*shardFile         // committed and full
	replacing  map[int64]bool       // the shards that wait to be replaced
	publishing map[int64]*shardFile // the full shards that are being published, or could not be
	busy       int                  // how many are being published
	changed    chan struct{}        // closed, and made again, when one of those below and above changes
	fault      error                // why the store was unavailable to the last shard; nil: it was not
	closeFault error                // the same of those that were tried since Close began
	failed     error                // which shards were not published, and why
}

// shardFile is a shard that is not published.
type shardFile struct {
	number    int64
	file      *os.File
	length    int64 // bytes
	samples   int64
	committed int64 // bytes that the ledger knows
	counted   int64 // samples that the ledger knows

	refused error // why it cannot be published before somebody mends that; nil: it can. Set under Set.mu.
}

// Open opens the shards of a pattern for writing, and truncates them to what the ledger knows. It begins to publish
// full shards that a killed process left. Where the ledger knows of shards, Open does not wait for an unavailable
// bucket: whether the bucket has them already is then looked up when they are published. The caller closes the Set
// before the ledger.
func Open(ctx context.Context, p Pattern, cfg Config) (*Set, error) {
	cfg.Size, cfg.Count = cmp.Or(cfg.Size, DefaultSize), cmp.Or(cfg.Count, DefaultCount)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Size < MinSize || cfg.Count < 1 {
		return nil, fmt.Errorf("shards of %d bytes and %d samples: at least %d bytes and 1 sample", cfg.Size, cfg.Count,
			MinSize)
	}
	r, err := NewReader(p, OpenDir(p, cfg.Ledger.Path()), cfg.Blob)
	if err != nil {
		return nil, err
	}
	s := &Set{
		Reader: r, cfg: cfg, log: cfg.Logger, reserved: make(map[string]string), publishing: make(map[int64]*shardFile),
		replacing: make(map[int64]bool),
		changed:   make(chan struct{}), closing: make(chan struct{}),
	}
	s.uploads, s.stop = context.WithCancelCause(context.Background())
	s.host, _ = os.Hostname() // without it, readers on other machines are told less
	if err = r.giveUpSoon(cfg.Blob); err == nil {
		err = s.restore(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.closeFiles(), r.Close())
	}
	return s, nil
}

// restore takes up what the ledger knows of the shards.
func (s *Set) restore(ctx context.Context) error {
	if err := os.MkdirAll(s.open, 0o777); err != nil {
		return fault("make the directory", "", s.open, err)
	}
	if err := s.takeLock(); err != nil {
		return err
	}
	known, err := s.cfg.Ledger.Shards()
	if err != nil {
		return err
	}
	if known.Pattern != "" && known.Pattern != s.pattern.Name {
		return fmt.Errorf("the ledger %s belongs to shards named %s, not %s: name another --ledger or the same shards",
			s.cfg.Ledger.Path(), known.Pattern, s.pattern.Name)
	}
	if err := s.finishRewrites(ctx); err != nil {
		return err
	}
	if known, err = s.cfg.Ledger.Shards(); err != nil {
		return err
	}
	s.next = known.Next
	keep := map[string]bool{lockName: true}
	for _, r := range s.unreplaced {
		keep[s.pattern.Shard(r.Number)+newSuffix] = true
	}
	for _, o := range known.Open {
		f, err := s.restoreShard(ctx, o)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		keep[s.pattern.Shard(o.Number)] = true
		// Of a bucket, an upload of a killed process may end at any time, so that the shard stays as it is.
		if o.Number == known.Next-1 && s.bucket == nil {
			s.current = f
		} else {
			s.waiting = append(s.waiting, f)
		}
	}
	if err := s.sweep(keep); err != nil {
		return err
	}
	name := s.pattern.Shard(s.next)
	_, there, err := s.lookUp(ctx, name)
	if there {
		return fmt.Errorf("%s has a shard %s that the ledger %s does not know: choose another --out, or name its ledger",
			s.pattern.Dir, name, s.cfg.Ledger.Path())
	}
	if err != nil {
		return err
	}
	s.startReplacing()
	s.startPublishers()
	return nil
}

// lookUp returns the size of a published shard, and whether there is one. After the bucket of a set that has shards
// was unavailable once, lookUp asks no more, and finds none.
func (s *Set) lookUp(ctx context.Context, name string) (size int64, there bool, err error) {
	if s.away {
		return 0, false, nil
	}
	size, err = s.published(ctx, name)
	switch {
	case err == nil:
		return size, true, nil
	case errors.Is(err, fs.ErrNotExist):
		return 0, false, nil
	case s.bucket != nil && s.next > 0 && errors.Is(err, bucket.ErrUnavailable):
		s.log.Error("the bucket of the shards is unavailable; full shards are kept until it returns", "error", err)
		s.away = true
		return 0, false, nil
	}
	if ctx.Err() != nil {
		return 0, false, context.Cause(ctx)
	}
	return 0, false, fault("look up", name, s.pattern.Dir, err)
}

const lockName = "lock"

// takeLock refuses shards that another process writes.
func (s *Set) takeLock() (err error) {
	if s.lock, err = os.OpenFile(filepath.Join(s.open, lockName), os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return fault("make the lock file", "", s.open, err)
	}
	held, err := blob.TryLock(s.lock)
	if err == nil && held {
		ours, oursErr := s.lock.Stat()
		there, thereErr := os.Stat(s.lock.Name())
		held = oursErr == nil && thereErr == nil && os.SameFile(ours, there) // else its holder has just removed it
	}
	if err == nil && !held {
		return fmt.Errorf("another process writes shards to %s: wait until it ends, or choose another --out", s.pattern.Dir)
	}
	return nil
}

// restoreShard opens a shard of the ledger, and truncates it to what the ledger knows. It returns nil for one that is
// published, or is not there any more. Whether a shard of the same size in a bucket is the same, upload looks up.
func (s *Set) restoreShard(ctx context.Context, o ledger.OpenShard) (*shardFile, error) {
	name := s.pattern.Shard(o.Number)
	size, there, err := s.lookUp(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case there && size != o.Length+trailerSize:
		return nil, fmt.Errorf("the ledger %s is not that of the shards in %s: %s has %d bytes there, and %d in the ledger",
			s.cfg.Ledger.Path(), s.pattern.Dir, name, size, o.Length+trailerSize)
	case there && s.bucket == nil:
		if err := s.compare(name, o.Length); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("cannot publish %s in %s: %w", name, s.pattern.Dir, err)
		}
		return nil, s.cfg.Ledger.MarkPublished(o.Number) // sweep removes the link that the killed process left
	}
	file, err := os.OpenFile(s.unfinished(name), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) && there {
		return nil, s.cfg.Ledger.MarkPublished(o.Number)
	}
	if errors.Is(err, fs.ErrNotExist) && s.away {
		return nil, nil // it is removed here once the bucket has it
	}
	if errors.Is(err, fs.ErrNotExist) {
		s.log.Error("an open shard is gone; the next run makes its outputs again", "shard", s.unfinished(name),
			"samples", o.Samples)
		return nil, nil
	}
	if err != nil {
		return nil, fault("open", name, s.open, err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() < o.Length {
		err = fmt.Errorf("it has %d bytes, and the ledger has %d", info.Size(), o.Length)
	}
	if err == nil {
		err = file.Truncate(o.Length)
	}
	if err != nil {
		return nil, errors.Join(fault("use", name, s.open, err), file.Close())
	}
	return &shardFile{number: o.Number, file: file, length: o.Length, samples: o.Samples, committed: o.Length,
		counted: o.Samples}, nil
}

// sweep removes shards that no committed sample is in.
func (s *Set) sweep(keep map[string]bool) error {
	entries, err := os.ReadDir(s.open)
	if err != nil {
		return fault("read", "", s.open, err)
	}
	for _, e := range entries {
		if !keep[e.Name()] {
			if err := os.Remove(s.unfinished(e.Name())); err != nil {
				return fault("remove", e.Name(), s.open, err)
			}
		}
	}
	return nil
}

// place returns where an output is. The error is fs.ErrNotExist when it is in no shard.
func (s *Set) place(name string) (ledger.Place, error) {
	key, ext := Key(name)
	p, found, err := s.cfg.Ledger.PlaceOf(key)
	if err == nil && (!found || p.Ext != ext) {
		err = fmt.Errorf("no output %q in %s: %w", name, s.Path(), fs.ErrNotExist)
	}
	return p, cmp.Or(err, s.checkPlace(p))
}

// Stat implements blob.Reader.
func (s *Set) Stat(name string) (int64, error) {
	p, err := s.place(name)
	if err != nil {
		return 0, err
	}
	return p.Size, s.StatAt(s.pattern.Shard(p.Shard), p.Offset+p.Size)
}

// Open implements blob.Reader.
func (s *Set) Open(name string) (io.ReadSeekCloser, error) {
	p, err := s.place(name)
	if err != nil {
		return nil, err
	}
	return s.OpenAt(s.pattern.Shard(p.Shard), p.Offset, p.Size)
}

// Holds reports whether an output is in a published or committed shard with exactly these bytes.
func (s *Set) Holds(name string, data []byte) (bool, error) {
	p, err := s.place(name)
	if err == nil && p.Size != int64(len(data)) {
		return false, nil
	}
	var there io.ReadCloser
	if err == nil {
		there, err = s.OpenAt(s.pattern.Shard(p.Shard), p.Offset, p.Size)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer there.Close()
	had := make([]byte, p.Size)
	if _, err := io.ReadFull(there, had); err != nil {
		return false, fault("read", name, s.pattern.Dir, err)
	}
	return bytes.Equal(had, data), nil
}
