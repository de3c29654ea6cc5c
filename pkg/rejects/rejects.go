// Package rejects informs others of rejected images: CopyTo copies the originals to a directory, Webhook calls a URL.
//
// The ventilator that rejects an image does not know its listeners. Each listener has a queue of its own, so that a
// slow one delays neither the farm nor another listener.
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

// Rejection is a rejected image.
type Rejection struct {
	wire.Receipt        // outcome rejected, with its reason
	Path         string `json:"path,omitempty"` // where the original is; empty: the ventilator does not know

	// Opens the original as the run found it; needed by CopyTo
	Open func(context.Context) (io.ReadCloser, error) `json:"-"`
}

// Listener handles one rejection. Its error says what it could not do.
type Listener func(context.Context, Rejection) error

// Queue passes rejections to a listener, in order and one at a time.
type Queue struct {
	listener Listener
	log      *slog.Logger

	mu      sync.Mutex
	waiting []Rejection
	more    chan struct{} // holds a token if rejections wait
	closed  chan struct{}
}

// NewQueue returns a queue for the listener. Run empties it.
func NewQueue(log *slog.Logger, listener Listener) *Queue {
	return &Queue{listener: listener, log: log, more: make(chan struct{}, 1), closed: make(chan struct{})}
}

// Put queues a rejection. It never blocks; the queue grows as long as the listener is slower than the farm rejects.
func (q *Queue) Put(r Rejection) {
	q.mu.Lock()
	q.waiting = append(q.waiting, r)
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// Close makes Run return when the queue is empty. Call it once, after the last Put.
func (q *Queue) Close() { close(q.closed) }

// Run calls the listener with each rejection until the queue is closed and empty, or ctx ends. It logs the
// listener's errors.
func (q *Queue) Run(ctx context.Context) {
	for {
		q.mu.Lock()
		batch := q.waiting
		q.waiting = nil
		q.mu.Unlock()
		for i, r := range batch {
			if ctx.Err() != nil {
				q.log.Warn("rejections were not passed on: the run was cancelled", "left", len(batch)-i)
				return
			}
			if err := q.listener(ctx, r); err != nil {
				q.log.Warn("a rejection could not be passed on", "file", r.Filename, "error", err)
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
func CopyTo(dir blob.Store) Listener {
	return func(ctx context.Context, r Rejection) error {
		reason := fmt.Sprintf("%s\n%s\n", r.Reason, r.Detail)
		return errors.Join(
			dir.PutFrom(ctx, r.Filename, func() (io.ReadCloser, error) { return r.Open(ctx) }),
			dir.Put(ctx, r.Filename+".reason", []byte(reason)),
		)
	}
}

// A webhook is called up to five times, the last about half a minute after the first.
const (
	hookTries   = 5
	hookPause   = 2 * time.Second
	hookTimeout = 10 * time.Second
)

// Webhook posts each rejection as JSON to url. It retries with growing pauses while the network fails or the server
// answers with 5xx or 429. It follows a redirection only to the same scheme, host and port, so that a server cannot
// make this machine call another one.
func Webhook(url string, client *http.Client) Listener {
	staying := *client
	staying.CheckRedirect = stay
	client = &staying
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

// stay is a CheckRedirect.
func stay(next *http.Request, via []*http.Request) error {
	first := via[0].URL
	if next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return fmt.Errorf("a redirection to %s://%s is not followed", next.URL.Scheme, next.URL.Host)
	}
	if len(via) > 5 {
		return errors.New("too many redirections")
	}
	return nil
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
	// So that the connection can be reused; the body says nothing more
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	if res.StatusCode >= 300 {
		return res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests, fmt.Errorf("%s answered %s", url,
			res.Status)
	}
	return false, nil
}
