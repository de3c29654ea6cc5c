package cli

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
)

// refuseOutputInside refuses a run whose sink, on this machine, writes into a directory that the run reads: the next run
// would make thumbnails of thumbnails. A sink that does not answer now is asked later, for other things.
func refuseOutputInside(ctx context.Context, cfg *ventilator.Config, log *slog.Logger) error {
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
	if err != nil || status.Host != cfg.Host || !filepath.IsAbs(status.Out) {
		return nil
	}
	return refuseInside("outputs", "out", status.Out, cfg.Inputs)
}

// refuseInside refuses a directory, the flag's, for what is written there if a run reads it: the next run would find it.
func refuseInside(what, flag, dir string, inputs []string) error {
	for _, in := range inputs {
		info, err := os.Stat(in)
		if err != nil || !info.IsDir() {
			continue
		}
		inside, err := ventilator.Inside(dir, in)
		if err != nil {
			return usagef("%v", err)
		}
		if inside {
			return usagef("%s would go to %q, inside the input %q: choose another --%s", what, dir, in, flag)
		}
	}
	return nil
}
