package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func dial(t *testing.T, s *s3test.Server, prefix string, cfg bucket.Config) *bucket.Client {
	t.Helper()
	s.Setenv(t)
	c, err := bucket.Dial("s3://"+s.Bucket+prefix, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestObjectsAreListedPageByPage(t *testing.T) {
	s := s3test.New(t)
	const n = 2500
	for i := range n {
		s.Put(fmt.Sprintf("a/%04d.jpg", i), []byte("x"))
	}
	s.Put("ab/other.jpg", []byte("x"))
	c := dial(t, s, "/a/", bucket.Config{})
	var keys []string
	err := c.List(t.Context(), func(o bucket.Object) error {
		keys = append(keys, o.Key)
		return nil
	})
	if err != nil || len(keys) != n || !slices.IsSorted(keys) {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	if lists := s.Count("LIST"); lists != 3 {
		t.Errorf("%d pages", lists)
	}
}

func TestRequestsAreRepeatedWhileTheStoreSlowsDownOrResets(t *testing.T) {
	s := s3test.New(t)
	s.FaultEvery.Store(3)
	var mu sync.Mutex
	seen := make(map[bucket.Result]int)
	c := dial(t, s, "", bucket.Config{Observe: func(_ string, r bucket.Result) {
		mu.Lock()
		defer mu.Unlock()
		seen[r]++
	}})
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	for i := range 6 {
		key := fmt.Sprintf("k%d", i)
		if err := c.Put(t.Context(), key, data, bucket.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		r, err := c.Get(t.Context(), key, "", 5, int64(len(data))-5)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, data[5:]) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		r.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if seen[bucket.Faulty] == 0 || seen[bucket.OK] < 12 || seen[bucket.Refused] != 0 {
		t.Errorf("counted %v of %d faults", seen, s.Faults())
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	s := s3test.New(t)
	s.Put("k", []byte("one"))
	c := dial(t, s, "", bucket.Config{})
	o, err := c.Stat(t.Context(), "k")
	if err != nil || o.Size != 3 {
		t.Fatal(o, err)
	}
	s.Put("k", []byte("two"))
	if _, err := c.Get(t.Context(), "k", o.ETag, 0, 3); !errors.Is(err, bucket.ErrChanged) {
		t.Errorf("replaced: %v", err)
	}
	if _, err := c.Stat(t.Context(), "nothing"); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	if _, err := c.Get(t.Context(), "nothing", "", 0, 3); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	if err := c.Remove(t.Context(), "nothing"); err != nil {
		t.Errorf("remove: %v", err)
	}
	none, err := bucket.Dial("s3://nowhere", bucket.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer none.Close()
	err = none.List(t.Context(), func(bucket.Object) error { return nil })
	if !errors.Is(err, bucket.ErrNoBucket) || !strings.Contains(err.Error(), `no bucket "nowhere"`) {
		t.Errorf("no bucket: %v", err)
	}
	if err := none.Put(t.Context(), "k", nil, bucket.PutOptions{}); !errors.Is(err, bucket.ErrNoBucket) {
		t.Errorf("no bucket: %v", err)
	}
}

func TestInsistEndsWithItsContext(t *testing.T) {
	s := s3test.New(t)
	why := errors.New("a signal")
	ctx, cut := context.WithCancelCause(t.Context())
	c := dial(t, s, "", bucket.Config{Trouble: func(error) { cut(why) }})
	err := c.Insist(ctx, func() error { return bucket.ErrUnavailable })
	if !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

func TestLargeObjectIsUploadedInParts(t *testing.T) {
	s := s3test.New(t)
	c := dial(t, s, "", bucket.Config{})
	data := bytes.Repeat([]byte("0123456789abcdef"), 40<<20/16)
	if err := c.PutFrom(t.Context(), "large", bytes.NewReader(data), -1, bucket.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Get("large"); !bytes.Equal(got, data) {
		t.Errorf("%d bytes", len(got))
	}
	if s.Count("PUT") != 3 || s.Count("POST") != 2 {
		t.Errorf("%d parts in %d requests of the upload", s.Count("PUT"), s.Count("POST"))
	}
}

func TestLocations(t *testing.T) {
	for text, want := range map[string]bucket.Location{
		"s3://b": {Bucket: "b"}, "s3://b/": {Bucket: "b"}, "s3://b/x/y/": {Bucket: "b", Prefix: "x/y"},
	} {
		if got, err := bucket.Parse(text); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"s3://", "s3:///x", "b/x", "s3://b?x=1", "s3://user@b/x"} {
		if _, err := bucket.Parse(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	a := bucket.Location{Bucket: "b", Prefix: "x"}
	if !a.Contains(bucket.Location{Bucket: "b", Prefix: "x/y"}) || a.Contains(bucket.Location{Bucket: "b", Prefix: "xy"}) {
		t.Error("Contains does not go by whole components")
	}
}

// Nothing is asked for by such a name, so that waiting for the store would never end.
func TestBucketNamesThatNoStoreAllows(t *testing.T) {
	s3test.New(t).Setenv(t)
	for _, text := range []string{"s3://b", "s3://two..dots/x"} {
		c, err := bucket.Dial(text, bucket.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Stat(t.Context(), "key"); !errors.Is(err, bucket.ErrNoBucket) {
			t.Errorf("%s: %v", text, err)
		}
		if err := c.List(t.Context(), func(bucket.Object) error { return nil }); !errors.Is(err, bucket.ErrNoBucket) {
			t.Errorf("list %s: %v", text, err)
		}
	}
}

func TestConfigurationFileIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	text := "[default]\nregion = eu-west-1\n[profile mine]\n# s3\ns3 =\n" +
		"  addressing_style = sideways\nregion = eu-north-1\n" +
		"[profile role]\nrole_arn = arn:x\nsource_profile = default\n[profile far]\nendpoint_url = ftp://x\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for profile, want := range map[string]string{
		"": "", "mine": `"sideways"`, "role": "not supported", "far": "AWS_ENDPOINT_URL", "unknown": "",
	} {
		_, err := bucket.Dial("s3://b", bucket.Config{Getenv: func(name string) string {
			return map[string]string{"AWS_CONFIG_FILE": file, "AWS_PROFILE": profile}[name]
		}})
		if got := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(got, want) {
			t.Errorf("profile %q: %v", profile, err)
		}
	}
}
