package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
)

// objectFlags say how outputs are written to a bucket.
func objectFlags() []cli.Flag {
	return []cli.Flag{
		text(whatToMake, "cache-control", "", "`VALUE` of the Cache-Control header of outputs in a bucket"),
		text(whatToMake, "storage-class", "", "storage `CLASS` of outputs in a bucket (default: the bucket's)"),
		waitBucketFlag(),
	}
}

// waitBucketFlag says how long the start waits for object stores.
func waitBucketFlag() cli.Flag {
	return duration(delivery, "wait-bucket", 10*time.Second, from[time.Duration](0),
		"longest wait at the start for an object store that is not reached")
}

// absence says what a program does whose object store is not there when it starts.
type absence int

const (
	endWithout    absence = iota // it ends after --wait-bucket
	waitForStore                 // it waits for a store that refuses connections, as it does when one goes away later
	collectAtOnce                // it goes on without a store that was there before, whatever keeps it from being reached
)

// probeBucket returns an error when where is a bucket with which the program can do nothing now, and may not wait.
func probeBucket(ctx context.Context, c *cli.Command, where string, without absence, log *slog.Logger) error {
	if !bucket.Is(where) {
		return nil
	}
	client, err := bucket.Dial(where, bucket.Config{Trouble: warnOfBucket(log)})
	if err != nil {
		return usagef("%w", err)
	}
	defer client.Close()
	patience := c.Duration("wait-bucket")
	if without == collectAtOnce {
		patience = 0
	}
	err = client.Probe(ctx, patience)
	switch away := errors.Is(err, bucket.ErrUnavailable); {
	case err == nil:
		return nil
	case without != endWithout && away, without == collectAtOnce && errors.Is(err, bucket.ErrMistaken):
		log.Warn("the object store is not there; the farm waits for it", "error", err)
		return nil
	case away:
		return fmt.Errorf("%w: start it, or correct AWS_ENDPOINT_URL", err)
	case ctx.Err() != nil, errors.Is(err, bucket.ErrNoHost): // a supervisor may start the program again
		return err
	}
	return usagef("%w", err)
}

// probeBuckets is probeBucket of several places.
func probeBuckets(ctx context.Context, c *cli.Command, places []string, without absence, log *slog.Logger) error {
	for _, where := range places {
		if err := probeBucket(ctx, c, where, without, log); err != nil {
			return err
		}
	}
	return nil
}

// probedInputs returns the inputs that may be buckets. Only directories are watched, and the ventilator refuses others.
func probedInputs(cfg *ventilator.Config) []string {
	if cfg.Watching {
		return nil
	}
	return slices.Clone(cfg.Inputs)
}

// openStore opens the store of outputs that the text of a flag names.
func openStore(c *cli.Command, where string, log *slog.Logger, reg prometheus.Registerer) (blob.Store, error) {
	store, err := blob.Open(where, blob.Config{
		Bucket: bucketConfig(log, reg), CacheControl: c.String("cache-control"), StorageClass: c.String("storage-class"),
	})
	if err != nil && bucket.Is(where) {
		return nil, usagef("%w", err)
	}
	return store, err
}

// readOnlyStore is a store of outputs for reading.
type readOnlyStore interface {
	blob.Reader
	Path() string
	Close() error
}

// readStore opens a store of outputs that must exist, for reading only.
func readStore(
	ctx context.Context, c *cli.Command, where string, b ledgerAccess, log *slog.Logger,
) (readOnlyStore, error) {
	if shard.Is(where) {
		return readShards(ctx, where, ledgerPathOf(c), b, log)
	}
	if bucket.Is(where) {
		return blob.Open(where, blob.Config{Bucket: bucket.Config{Trouble: warnOfBucket(log)}})
	}
	return blob.OpenDir(where, blob.Config{ReadOnly: true})
}

// bucketWriters is how many outputs a sink writes to a bucket at once: each waits for the network most of the time.
const bucketWriters = 16

// bucketConfig says how buckets are reached. It counts requests in reg.
func bucketConfig(log *slog.Logger, reg prometheus.Registerer) bucket.Config {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: "imagefarm", Subsystem: "bucket", Name: "requests_total",
		Help: "HTTP requests to object stores. Faulty ones are repeated.",
	}, []string{"method", "result"})
	var known prometheus.AlreadyRegisteredError
	if err := reg.Register(requests); errors.As(err, &known) { // input and output are both buckets
		requests = known.ExistingCollector.(*prometheus.CounterVec)
	}
	return bucket.Config{
		Observe: func(method string, r bucket.Result) { requests.WithLabelValues(method, string(r)).Inc() },
		Trouble: warnOfBucket(log),
	}
}

// bucketWarnEvery is how often the log repeats that an object store is unavailable.
const bucketWarnEvery = time.Minute

// warnOfBucket returns a function that logs that the object store is unavailable, each time at debug level and now and
// then as a warning. It is safe for concurrent use.
func warnOfBucket(log *slog.Logger) func(error) {
	var mu sync.Mutex
	var warned time.Time
	return func(err error) {
		mu.Lock()
		level := slog.LevelDebug
		if warned.IsZero() || time.Since(warned) >= bucketWarnEvery {
			warned, level = time.Now(), slog.LevelWarn
		}
		mu.Unlock()
		log.Log(context.Background(), level, "the object store is unavailable; the farm waits for it", "error", err)
	}
}
