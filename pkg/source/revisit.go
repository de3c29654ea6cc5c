package source

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// revisitor is a source that asks a server only whether an entry is still as an earlier run knew it.
type revisitor interface {
	// revisit is Identify of an entry whose Validators were known. With h it holds the content if it is another one.
	revisit(ctx context.Context, e Entry, known string, h *Holder) Entry
	validators(e Entry) string
}

// Validators returns the part of an entry's Version that Revisit takes in a later run; empty: it has none.
func Validators(s Source, e Entry) string {
	if r, is := s.(revisitor); is {
		return r.validators(e)
	}
	return ""
}

// Revisit is Identify of an entry of which an earlier run noted the validators known. A server is asked once: it says
// that the content is the same, or sends the new one, which h holds for Open. Without h it is not sent.
func Revisit(ctx context.Context, s Source, e Entry, known string, h *Holder) Entry {
	if r, is := s.(revisitor); is {
		return r.revisit(ctx, e, known, h)
	}
	return Identify(ctx, s, e)
}

// KnownVersion returns the Version of an entry that had these validators.
func KnownVersion(e Entry, validators string) string { return e.Location + "\x00" + validators }

// MaxValidators bounds what Validators returns, bytes.
const MaxValidators = 1 << 10

// Holder holds contents that were fetched ahead of their turn, until Open or Release. Its methods may be called
// concurrently.
type Holder struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	freed chan struct{} // closed when bytes falls; nil: nobody waits
}

// NewHolder returns a holder that is full at a number of bytes.
func NewHolder(limit int64) *Holder { return &Holder{limit: limit} }

// Full reports whether no more should be fetched for now.
func (h *Holder) Full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bytes >= h.limit
}

// Wait waits until the holder is not full and has room for n bytes, at most its limit. It returns how much room it has.
// The error is the context's cause.
func (h *Holder) Wait(ctx context.Context, n int64) (room int64, err error) {
	for {
		h.mu.Lock()
		if room := h.limit - h.bytes; room > 0 && n <= room {
			h.mu.Unlock()
			return room, context.Cause(ctx)
		}
		if h.freed == nil {
			h.freed = make(chan struct{})
		}
		freed := h.freed
		h.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// reserve counts n bytes as held if there is room for them.
func (h *Holder) reserve(n int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n > h.limit-h.bytes {
		return false
	}
	h.bytes += n
	return true
}

// hold holds the content of an entry.
func (h *Holder) hold(e *Entry, data *received) {
	h.add(data.Size())
	e.held = &heldBody{holder: h, data: data.Reader}
	data.room.release() // h counts it from now on
}

func (h *Holder) add(n int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bytes += n; n < 0 && h.freed != nil {
		close(h.freed)
		h.freed = nil
	}
}

// heldBody is the content of one entry.
type heldBody struct {
	holder *Holder

	mu   sync.Mutex
	data *bytes.Reader // nil: taken, or released
}

// take returns the content, once.
func (b *heldBody) take() *bytes.Reader {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	data := b.data
	if b.data = nil; data != nil {
		b.holder.add(-data.Size())
	}
	return data
}

// open returns the content as Open does; nil: it is not held.
func (b *heldBody) open() *File {
	data := b.take()
	if data == nil {
		return nil
	}
	return &File{Reader: data, Closer: noCloser{}, Size: data.Size()}
}

// IsHeld reports whether the content of the entry is held.
func (e *Entry) IsHeld() bool { return e.held != nil }

// Release drops the content of the entry, if it is held. Open fetches it then.
func (e *Entry) Release() { e.held.take() }

// marks returns what tells the content of a response from another: its ETag, its time in seconds since 1970 and its
// size in bytes, −1 if unknown.
func (a answer) marks() string {
	return fmt.Sprintf("%s\x00%d\x00%d", a.etag, a.modified.Unix(), a.size)
}

// parseMarks reads what marks returned.
func parseMarks(text string) (a answer, ok bool) {
	parts := strings.Split(text, "\x00")
	if len(parts) != 3 {
		return a, false
	}
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	size, sizeErr := strconv.ParseInt(parts[2], 10, 64)
	a = answer{etag: parts[0], size: size}
	if at := time.Unix(seconds, 0).UTC(); at.Year() >= 1970 { // the zero time of a server that tells none is before
		a.modified = at
	}
	return a, err == nil && sizeErr == nil
}

// conditions returns the header of a request that is to be answered with the content only if it is not a.
func (a answer) conditions() http.Header {
	h := make(http.Header)
	if a.etag != "" {
		h.Set("If-None-Match", a.etag)
	}
	if !a.modified.IsZero() {
		h.Set("If-Modified-Since", a.modified.Format(http.TimeFormat))
	}
	return h
}

// isSame reports whether a response has the content of a, although the server sends it again.
func (a answer) isSame(now answer) bool {
	if a.size >= 0 && now.size >= 0 && a.size != now.size {
		return false
	}
	if a.etag != "" || now.etag != "" {
		return strings.TrimPrefix(a.etag, "W/") == strings.TrimPrefix(now.etag, "W/")
	}
	return !a.modified.IsZero() && a.modified.Equal(now.modified)
}

func (u *URLs) validators(e Entry) string {
	_, marks, _ := strings.Cut(e.Version, "\x00")
	if a, ok := parseMarks(marks); !ok || len(a.conditions()) == 0 || len(marks) > MaxValidators {
		return ""
	}
	return marks
}

func (u *URLs) revisit(ctx context.Context, e Entry, known string, h *Holder) Entry {
	before, ok := parseMarks(known)
	if !ok || len(before.conditions()) == 0 {
		return u.identify(ctx, e)
	}
	now, data, err := u.fetch.revisit(ctx, e.Location, before, h != nil)
	if data != nil {
		h.hold(&e, data)
	}
	if err == nil && now == before {
		e.Size, e.Modified, e.Version = max(0, before.size), before.modified, KnownVersion(e, known)
		return e
	}
	return u.complete(e, now, err)
}

// revisit asks whether the content is still that of before. Then it returns before, and no data. With body it returns
// the other content, otherwise only what the server says of it. A host that once sent what had not changed is asked
// without body from then on.
func (f *fetcher) revisit(
	ctx context.Context, at string, before answer, body bool,
) (now answer, data *received, err error) {
	method, host := http.MethodGet, hostOf(at)
	if body = body && !f.isUnconditional(host); !body {
		method = http.MethodHead
	}
	err = f.request(ctx, method, at, before.conditions(), func(r *response) (err error) {
		now = answerOf(r.Response)
		switch {
		case r.StatusCode == http.StatusNotModified:
			now = before
			return nil
		case before.isSame(now):
			now = before
			f.noteUnconditional(host)
			return nil
		}
		if body {
			data, err = f.body(r)
		}
		return err
	})
	return now, data, err
}

func hostOf(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return ""
	}
	return u.Host
}

func (s *shards) revisit(ctx context.Context, e Entry, known string, h *Holder) Entry {
	if e.in != nil {
		return e
	}
	return Revisit(ctx, s.base, e, known, h)
}

func (s *shards) validators(e Entry) string {
	if e.in != nil {
		return ""
	}
	return Validators(s.base, e)
}
