package cli

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
)

// refuseSinkInInput refuses a run whose sink, on this machine, writes its outputs right beside the images that the run
// reads. A sink that does not answer now is asked later, for other things.
func refuseSinkInInput(ctx context.Context, cfg *ventilator.Config, log *slog.Logger) error {
	if cfg.Control == ventilator.NoSink {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	client, err := sinkclient.Dial(cfg.Network.WithLogger(log), cfg.Control)
	if err != nil {
		return usagef("--sink: %v", err)
	}
	defer client.Close()
	status, err := client.Status(ctx)
	if err != nil || !inBucket(status.Out) && (status.Host != cfg.Host || !filepath.IsAbs(placeOf(status.Out))) {
		return nil
	}
	return refuseInput("outputs", "out", status.Out, cfg.Inputs)
}

// refuseInput refuses the directory of a flag if it is itself an input: the next run would take what is written there
// for images. A directory further down is left out of the walk.
func refuseInput(what, flag, dir string, inputs []string) error {
	dir = placeOf(dir)
	for _, in := range inputs {
		if source.IsBucketAround(in, dir) {
			return usagef("%s would go to %q, among the images of the input %q: choose another --%s outside it", what, dir, in,
				flag)
		}
		if source.IsDir(in, dir) {
			return usagef(
				"%s would go to %q, among the images of the input %q: choose another --%s, which may be a directory below it",
				what,
				dir,
				in,
				flag,
			)
		}
	}
	return nil
}
