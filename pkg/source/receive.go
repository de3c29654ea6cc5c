package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// response is an answer of a web server, to be read within the time of its request.
type response struct {
	*http.Response
	limit *timeLimit
}

// received is an image that a web server sent.
type received struct {
	*bytes.Reader
	room *room
}

// Close implements io.Closer. The image is not read afterwards.
func (r *received) Close() error {
	r.room.release()
	return nil
}

// firstRead is how many bytes are read of an image before more memory is taken for it.
const firstRead = 64 << 10

// body reads the content of a response. It takes room for as many bytes as the server announces before it reads any,
// and otherwise for a piece, and then for twice as many each time. The time of the request stands still while it
// waits for room.
func (f *fetcher) body(r *response) (*received, error) {
	most := f.cfg.MaxBody
	if r.ContentLength > most {
		return nil, outcome.Reject(outcome.TooLarge, "%d bytes, the limit is %d", r.ContentLength, most)
	}
	if r.ContentLength >= 0 {
		most = r.ContentLength
	}
	in := &received{room: &room{of: f.cfg.Memory}}
	data, err := f.receive(r, in.room, most)
	switch {
	case int64(len(data)) > f.cfg.MaxBody:
		err = outcome.Reject(outcome.TooLarge, "more than %d bytes", f.cfg.MaxBody)
	case errors.Is(err, io.EOF):
		err = nil
	}
	if err != nil {
		in.room.release()
		return nil, err
	}
	in.Reader = bytes.NewReader(data)
	return in, nil
}

// receive reads a body to its end, or one byte more than most. The error at the end is io.EOF.
func (f *fetcher) receive(r *response, room *room, most int64) (data []byte, err error) {
	take := func(n int64) error { return room.grow(r.limit.parent, n, r.limit.pause, r.limit.resume) }
	if r.ContentLength >= 0 {
		if err := take(most); err != nil {
			return nil, err
		}
	}
	data = make([]byte, 0, min(firstRead, most+1))
	for err == nil && int64(len(data)) <= most {
		if len(data) == cap(data) {
			size := min(2*int64(cap(data)), most+1)
			if err := take(min(size, most)); err != nil {
				return nil, err
			}
			data = append(make([]byte, 0, size), data...)
		}
		var n int
		n, err = r.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
	}
	return data, err
}

// timeLimit ends a request that takes too long.
type timeLimit struct {
	parent context.Context // without the limit
	most   time.Duration
	left   time.Duration // from begun on
	begun  time.Time
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// errSlow ends a request.
var errSlow = errors.New("it takes too long")

// newTimeLimit returns a limit that begins now, and the context that it ends.
func newTimeLimit(parent context.Context, most time.Duration) (*timeLimit, context.Context) {
	ctx, cancel := context.WithCancelCause(parent)
	t := &timeLimit{parent: parent, most: most, left: most, begun: time.Now(), cancel: cancel}
	t.timer = time.AfterFunc(most, func() { cancel(errSlow) })
	return t, ctx
}

// pause stops the time, and resume continues it.
func (t *timeLimit) pause() {
	t.timer.Stop()
	t.left -= time.Since(t.begun)
}

func (t *timeLimit) resume() {
	t.begun = time.Now()
	t.timer.Reset(max(t.left, 0))
}

// end frees what the limit uses.
func (t *timeLimit) end() {
	t.timer.Stop()
	t.cancel(nil)
}

// explain returns the error of a request: if the limit ended it, one that says so.
func (t *timeLimit) explain(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		return fmt.Errorf("the server has not sent all of it within %v (--url-timeout)", t.most)
	}
	return err
}
