package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Web says how web servers are asked. The zero value is polite.
type Web struct {
	Column       string        // the column of a list that holds URLs; default: url
	Connections  int           // to one host at a time; default 2
	Interval     time.Duration // between two requests to one host; default 200 ms
	Timeout      time.Duration // of one request with its body; default 1 min
	MaxBody      int64         // of an image, bytes; default 64 MiB
	AllowPrivate bool          // also connect to addresses of private networks and of this machine
	IgnoreOptOut bool          // also take images whose server sends X-Robots-Tag: noai or noindex
	Memory       *Memory       // of the images that were received; default: without a limit
}

func (w Web) withDefaults() Web {
	if w.Column == "" {
		w.Column = "url"
	}
	if w.Connections == 0 {
		w.Connections = 2
	}
	if w.Interval == 0 {
		w.Interval = 200 * time.Millisecond
	}
	if w.Timeout == 0 {
		w.Timeout = time.Minute
	}
	if w.MaxBody == 0 {
		w.MaxBody = 64 << 20
	}
	return w
}

// userAgent tells servers who asks.
const userAgent = "imagefarm/1 (+https://github.com/imagefarm/imagefarm)"

// Limits of one fetch.
const (
	maxRedirects  = 5
	maxTries      = 4                // requests that are answered with 429 or 503
	firstWait     = time.Second      // after the first of them, unless the server names a time
	maxWait       = 2 * time.Minute  // that a server may ask for
	connectLimit  = 10 * time.Second // to connect, and for TLS
	maxHeaderSize = 64 << 10         // bytes
)

// fetcher requests images politely. Its methods may be called concurrently.
type fetcher struct {
	cfg    Web
	client *http.Client

	mu    sync.Mutex
	hosts map[string]*host
}

// host is what the fetcher knows of one server.
type host struct {
	places chan struct{} // holds a token for each connection in use
	next   time.Time     // of the next request; guarded by fetcher.mu

	unconditional bool // it sends an image again although it has not changed; guarded by fetcher.mu
}

// maxHosts is how many hosts are remembered. Beyond, those without requests are forgotten.
const maxHosts = 10_000

func newFetcher(cfg Web) *fetcher {
	cfg = cfg.withDefaults()
	dialer := &net.Dialer{Timeout: connectLimit}
	if !cfg.AllowPrivate {
		dialer.ControlContext = refusePrivate
	}
	return &fetcher{cfg: cfg, hosts: make(map[string]*host), client: &http.Client{
		Transport: &http.Transport{ // without a proxy, which would connect where we must not
			DialContext: dialer.DialContext, TLSHandshakeTimeout: connectLimit,
			MaxResponseHeaderBytes: maxHeaderSize, DisableCompression: true, IdleConnTimeout: 10 * time.Second,
			MaxIdleConns: 64, MaxIdleConnsPerHost: cfg.Connections, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// wait waits until a request to a host may begin, and returns what is to be called after it.
func (f *fetcher) wait(ctx context.Context, name string) (done func(), err error) {
	f.mu.Lock()
	h := f.hosts[name]
	if h == nil {
		for old, is := range f.hosts {
			if len(f.hosts) >= maxHosts && len(is.places) == 0 && time.Now().After(is.next) {
				delete(f.hosts, old)
			}
		}
		h = &host{places: make(chan struct{}, f.cfg.Connections)}
		f.hosts[name] = h
	}
	f.mu.Unlock()
	select {
	case h.places <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	done = func() { <-h.places }
	f.mu.Lock()
	now := time.Now()
	at := h.next
	if at.Before(now) {
		at = now
	}
	h.next = at.Add(f.cfg.Interval)
	f.mu.Unlock()
	select {
	case <-time.After(time.Until(at)):
		return done, nil
	case <-ctx.Done():
		done()
		return nil, context.Cause(ctx)
	}
}

// postpone keeps all requests to a host back for a while.
func (f *fetcher) postpone(name string, d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h, until := f.hosts[name], time.Now().Add(d); h != nil && h.next.Before(until) {
		h.next = until
	}
}

// isUnconditional reports whether a host ignores conditions of requests, as far as is known.
func (f *fetcher) isUnconditional(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[name]
	return h != nil && h.unconditional
}

// noteUnconditional notes that a host has sent an image again that had not changed.
func (f *fetcher) noteUnconditional(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h := f.hosts[name]; h != nil {
		h.unconditional = true
	}
}

// answer is what a server says of an image.
type answer struct {
	etag     string
	modified time.Time
	size     int64 // bytes; −1: unknown
}

// head asks about an image. The error is a *outcome.Rejection if the server refuses for good.
func (f *fetcher) head(ctx context.Context, at string) (a answer, err error) {
	err = f.request(ctx, http.MethodHead, at, nil, func(r *response) error {
		a = answerOf(r.Response)
		return nil
	})
	return a, err
}

func answerOf(r *http.Response) answer {
	a := answer{etag: strings.ReplaceAll(r.Header.Get("ETag"), "\x00", ""), size: r.ContentLength}
	a.modified, _ = http.ParseTime(r.Header.Get("Last-Modified")) // zero: the server does not say
	return a
}

// get fetches an image. With an ETag the error is ErrChanged if the server names another one. The caller releases the
// image.
func (f *fetcher) get(ctx context.Context, at, etag string) (data *received, err error) {
	err = f.request(ctx, http.MethodGet, at, nil, func(r *response) (err error) {
		if is := r.Header.Get("ETag"); etag != "" && is != "" && is != etag {
			return ErrChanged
		}
		data, err = f.body(r)
		return err
	})
	return data, err
}

// request does a request, follows redirections, and tries again later when the server is busy. take gets a good
// response. With conditions, "not modified" is one, too.
func (f *fetcher) request(
	ctx context.Context, method, at string, conditions http.Header, take func(*response) error,
) error {
	wait := firstWait
	tries := 1
	for hops := 0; ; {
		next, later, err := f.once(ctx, method, at, conditions, take)
		switch {
		case next != "":
			if hops++; hops > maxRedirects {
				return outcome.Reject(outcome.Forbidden, "the server redirects more than %d times", maxRedirects)
			}
			at = next
		case later >= 0 && tries < maxTries:
			if later == 0 {
				later = wait/2 + rand.N(wait)
				wait *= 2
			}
			tries++
			if u, err := url.Parse(at); err == nil {
				f.postpone(u.Host, later)
			}
		default:
			return err
		}
	}
}

// once does one request. next is where it is redirected to. later is how long to wait before the next try, 0 if the
// server names no time, −1 if there is to be none.
func (f *fetcher) once(
	ctx context.Context, method, at string, conditions http.Header, take func(*response) error,
) (next string, later time.Duration, err error) {
	u, err := url.Parse(at)
	if err != nil {
		return "", -1, err
	}
	done, err := f.wait(ctx, u.Host)
	if err != nil {
		return "", -1, err
	}
	defer done()
	limit, ctx := newTimeLimit(ctx, f.cfg.Timeout)
	defer limit.end()
	defer func() { err = limit.explain(ctx, err) }()
	req, err := http.NewRequestWithContext(ctx, method, at, nil)
	if err != nil {
		return "", -1, err
	}
	maps.Copy(req.Header, conditions)
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "image/*")
	req.Header.Set("Accept-Encoding", "identity") // an image that is packed once more is none
	res, err := f.client.Do(req)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the URL, which whoever reports the error names
	}
	if err != nil {
		return "", -1, err
	}
	defer res.Body.Close()
	switch code := res.StatusCode; {
	case code == http.StatusOK, code == http.StatusNotModified && len(conditions) > 0:
		if why := f.refuse(res); why != nil {
			return "", -1, why
		}
		return "", -1, take(&response{res, limit})
	case code >= 300 && code < 400 && res.Header.Get("Location") != "":
		to, err := u.Parse(res.Header.Get("Location"))
		if err != nil || to.Scheme != "http" && to.Scheme != "https" {
			return "", -1, outcome.Reject(outcome.Forbidden, "the server redirects to something that is no http or https URL")
		}
		return to.String(), -1, nil
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return "", retryAfter(res.Header), fmt.Errorf("the server answers %s", res.Status)
	case code == http.StatusNotFound || code == http.StatusGone:
		return "", -1, outcome.Reject(outcome.NotFound, "the server answers %s", res.Status)
	case method == http.MethodHead && (code == http.StatusMethodNotAllowed || code == http.StatusNotImplemented):
		return "", -1, errors.New("the server takes no HEAD requests")
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooEarly:
		return "", -1, outcome.Reject(outcome.Forbidden, "the server answers %s", res.Status)
	}
	return "", -1, fmt.Errorf("the server answers %s", res.Status)
}

// refuse returns why an image is not taken although the server gives it.
func (f *fetcher) refuse(r *http.Response) error {
	if optsOut(r.Header) && !f.cfg.IgnoreOptOut {
		return outcome.Reject(outcome.OptedOut, "the server asks by X-Robots-Tag that machines leave the image alone")
	}
	if r.StatusCode == http.StatusNotModified { // its other headers tell of no content
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "text/html" {
		return outcome.Reject(outcome.NotAnImage, "the server sends a page (%s) instead of an image", kind)
	}
	return nil
}

// optsOut reports whether X-Robots-Tag asks machines not to use the image. Directives for another named robot do not
// count.
func optsOut(h http.Header) bool {
	for _, value := range h.Values("X-Robots-Tag") {
		robot, directives, named := strings.Cut(value, ":")
		if robot = strings.ToLower(strings.TrimSpace(robot)); named && !strings.Contains(robot, ",") && !hasValue(robot) {
			if robot != "imagefarm" {
				continue
			}
			value = directives
		}
		for word := range strings.SplitSeq(strings.ToLower(value), ",") {
			switch strings.TrimSpace(word) {
			case "noai", "noimageai", "noindex", "none":
				return true
			}
		}
	}
	return false
}

// hasValue reports whether a directive of X-Robots-Tag has a value behind a colon, as the name of a robot has
// directives.
func hasValue(directive string) bool {
	return strings.HasPrefix(directive, "max-") || directive == "unavailable_after"
}

// retryAfter returns how long a busy server asks to be left alone; 0: it does not say.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), int(maxWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), maxWait)
	}
	return 0
}

// refusalOf returns the rejection that an error of a fetch means; nil: a later fetch may succeed.
func refusalOf(err error) *outcome.Rejection {
	var refused *outcome.Rejection
	var dns *net.DNSError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &dns) && dns.IsNotFound:
		return outcome.Reject(outcome.NotFound, "there is no host %q", dns.Name)
	}
	return nil
}
