package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/rejects"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// listeners are told about rejected images.
type listeners struct {
	queues []*rejects.Queue // one for each listener, so that a slow one delays no other
	dir    blob.Store       // nil: none
}

// listenersOf returns the listeners of --reject-dir and --on-reject.
func listenersOf(c *cli.Command, log *slog.Logger) (*listeners, error) {
	l := new(listeners)
	if path := c.String("reject-dir"); path != "" {
		dir, err := openStore(c, path, log, prometheus.NewRegistry())
		if err != nil {
			return nil, err
		}
		l.dir = dir
		l.queues = append(l.queues, rejects.NewQueue(log, rejects.CopyTo(dir)))
	}
	if hook := c.String("on-reject"); hook != "" {
		if u, err := url.Parse(hook); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, usagef("--on-reject %q: it must be an http or https URL", hook)
		}
		l.queues = append(l.queues, rejects.NewQueue(log, rejects.Webhook(hook, new(http.Client))))
	}
	return l, nil
}

func (l *listeners) put(o ventilator.Original, r wire.Receipt) {
	open := func(ctx context.Context) (io.ReadCloser, error) { return o.Open(ctx) }
	for _, q := range l.queues {
		q.Put(rejects.Rejection{Receipt: r, Path: o.Path, Open: open})
	}
}

// listenerDrain bounds how long listeners may take after the run has ended.
const listenerDrain = time.Minute

// with calls do while the listeners run, and waits until they have handled every rejection.
func (l *listeners) with(ctx context.Context, do func(context.Context) error) error {
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var all sync.WaitGroup
	for _, q := range l.queues {
		all.Go(func() { q.Run(listening) })
	}
	err := do(ctx)
	for _, q := range l.queues {
		q.Close()
	}
	timer := time.AfterFunc(listenerDrain, stop)
	defer timer.Stop()
	if ctx.Err() != nil {
		stop() // cut
	}
	all.Wait()
	if l.dir != nil {
		err = errors.Join(err, l.dir.Close())
	}
	return err
}
