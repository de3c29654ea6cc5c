package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	pages "github.com/imagefarm/imagefarm/pkg/report"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/urfave/cli/v3"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:  "report",
		Usage: "tell what became of a run: throughput, stages, the slowest, what was refused and why",
		Description: `   farm report --out ~/thumbnails
   farm report --out ~/thumbnails --html report.html --photos ~/Pictures
   farm report --run 20260102-150405-abcd --csv > images.csv
   farm report --json | jq .summary`,
		Flags: concat([]cli.Flag{
			text(whatToTake, "run", "", "the run's name (default: the newest)"),
			yes(showing, "json", "one JSON object: run, images, summary"),
			yes(showing, "csv", "comma-separated values with a header, a line for each image"),
			text(showing, "html", "", "write a page that needs nothing else to this file; - is standard output"),
			text(showing, "photos", "", "directory of the originals, to show some of them on the page"),
			number(limits, "slots", 1, from(0).to(maxSlots), "pictures made smaller at once"),
			bytes(limits, "max-message", "64MiB", from[int64](1).to(maxMessage), "largest picture that is shown"),
		}, engineFlags(), bookFlags()),
		Action: runReport,
	}
}

func runReport(ctx context.Context, c *cli.Command) error {
	forms := 0
	for _, flag := range []string{"json", "csv", "html"} {
		if c.IsSet(flag) && c.String(flag) != "false" {
			forms++
		}
	}
	if forms > 1 {
		return usagef("choose one of --json, --csv and --html")
	}
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	err = withBook(ctx, c, true, func(ctx context.Context, b book) error {
		from := reportBook(b)
		run := c.String("run")
		switch {
		case c.Bool("json"):
			return pages.WriteJSON(ctx, os.Stdout, from, run)
		case c.Bool("csv"):
			return pages.WriteCSV(ctx, os.Stdout, from, run)
		case c.String("html") != "":
			return reportPage(ctx, c, b, log)
		}
		r, err := pages.Read(ctx, from, run)
		if err != nil {
			return err
		}
		return r.WriteText(os.Stdout)
	})
	var unknown *pages.UnknownRunError
	if errors.As(err, &unknown) {
		return usagef("%v", err)
	}
	return err
}

// reportBook is b, with a running sink's fresher word about its runs.
func reportBook(b book) pages.Book {
	client, running := b.(*sinkclient.Client)
	if !running {
		return b
	}
	return pages.WithLive(b, func(ctx context.Context) ([]wire.Run, error) {
		status, err := client.Status(ctx)
		if err != nil {
			return nil, err
		}
		return status.Runs, nil
	})
}

// reportPage writes the page, with pictures where they can be found.
func reportPage(ctx context.Context, c *cli.Command, b book, log *slog.Logger) error {
	e, err := engineOf(c, log)
	if err != nil {
		return err
	}
	r, err := pages.Read(ctx, reportBook(b), c.String("run"))
	if err != nil {
		return err
	}
	page := pages.PageConfig{Version: telemetry.Version()}
	shrink := shrinker{engine: e, limit: bytesOf(c, "max-message")}
	if dir, err := outputsOf(ctx, c, b); err != nil {
		log.Warn("no pictures: the outputs are not here", "error", err)
	} else if store, err := blob.OpenDir(dir, blob.Config{ReadOnly: true}); err != nil {
		log.Warn("no pictures: the outputs cannot be read", "error", err)
	} else {
		defer store.Close()
		page.Pictures.Output = shrink.from(func(name string) (io.ReadCloser, error) { return store.Open(name) })
	}
	if dir := c.String("photos"); dir != "" {
		root, err := os.OpenRoot(dir) // no name leads out of it
		if err != nil {
			return usagef("--photos: %v", err)
		}
		defer root.Close()
		page.Pictures.Original = shrink.from(func(name string) (io.ReadCloser, error) { return openRegular(root, name) })
	}
	return e.with(ctx, func(ctx context.Context) error {
		return toFile(c.String("html"), func(w io.Writer) error { return r.WritePage(ctx, w, page) })
	})
}

// openRegular opens a file and nothing that may wait for ever.
func openRegular(root *os.Root, name string) (io.ReadCloser, error) {
	name = filepath.FromSlash(name)
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrInvalid)
	}
	return root.Open(name)
}

// shrinker makes pictures small enough for a page.
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

// toFile writes a file whole or not at all; - is standard output.
func toFile(path string, write func(io.Writer) error) error {
	if path == "-" {
		return write(os.Stdout)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return usagef("--html: %v", err)
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
