// Package bucket reads and writes objects in buckets of Amazon S3 and of stores that speak its protocol, such as MinIO,
// Cloudflare R2, Ceph and Google Cloud Storage.
//
// Endpoint, region and credentials come from the environment variables and files of the AWS command line
// (environ.go). The client retries requests that the store answers with SlowDown, 429 or 5xx, and those whose
// connection is reset. It backs off with jitter between two tries. When all tries have failed, the error is an
// ErrUnavailable. Insist waits until it is over.
package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
)

// Scheme begins the text of a Location.
const Scheme = "s3://"

// Location is a place in a bucket: the objects whose keys begin with a prefix.
type Location struct {
	Bucket string
	Prefix string // without slashes at its ends; empty: the whole bucket
}

// Is reports whether the text of an argument or a flag means a bucket.
func Is(text string) bool { return strings.HasPrefix(text, Scheme) }

// Parse returns the location that a text such as s3://bucket/prefix names.
func Parse(text string) (Location, error) {
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(text, Scheme), "/")
	l := Location{Bucket: bucket, Prefix: strings.Trim(prefix, "/")}
	if !Is(text) || bucket == "" || strings.ContainsAny(bucket, "?#@: ") {
		return l, fmt.Errorf("%q does not name a bucket: write s3://BUCKET or s3://BUCKET/PREFIX", text)
	}
	return l, nil
}

// String returns the text from which Parse makes l.
func (l Location) String() string { return strings.TrimSuffix(Scheme+l.Bucket+"/"+l.Prefix, "/") }

// Key returns the key of the object of that name at l.
func (l Location) Key(name string) string {
	if l.Prefix == "" {
		return name
	}
	return l.Prefix + "/" + name
}

// Contains reports whether other is l, or a place further down in it.
func (l Location) Contains(other Location) bool {
	return l.Bucket == other.Bucket &&
		(l.Prefix == "" || l.Prefix == other.Prefix || strings.HasPrefix(other.Prefix, l.Prefix+"/"))
}

// Config is how a Client works. The zero Config is valid.
type Config struct {
	// Getenv returns an environment variable. Default: os.Getenv.
	Getenv func(string) string

	// Tries is how often a request is sent before the store counts as unavailable. Default: 10.
	Tries int

	// Observe is called after each HTTP request with its method and with what came of it. It may be called concurrently.
	// Default: not called.
	Observe func(method string, r Result)

	// Trouble is called by Insist while the store is unavailable, before each pause. Default: not called.
	Trouble func(error)
}

// Result is what came of one HTTP request.
type Result string

// The results.
const (
	OK      Result = "ok"      // the store did what was asked
	Refused Result = "refused" // the store refused for good: 4xx
	Faulty  Result = "faulty"  // SlowDown, 429, 5xx, or no answer: the request is repeated
)

// Client works on the objects of one location. Its methods may be called concurrently.
type Client struct {
	at       Location
	endpoint string // URL
	cfg      Config
	core     minio.Core
	http     *http.Transport

	unconditional atomic.Bool // the store has answered that it knows no conditions of uploads
}

// Timeouts of a request. How long a whole body takes depends on its size; silence does not.
const (
	dialTimeout   = 10 * time.Second
	headerTimeout = time.Minute
)

// maxIdle is how many connections to a store are kept open for later requests.
const maxIdle = 64

// Dial returns a client of the location that a text such as s3://bucket/prefix names. It sends nothing.
func Dial(text string, cfg Config) (*Client, error) {
	at, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if cfg.Getenv == nil {
		cfg.Getenv = os.Getenv
	}
	e, err := readEnviron(cfg.Getenv)
	if err != nil {
		return nil, err
	}
	endpoint, err := url.Parse(e.endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" ||
		strings.Trim(endpoint.Path, "/") != "" {
		return nil, fmt.Errorf("the endpoint %q of the object store is no http or https URL without a path: "+
			"correct AWS_ENDPOINT_URL", e.endpoint)
	}
	transport := &http.Transport{
		Proxy:        http.ProxyFromEnvironment,
		DialContext:  (&net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: headerTimeout,
		DisableCompression: true, // the bytes of an object are its bytes
	}
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds: e.credentials(&http.Client{Transport: transport, Timeout: dialTimeout}), Secure: endpoint.Scheme == "https",
		Region: e.region, BucketLookup: e.lookup, Transport: &observer{transport, cfg.Observe},
		MaxRetries: cfg.Tries,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot use the object store at %s: %w", e.endpoint, err)
	}
	client.SetAppInfo("imagefarm", "1")
	return &Client{at: at, endpoint: e.endpoint, cfg: cfg, core: minio.Core{Client: client}, http: transport}, nil
}

// Location returns the location that the client works on.
func (c *Client) Location() Location { return c.at }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// observer reports what came of each request.
type observer struct {
	next    http.RoundTripper
	observe func(method string, r Result)
}

// RoundTrip implements http.RoundTripper.
func (o *observer) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := o.next.RoundTrip(req)
	if o.observe != nil {
		switch {
		case err != nil && req.Context().Err() != nil: // the caller gave up
		case err != nil || res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests:
			o.observe(req.Method, Faulty)
		case res.StatusCode >= 400:
			o.observe(req.Method, Refused)
		default:
			o.observe(req.Method, OK)
		}
	}
	return res, err
}

// Object is what the store says of an object.
type Object struct {
	Key      string
	ETag     string // changes with the content; opaque
	Size     int64  // bytes
	Modified time.Time
}

func objectOf(o *minio.ObjectInfo) Object {
	return Object{Key: o.Key, ETag: strings.Trim(o.ETag, `"`), Size: o.Size, Modified: o.LastModified}
}

// List calls visit with each object at the location, in the order of keys. It holds a page of the listing, of up to
// 1000 objects, and never the whole. While the store is unavailable it waits, and then continues behind the last
// object.
func (c *Client) List(ctx context.Context, visit func(Object) error) error {
	prefix := c.at.Prefix
	if prefix != "" {
		prefix += "/"
	}
	after := ""
	return c.Insist(ctx, func() error {
		noOwner := false
		all := c.core.ListObjectsIter(ctx, c.at.Bucket, minio.ListObjectsOptions{
			Prefix: prefix, Recursive: true, StartAfter: after, FetchOwner: &noOwner,
		})
		for o := range all {
			if o.Err != nil {
				return c.explain(ctx, "list", "", o.Err)
			}
			after = o.Key
			if err := visit(objectOf(&o)); err != nil {
				return err
			}
		}
		return context.Cause(ctx)
	})
}

// Stat asks for an object by HEAD. Errors: ErrNotFound, ErrDenied, ErrUnavailable.
func (c *Client) Stat(ctx context.Context, key string) (Object, error) {
	info, err := c.core.StatObject(ctx, c.at.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return Object{}, c.explain(ctx, "look up", key, err)
	}
	return objectOf(&info), nil
}

// Get opens n bytes of an object from an offset. With an ETag the error is an ErrChanged when the object has another
// one. Reading continues after a reset connection where it stopped. The caller closes what Get returns; ctx must
// live as long. Errors: ErrNotFound, ErrDenied, ErrChanged, ErrUnavailable.
func (c *Client) Get(ctx context.Context, key, etag string, offset, n int64) (io.ReadCloser, error) {
	r := &reader{ctx: ctx, client: c, key: key, etag: etag, offset: offset, left: n}
	if n == 0 {
		return r, nil
	}
	return r, r.connect()
}

// PutOptions are the headers of an object, and the conditions of its upload.
type PutOptions struct {
	ContentType  string // default: application/octet-stream
	CacheControl string // default: none
	StorageClass string // default: the bucket's

	// New makes Put fail with ErrChanged if there is an object of that key when the upload ends. Stores that know no
	// such condition replace that object.
	New bool

	// Replaces is the ETag of the only object that the upload may replace. If another one has its key, Put fails with
	// ErrChanged, if none has, with ErrNotFound. Stores that know no such condition replace any. Empty: any.
	Replaces string
}

// conditional reports whether the upload has a condition.
func (o *PutOptions) conditional() bool { return o.New || o.Replaces != "" }

// partSize is the size of the largest object that one request uploads, and of the parts of larger ones. Bytes.
const partSize = 16 << 20

// Put writes an object, which appears whole or not at all. It is durable when Put returns. Large objects are
// uploaded in parts. Errors: ErrName, ErrDenied, ErrUnavailable; of conditions: ErrChanged, ErrNotFound.
func (c *Client) Put(ctx context.Context, key string, data []byte, o PutOptions) error {
	return c.PutFrom(ctx, key, bytes.NewReader(data), int64(len(data)), o)
}

// PutFrom is Put of size bytes from data. It repeats no request unless data is an io.ReadSeeker or the object is
// uploaded in parts. A size of −1 means that it is unknown. An upload with a condition needs an io.ReadSeeker.
func (c *Client) PutFrom(ctx context.Context, key string, data io.Reader, size int64, o PutOptions) error {
	if c.unconditional.Load() {
		o.New, o.Replaces = false, ""
	}
	err := c.put(ctx, key, data, size, o)
	var answer minio.ErrorResponse
	if o.conditional() && errors.As(err, &answer) && refusesConditions(answer) {
		again, is := data.(io.Seeker)
		if !is {
			return c.explain(ctx, "write", key, err)
		}
		if _, err := again.Seek(0, io.SeekStart); err != nil {
			return err
		}
		o.New, o.Replaces = false, ""
		if err = c.put(ctx, key, data, size, o); err == nil {
			c.unconditional.Store(true)
		}
	}
	return c.explain(ctx, "write", key, err)
}

// refusesConditions reports whether a store answers that it knows no conditions of uploads. Other answers of status
// 400, such as RequestTimeout and BadDigest, are of this one upload.
func refusesConditions(answer minio.ErrorResponse) bool {
	if answer.StatusCode == http.StatusNotImplemented {
		return true
	}
	return answer.StatusCode == http.StatusBadRequest &&
		slices.Contains([]string{"InvalidArgument", "InvalidRequest"}, answer.Code)
}

func (c *Client) put(ctx context.Context, key string, data io.Reader, size int64, o PutOptions) error {
	options := minio.PutObjectOptions{
		ContentType: o.ContentType, CacheControl: o.CacheControl, StorageClass: o.StorageClass, PartSize: partSize,
		NumThreads: 2,
	}
	if o.New {
		options.SetMatchETagExcept("*")
	}
	if o.Replaces != "" {
		options.SetMatchETag(o.Replaces)
	}
	if file, is := data.(io.ReaderAt); is && o.conditional() && size > partSize {
		return c.putParts(ctx, key, file, size, options)
	}
	_, err := c.core.Client.PutObject(ctx, c.at.Bucket, key, data, size, options)
	return err
}

// Remove removes an object. Removing one that is not there is no error. Errors: ErrDenied, ErrUnavailable.
func (c *Client) Remove(ctx context.Context, key string) error {
	err := c.core.RemoveObject(ctx, c.at.Bucket, key, minio.RemoveObjectOptions{})
	if err = c.explain(ctx, "remove", key, err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// Insist pauses between 1 s and 30 s before it tries an unavailable store again.
const (
	firstPause = time.Second
	maxPause   = 30 * time.Second
)

// Insist calls do until it fails no longer with ErrUnavailable, and returns its last result. It pauses between two
// calls, longer after each, with jitter. When ctx ends, Insist returns its cause.
func (c *Client) Insist(ctx context.Context, do func() error) error {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := do()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !errors.Is(err, ErrUnavailable) {
			return err
		}
		if err := c.pause(ctx, err, pause/2+rand.N(pause/2)); err != nil {
			return err
		}
	}
}

// pause tells of trouble and waits. The error is the context's cause.
func (c *Client) pause(ctx context.Context, trouble error, d time.Duration) error {
	if c.cfg.Trouble != nil {
		c.cfg.Trouble(trouble)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
