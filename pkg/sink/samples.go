package sink

import (
	"context"
	"errors"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file is what a sink that writes shards does otherwise: writers only reserve the keys of outputs, and the
// committer adds the outputs of a group to the shards, so that a shard and the ledger end with the same image.

// errStored says that a worker's outputs are not here.
var errStored = errors.New("this farm writes its outputs into shards, which only the sink does: " +
	"start the worker without --out, so that it sends them")

// Outputs returns the store that outputs are read from.
func (c *Config) Outputs() blob.Reader {
	if c.Shards != nil {
		return c.Shards
	}
	return c.Out
}

// reserve reserves the keys of the outputs of r. It drops the bytes of outputs that the shards hold already.
func (ws *writers) reserve(ctx context.Context, r *wire.Result) error {
	var names []string
	for i := range r.Outputs {
		o := &r.Outputs[i]
		if o.Data == nil {
			return errStored
		}
		var there bool
		err := ws.retryDisk(ctx, "outputs", func() (err error) {
			there, err = ws.cfg.Shards.Holds(o.Name, o.Data)
			return err
		})
		if err != nil {
			return err
		}
		if there { // the same image was made again
			o.Data = nil
			continue
		}
		names = append(names, o.Name)
	}
	return ws.retryDisk(ctx, "outputs", func() error { return ws.cfg.Shards.Reserve(names) })
}

// addSamples adds the outputs of a batch to the shards, and makes them durable.
func (c *committer) addSamples(ctx context.Context, batch []work) (g *shard.Group, err error) {
	var samples []shard.Sample
	for i := range batch {
		if r := batch[i].result; r != nil {
			for _, o := range r.Outputs {
				if o.Data != nil {
					samples = append(samples, sampleOf(r, o))
				}
			}
		}
	}
	err = c.retryDisk(ctx, "outputs", func() error {
		g, err = c.cfg.Shards.Append(ctx, samples)
		return err
	})
	return g, err
}

func sampleOf(r *wire.Result, o wire.Output) shard.Sample {
	carried, _ := wire.DecodeCarried(r.Carried) // the decoder of results has checked it
	about := shard.About{
		Width: o.Width, Height: o.Height, Filename: r.Filename, Source: carried.URL, Columns: carried.Columns,
	}
	if r.Known != nil {
		about.ThumbHash = r.Known.ThumbHash
	}
	if about.Source == "" {
		about.Source = imageOf(r.Source, r.Filename)
	}
	sample := shard.Sample{Name: o.Name, Data: o.Data, About: about, Sidecars: make(map[string][]byte)}
	for ext, text := range carried.Sidecars {
		sample.Sidecars[ext] = []byte(text)
	}
	return sample
}

// appendEntries adds entries to the ledger, and with them the samples of g; nil: there are none. With a
// blob.ErrUnavailable it may be called again.
func (c *core) appendEntries(entries []ledger.Entry, g *shard.Group) (duplicate []bool, err error) {
	if g == nil {
		duplicate, err = c.cfg.Ledger.Append(entries)
	} else {
		duplicate, err = c.cfg.Ledger.AppendSamples(entries, g.Samples, g.After)
	}
	if errors.Is(err, ledger.ErrUnavailable) {
		return duplicate, errors.Join(blob.ErrUnavailable, err)
	}
	return duplicate, err
}

// sealWhenIdle asks the committer to publish the open shard if no run is live.
func (c *core) sealWhenIdle() {
	if c.cfg.Shards == nil || c.runs.anyLive() {
		return
	}
	select {
	case c.sealing <- struct{}{}:
	default: // it is asked already
	}
}
