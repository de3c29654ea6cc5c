package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	pages "github.com/imagefarm/imagefarm/pkg/report"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// reportHandler serves the report of a running sink's runs. It shows small outputs unchanged, since a sink has no
// engine to shrink larger ones.
func reportHandler(s *sink.Sink, cfg sink.Config) http.Handler {
	live := func(context.Context) ([]wire.Run, error) { return s.Status().Runs, nil }
	output := func(_ context.Context, name string) ([]byte, error) {
		size, err := cfg.Outputs().Stat(name)
		if err != nil {
			return nil, err
		}
		if size > pages.MaxPicture {
			return nil, fmt.Errorf("%s has %d bytes, more than %d", name, size, pages.MaxPicture)
		}
		file, err := cfg.Outputs().Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return io.ReadAll(io.LimitReader(file, pages.MaxPicture+1)) // the file may have grown since
	}
	return pages.Handler(pages.WithLive(sink.Reader{Ledger: cfg.Ledger}, live),
		pages.PageConfig{Version: telemetry.Version(), Pictures: pages.Pictures{Output: output}})
}

// reportPage writes the page, with those pictures that it can read.
func reportPage(ctx context.Context, c *cli.Command, b ledgerAccess, log *slog.Logger) error {
	e, err := engineOf(c, log)
	if err != nil {
		return err
	}
	r, err := pages.Read(ctx, withLiveRuns(b), c.String("run"))
	if err != nil {
		return err
	}
	page := pages.PageConfig{Version: telemetry.Version()}
	shrink := shrinker{engine: e, limit: bytesOf(c, "max-message")}
	if dir, err := outputsOf(ctx, c, b); err != nil {
		log.Warn("the page shows no outputs: their directory is not on this machine", "error", err)
	} else if store, err := readStore(ctx, c, dir, b, log); err != nil {
		log.Warn("the page shows no outputs: cannot read their directory", "error", err)
	} else {
		defer store.Close()
		page.Pictures.Output = shrink.from(func(name string) (io.ReadCloser, error) { return store.Open(name) })
	}
	if dir := c.String("photos"); dir != "" {
		photos, err := source.OpenDir(dir, source.Config{})
		if err != nil {
			return usagef("--photos: %v", err)
		}
		page.Pictures.Original = shrink.from(func(name string) (io.ReadCloser, error) { return photos.OpenName(ctx, name) })
	}
	return e.with(ctx, func(ctx context.Context) error {
		return toFile("html", c.String("html"), func(w io.Writer) error { return r.WritePage(ctx, w, page) })
	})
}

// shrinker shrinks pictures for a page.
type shrinker struct {
	engine engine.Engine
	limit  int64 // bytes of a picture
}

// forPage is the recipe of a page's pictures.
const forPage = "page=fit:480x480,format:jpeg,quality:78,background:fff"

func (s shrinker) from(open func(name string) (io.ReadCloser, error)) func(context.Context, string) ([]byte, error) {
	return func(ctx context.Context, name string) ([]byte, error) {
		file, err := open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		data, err := io.ReadAll(io.LimitReader(file, s.limit))
		if err != nil {
			return nil, err
		}
		what, err := recipe.Parse(forPage)
		if err != nil {
			return nil, err
		}
		made, err := s.engine.Transform(ctx, data, what)
		if err != nil {
			return nil, err
		}
		return made.Outputs[0].Data, nil
	}
}

// toFile writes a file atomically; - is standard output.
func toFile(flag, path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(stdout())
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		var at *fs.PathError // it names the temporary file
		if errors.As(err, &at) {
			err = at.Err
		}
		return usagef("--%s: cannot write %q: %v", flag, path, err)
	}
	out := bufio.NewWriter(file)
	err = errors.Join(write(out), out.Flush(), file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
