package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"

	pages "github.com/imagefarm/imagefarm/pkg/report"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// reportHandler serves the report of a running sink's runs. It shows outputs that are small enough as they are: a sink has
// no engine to make them smaller, and thumbnails need none.
func reportHandler(s *sink.Sink, cfg sink.Config) http.Handler {
	live := func(context.Context) ([]wire.Run, error) { return s.Status().Runs, nil }
	output := func(_ context.Context, name string) ([]byte, error) {
		size, err := cfg.Out.Stat(name)
		if err != nil {
			return nil, err
		}
		if size > pages.MaxPicture {
			return nil, fmt.Errorf("%s has %d bytes, more than %d", name, size, pages.MaxPicture)
		}
		file, err := cfg.Out.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return io.ReadAll(io.LimitReader(file, pages.MaxPicture+1)) // it may have grown since
	}
	return pages.Handler(pages.WithLive(sink.Book{Ledger: cfg.Ledger}, live),
		pages.PageConfig{Version: telemetry.Version(), Pictures: pages.Pictures{Output: output}})
}
