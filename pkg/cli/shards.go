package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// shardFlags say how large shards become.
func shardFlags() []cli.Flag {
	return []cli.Flag{
		bytes(limits, "shard-size", "1GiB", from[int64](shard.MinSize).to(1<<40), "bytes of a full shard of --out tar:…"),
		number(limits, "shard-count", shard.DefaultCount, from(1).to(1<<30), "samples of a full shard of --out tar:…"),
	}
}

// openShards opens the shards that the text of --out names, for writing.
func openShards(
	ctx context.Context, c *cli.Command, where string, entries *ledger.Ledger, log *slog.Logger, reg prometheus.Registerer,
) (*shard.Set, error) {
	p, err := shardsOf(where)
	if err != nil {
		return nil, err
	}
	return shard.Open(ctx, p, shard.Config{
		Size: bytesOf(c, "shard-size"), Count: int64(c.Int("shard-count")), Ledger: entries, Logger: log,
		Blob: blob.Config{
			Bucket: bucketConfig(log, reg), CacheControl: c.String("cache-control"), StorageClass: c.String("storage-class"),
		},
	})
}

// shardsOf returns the pattern of the shards that the text of --out names.
func shardsOf(where string) (shard.Pattern, error) {
	p, err := shard.Parse(where)
	if err == nil {
		p, err = p.Absolute()
	}
	if err != nil {
		return p, usagef("--out: %w", err)
	}
	return p, nil
}

// placeOf returns the directory or bucket in which the outputs of an --out are; of shards, the one that they are in.
func placeOf(out string) string {
	if !shard.Is(out) {
		return out
	}
	p, err := shard.Parse(out)
	if err != nil {
		return out // whoever opens it says what is wrong
	}
	return p.Dir
}

// inBucket reports whether the outputs of an --out are in a bucket, so that no ledger is beside them.
func inBucket(out string) bool { return bucket.Is(placeOf(out)) }

// sampleReader reads outputs out of shards, whose places a ledger tells. It implements readOnlyStore.
type sampleReader struct {
	*shard.Reader
	openDir string // of shards that are not published; empty: unknown
	owners  func(name string) ([]wire.Owner, error)
}

// inShard reports whether an output is in a shard, while the store that is read has none.
func inShard(store readOnlyStore, o *wire.OutputInfo) bool {
	_, is := store.(*sampleReader)
	return !is && o.Shard != ""
}

// shardsIn returns the --out that names the shards in a directory or bucket, one of which is called name. Of names that
// are not the default, the caller of a run knows the pattern.
func shardsIn(where, name string) string {
	text := "tar:" + where
	if p, err := shard.Parse(text); err == nil {
		var number int64
		if n, _ := fmt.Sscanf(name, p.Name, &number); n == 1 && p.Shard(number) == name {
			return text
		}
	}
	return text + "/PATTERN.tar"
}

// readShards opens shards for reading only.
func readShards(ctx context.Context, where string, ledgerPath string, b ledgerAccess, log *slog.Logger) (*sampleReader,
	error) {
	p, err := shardsOf(where)
	if err != nil {
		return nil, err
	}
	openDir := shard.OpenDir(p, ledgerPath)
	if abs, err := filepath.Abs(openDir); err == nil && openDir != "" {
		openDir = abs
	}
	r, err := shard.NewReader(p, openDir, blob.Config{Bucket: bucket.Config{Trouble: warnOfBucket(log)}})
	if err != nil {
		return nil, err
	}
	return &sampleReader{r, openDir, func(name string) ([]wire.Owner, error) { return b.Owners(ctx, []string{name}) }}, nil
}

// Stat implements blob.Reader.
func (s *sampleReader) Stat(name string) (int64, error) {
	o, err := s.locate(name)
	if err != nil {
		return 0, err
	}
	return o.Size, s.StatAt(o.Shard, o.Offset+o.Size)
}

// Open implements blob.Reader.
func (s *sampleReader) Open(name string) (io.ReadSeekCloser, error) {
	o, err := s.locate(name)
	if err != nil {
		return nil, err
	}
	return s.OpenAt(o.Shard, o.Offset, o.Size)
}

func (s *sampleReader) locate(name string) (wire.Owner, error) {
	owners, err := s.owners(name)
	if err != nil {
		return wire.Owner{}, err
	}
	for _, o := range owners {
		if o.Output == name && o.Shard != "" {
			return o, nil
		}
	}
	return wire.Owner{}, fmt.Errorf("no output %q in %s: %w", name, s.Path(), fs.ErrNotExist)
}

// statOutput returns the size of an output of a page of the ledger.
func statOutput(store readOnlyStore, o *wire.OutputInfo) (int64, error) {
	if s, is := store.(*sampleReader); is && o.Shard != "" {
		return o.Size, s.StatAt(o.Shard, o.Offset+o.Size)
	}
	return store.Stat(o.Name)
}

// isOpenElsewhere reports whether an output that is not found may be in a shard that is open where this process cannot
// look: on another machine, or beside another copy of the ledger.
func isOpenElsewhere(store readOnlyStore, o *wire.OutputInfo) bool {
	s, is := store.(*sampleReader)
	host, dir, found := strings.Cut(o.OpenAt, ":")
	if !is || !found {
		return false
	}
	here, err := os.Hostname()
	return err != nil || here != host || dir != s.openDir && exists(filepath.Join(dir, o.Shard))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// openOutput opens an output of a page of the ledger.
func openOutput(store readOnlyStore, o *wire.OutputInfo) (io.ReadSeekCloser, error) {
	if s, is := store.(*sampleReader); is && o.Shard != "" {
		return s.OpenAt(o.Shard, o.Offset, o.Size)
	}
	return store.Open(o.Name)
}
