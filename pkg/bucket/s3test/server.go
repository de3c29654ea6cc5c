// Package s3test runs an S3 server in the test's process, and makes it misbehave like servers on a network.
package s3test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Server is an S3 server with one bucket, in memory.
type Server struct {
	URL    string
	Bucket string

	// FaultEvery makes one of so many requests fail: with SlowDown and with a reset connection, by turns. 0: none.
	FaultEvery atomic.Int64

	// Latency is how long the server takes before it answers a request, as a store in another building does;
	// nanoseconds. Default: 0.
	Latency atomic.Int64

	// Down resets every connection.
	Down atomic.Bool

	// Silent answers no request, as a network that drops packets does.
	Silent atomic.Bool

	// Unconditional answers uploads with conditions with NotImplemented, as stores that know none do.
	Unconditional atomic.Bool

	dying  atomic.Pointer[dying]
	before atomic.Pointer[func(key string)]

	t        testing.TB
	backend  *s3mem.Backend
	requests atomic.Int64
	faults   atomic.Int64

	mu      sync.Mutex
	counted chan struct{} // closed at the next count
	counts  map[string]int
	headers map[string]http.Header // of the request that began the last upload of each key
}

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{Bucket: "photos", t: t, backend: s3mem.New(), counted: make(chan struct{}), counts: make(map[string]int),
		headers: make(map[string]http.Header)}
	if err := s.backend.CreateBucket(s.Bucket); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(s.backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, fake) }))
	s.URL = server.URL
	t.Cleanup(server.Close)
	return s
}

// Environ returns the variables by which programs find the server.
func (s *Server) Environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.URL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=key", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_CONFIG_FILE=/dev/null", "NO_PROXY=127.0.0.1",
	}
}

// Setenv sets the variables of Environ for the test.
func (s *Server) Setenv(t *testing.T) {
	t.Helper()
	for _, v := range s.Environ() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	n := s.requests.Add(1)
	s.wake()
	if d := s.dying.Load(); d != nil && r.Method == http.MethodPut && strings.Contains(r.URL.Path, d.part) &&
		s.dying.CompareAndSwap(d, nil) {
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2)
		s.Down.Store(true)
		close(d.died)
	}
	if s.Silent.Load() {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	if s.Down.Load() {
		panic(http.ErrAbortHandler) // resets the connection
	}
	if every := s.FaultEvery.Load(); every > 0 && n%every == 0 {
		if s.faults.Add(1)%2 == 0 {
			s.breakOff(w, r, next)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>SlowDown</Code>`+
			`<Message>Please reduce your request rate.</Message></Error>`)
		return
	}
	time.Sleep(time.Duration(s.Latency.Load())) // the store is far away, nothing is waited for
	_, key, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	kind := r.Method
	if key == "" {
		kind = "LIST"
	}
	s.mu.Lock()
	s.counts[kind]++
	close(s.counted)
	s.counted = make(chan struct{})
	if query := r.URL.Query(); kind == http.MethodPut && !query.Has("uploadId") || query.Has("uploads") {
		s.headers[key] = r.Header.Clone()
	}
	s.mu.Unlock()
	if s.refuseUpload(w, r, key) {
		return
	}
	if r.URL.Query().Has("uploadId") && strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		r.Body = io.NopCloser(&chunks{from: bufio.NewReader(r.Body)}) // gofakes3 takes the framing of a part for its content
		size, _ := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		r.ContentLength = size
		r.Header.Set("Content-Length", r.Header.Get("X-Amz-Decoded-Content-Length"))
	}
	next.ServeHTTP(unwrapper{w}, r)
}

// unwrapper writes an object from where it is in memory. gofakes3 hides from net/http that it is there, so that
// net/http would copy it, 32 KiB at a time, to a new buffer for each object. Stores that are no test do no such thing.
type unwrapper struct{ http.ResponseWriter }

// ReadFrom implements io.ReaderFrom.
func (u unwrapper) ReadFrom(body io.Reader) (int64, error) {
	wrap := reflect.ValueOf(body)
	if wrap.Kind() == reflect.Struct && wrap.NumField() == 1 && wrap.Type().Field(0).IsExported() {
		if object, is := wrap.Field(0).Interface().(*bytes.Reader); is {
			return object.WriteTo(u.ResponseWriter)
		}
	}
	return io.Copy(struct{ io.Writer }{u.ResponseWriter}, body)
}

// BeforeUpload makes the server call do once, before the next object appears by an upload.
func (s *Server) BeforeUpload(do func(key string)) { s.before.Store(&do) }

// refuseUpload answers an upload of an object whose conditions are not met, of which the fake knows a part only.
func (s *Server) refuseUpload(w http.ResponseWriter, r *http.Request, key string) bool {
	query := r.URL.Query()
	begins := query.Has("uploads") && r.Method == http.MethodPost // an upload in parts, which knows no conditions yet
	ends := query.Has("uploadId") && r.Method == http.MethodPost
	if !begins && !ends && (r.Method != http.MethodPut || query.Has("uploadId")) {
		return false
	}
	if do := s.before.Load(); do != nil && !begins && s.before.CompareAndSwap(do, nil) {
		(*do)(key)
	}
	none, match := r.Header.Get("If-None-Match"), r.Header.Get("If-Match")
	code, status := "", 0
	is, err := s.backend.HeadObject(s.Bucket, key)
	switch etag := ""; {
	case none == "" && match == "":
		return false
	case s.Unconditional.Load() || begins:
		code, status = "NotImplemented", http.StatusNotImplemented
	default:
		if err == nil {
			etag = fmt.Sprintf("%q", hex.EncodeToString(is.Hash))
			_ = is.Contents.Close()
		}
		if none == "*" && etag == "" || match != "" && match == etag {
			return false
		}
		code, status = "PreconditionFailed", http.StatusPreconditionFailed
		if match != "" && etag == "" {
			code, status = "NoSuchKey", http.StatusNotFound
		}
	}
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>refused</Message></Error>`, code)
	return true
}

// dying is an upload in the middle of which the server dies.
type dying struct {
	part string
	died chan struct{}
}

// DieDuring makes the server go Down in the middle of the next upload whose path contains part. The channel is closed
// then.
func (s *Server) DieDuring(part string) <-chan struct{} {
	d := &dying{part: part, died: make(chan struct{})}
	s.dying.Store(d)
	return d.died
}

// chunks removes the framing of a signed stream.
type chunks struct {
	from *bufio.Reader
	left int64 // bytes of the chunk
}

// Read implements io.Reader.
func (c *chunks) Read(b []byte) (int, error) {
	if c.left == 0 {
		line, err := c.from.ReadString('\n')
		if line == "\r\n" { // behind a chunk
			line, err = c.from.ReadString('\n')
		}
		if err != nil {
			return 0, err
		}
		size, _, _ := strings.Cut(line, ";")
		if c.left, err = strconv.ParseInt(size, 16, 64); err != nil {
			return 0, err
		}
		if c.left == 0 {
			return 0, io.EOF
		}
	}
	n, err := c.from.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return n, err
}

// breakOff ends the connection, in the middle of the answer if there is one.
func (s *Server) breakOff(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.Method == http.MethodGet {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		body := answer.Body.Bytes()
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

// Count returns how many requests of a kind the server has answered: LIST, or the method of a request for an object.
func (s *Server) Count(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[kind]
}

// Await waits until Count returns n or more, and reports whether it does before the time is over.
func (s *Server) Await(kind string, n int, limit time.Duration) bool {
	over := time.After(limit)
	for {
		s.mu.Lock()
		reached, counted := s.counts[kind] >= n, s.counted
		s.mu.Unlock()
		if reached {
			return true
		}
		select {
		case <-counted:
		case <-over:
			return false
		}
	}
}

// Delete removes an object past HTTP.
func (s *Server) Delete(key string) {
	s.t.Helper()
	if _, err := s.backend.DeleteObject(s.Bucket, key); err != nil {
		s.t.Fatal(err)
	}
}

// AwaitRequest waits until more than n requests came, and reports whether they do before ctx ends.
func (s *Server) AwaitRequest(ctx context.Context, n int64) bool {
	for {
		s.mu.Lock()
		counted := s.counted
		s.mu.Unlock()
		if s.requests.Load() > n {
			return true
		}
		select {
		case <-counted:
		case <-ctx.Done():
			return false
		}
	}
}

// wake wakes those who wait for requests.
func (s *Server) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.counted)
	s.counted = make(chan struct{})
}

// Requests returns how many requests came, whatever became of them.
func (s *Server) Requests() int64 { return s.requests.Load() }

// Faults returns how many requests the server has made fail because of FaultEvery.
func (s *Server) Faults() int64 { return s.faults.Load() }

// Put writes an object past HTTP.
func (s *Server) Put(key string, data []byte) {
	s.t.Helper()
	meta := map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}
	if _, err := s.backend.PutObject(s.Bucket, key, meta, bytes.NewReader(data), int64(len(data)), nil); err != nil {
		s.t.Fatal(err)
	}
}

// Get reads an object past HTTP, with the headers of the request that put it; nil if there is none.
func (s *Server) Get(key string) ([]byte, http.Header) {
	s.t.Helper()
	o, err := s.backend.GetObject(s.Bucket, key, nil)
	if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
		return nil, nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	defer o.Contents.Close()
	data, err := io.ReadAll(o.Contents)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return data, s.headers[key]
}

// Keys returns the keys that begin with a prefix.
func (s *Server) Keys(prefix string) (keys []string) {
	s.t.Helper()
	list, err := s.backend.ListBucket(s.Bucket, &gofakes3.Prefix{HasPrefix: prefix != "", Prefix: prefix},
		gofakes3.ListBucketPage{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range list.Contents {
		keys = append(keys, o.Key)
	}
	return keys
}
