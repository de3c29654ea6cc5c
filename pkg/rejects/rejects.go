// Package rejects is two of the listeners that hear of rejected images: one copies the originals aside, one calls a URL.
//
// Who rejects an image knows nothing of who is told. A listener has a queue of its own, so that a slow one is never in
// the way of the farm.
package rejects

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Rejection is what a listener is told.
type Rejection struct {
	wire.Receipt        // outcome rejected, with its reason
	Path         string `json:"path,omitempty"` // where the original is; empty: the ventilator does not know

	Open func(context.Context) (io.ReadCloser, error) `json:"-"` // opens the original as the run found it; needed by CopyTo
}

// Listener does one thing about a rejection. An error says that it could not.
type Listener func(context.Context, Rejection) error

// Queue hands rejections to a listener, in order, in a goroutine of its own.
type Queue struct {
	tell Listener
	log  *slog.Logger

	mu      sync.Mutex
	waiting []Rejection
	more    chan struct{} // has room for one: something waits
	closed  chan struct{}
}

// NewQueue returns a queue before the listener.
func NewQueue(log *slog.Logger, tell Listener) *Queue {
	return &Queue{tell: tell, log: log, more: make(chan struct{}, 1), closed: make(chan struct{})}
}

// Put queues a rejection. It never blocks; a rejection is small, and what waits is bounded by what is rejected.
func (q *Queue) Put(r Rejection) {
	q.mu.Lock()
	q.waiting = append(q.waiting, r)
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// Close lets Run end when nothing waits any more. Call it once, after the last Put.
func (q *Queue) Close() { close(q.closed) }

// Run tells the listener until Close is called and nothing waits, or ctx ends. What it cannot do is logged.
func (q *Queue) Run(ctx context.Context) {
	for {
		q.mu.Lock()
		batch := q.waiting
		q.waiting = nil
		q.mu.Unlock()
		for i, r := range batch {
			if ctx.Err() != nil {
				q.log.Warn("a listener was not told of every rejection", "left", len(batch)-i)
				return
			}
			if err := q.tell(ctx, r); err != nil {
				q.log.Warn("a listener could not be told of a rejection", "file", r.Filename, "error", err)
			}
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			return
		case <-q.closed:
			select {
			case <-q.more: // put before Close
			default:
				return
			}
		}
	}
}

// CopyTo copies each rejected original into dir under its name, and beside it a file NAME.reason that says why.
func CopyTo(dir *blob.Dir) Listener {
	return func(ctx context.Context, r Rejection) error {
		reason := fmt.Sprintf("%s\n%s\n", r.Reason, r.Detail)
		return errors.Join(
			dir.PutFrom(ctx, r.Filename, func() (io.ReadCloser, error) { return r.Open(ctx) }),
			dir.Put(ctx, r.Filename+".reason", []byte(reason)),
		)
	}
}

// The tries of a webhook: five, the last about half a minute after the first.
const (
	hookTries   = 5
	hookPause   = 2 * time.Second
	hookTimeout = 10 * time.Second
)

// Webhook posts each rejection as JSON to url. It tries again, with growing pauses, while the network or the server
// (status 5xx or 429) is at fault.
func Webhook(url string, client *http.Client) Listener {
	return func(ctx context.Context, r Rejection) error {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		pause := hookPause
		for try := 1; ; try++ {
			again, err := post(ctx, client, url, body)
			if err == nil || !again || try == hookTries {
				return err
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(pause/2 + time.Duration(rand.Int64N(int64(pause/2)))):
			}
			pause *= 2
		}
	}
}

func post(ctx context.Context, client *http.Client, url string, body []byte) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return true, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // so that the connection can be used again; the status says it all
	if res.StatusCode >= 300 {
		return res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests, fmt.Errorf("%s answered %s", url, res.Status)
	}
	return false, nil
}
