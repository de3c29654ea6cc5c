package bucket_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
)

// noHost is an endpoint with a host name that does not resolve, whatever the test's name server does: it is too long.
var noHost = "http://" + strings.Repeat("a", 64) + ".invalid:9000"

// refusing is an endpoint at which nobody listens.
const refusing = "http://127.0.0.1:1"

// answering returns the URL of a server that refuses all but the first, unsigned request with a code.
func answering(t *testing.T, status int, code string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code></Error>`, code)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestProbeEndsWhatWouldWaitForEver(t *testing.T) {
	s := s3test.New(t)
	s.Setenv(t)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	for name, test := range map[string]struct {
		endpoint, bucket string
		kind             error
		says             string
	}{
		"good":              {s.URL, s.Bucket, nil, ""},
		"no host":           {noHost, s.Bucket, bucket.ErrNoHost, "its name does not resolve"},
		"nobody listens":    {refusing, s.Bucket, bucket.ErrUnavailable, "refused"},
		"no bucket":         {s.URL, "nowhere", bucket.ErrNoBucket, `no bucket "nowhere"`},
		"bad bucket":        {s.URL, "x", bucket.ErrNoBucket, `no bucket "x"`},
		"TLS to plain HTTP": {strings.Replace(s.URL, "http:", "https:", 1), s.Bucket, bucket.ErrMistaken, "https"},
		"other authority":   {secure.URL, s.Bucket, bucket.ErrMistaken, "authority"},
		"wrong key": {answering(t, 403, "InvalidAccessKeyId"), s.Bucket, bucket.ErrDenied,
			"InvalidAccessKeyId: correct AWS_ACCESS_KEY_ID"},
		"may not list": {answering(t, 403, "AccessDenied"), s.Bucket, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_ENDPOINT_URL", test.endpoint)
			c, err := bucket.Dial("s3://"+test.bucket+"/in", bucket.Config{Tries: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			err = c.Probe(t.Context(), 0)
			if !errors.Is(err, test.kind) || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestProbeWaitsForAStoreThatStarts(t *testing.T) {
	s := s3test.New(t)
	s.Setenv(t)
	for range 20 { // another program may take the port meanwhile
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := free.Addr().String()
		free.Close()
		t.Setenv("AWS_ENDPOINT_URL", "http://"+address)
		ctx, cancel := context.WithCancel(t.Context())
		var starting net.Listener
		c, err := bucket.Dial("s3://"+s.Bucket, bucket.Config{Tries: 1, Trouble: func(error) {
			if starting != nil {
				return
			}
			if starting, err = net.Listen("tcp", address); err != nil {
				cancel()
				return
			}
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Error(w, "busy", http.StatusServiceUnavailable)
			})}
			go func() { _ = server.Serve(starting) }()
			t.Cleanup(func() { server.Close() })
		}})
		if err != nil {
			t.Fatal(err)
		}
		probed := c.Probe(ctx, time.Hour)
		c.Close()
		cancel()
		if starting == nil {
			continue
		}
		if probed != nil {
			t.Errorf("a store that starts and is busy: %v", probed)
		}
		return
	}
	t.Error("no port stayed free")
}

func TestProbeTriesAgainUntilItsContextEnds(t *testing.T) {
	s3test.New(t).Setenv(t)
	for _, endpoint := range []string{refusing, noHost} {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		tries := 0
		why := errors.New("a signal")
		ctx, cut := context.WithCancelCause(t.Context())
		c, err := bucket.Dial("s3://photos", bucket.Config{Trouble: func(error) {
			if tries++; tries == 2 {
				cut(why)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Probe(ctx, time.Hour); !errors.Is(err, why) {
			t.Errorf("at %s: %v, after %d tries", endpoint, err, tries)
		}
		if err := c.Probe(t.Context(), time.Nanosecond); err == nil || errors.Is(err, why) {
			t.Errorf("at %s: %v, when its patience is over", endpoint, err)
		}
	}
}
