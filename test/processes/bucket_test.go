//go:build unix

package processes

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// bucketFarm starts a program of a farm with the environment of an S3 server.
func bucketFarm(t *testing.T, s *s3test.Server, name string, args ...string) *farmtest.Process {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, name), args...)
	cmd.Env = s.Environ()
	return farmtest.Start(t, name, cmd)
}

// The store slows down, resets connections, dies and returns, and the sink is killed twice.
func TestBucketToBucketBalancesWhateverFails(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 200
	}
	s := s3test.New(t)
	for i := range n {
		s.Put(fmt.Sprintf("in/roll%02d/%04d.jpg", i/100, i), picture(t, uint8(i%200)))
	}
	s.Put("in/damaged.jpg", []byte("\xff\xd8\xff"))
	s.FaultEvery.Store(20)
	f := farmtest.New(t, programs, "s3://photos/out")
	ledger := filepath.Join(t.TempDir(), "ledger.db")
	sinkArgs := []string{"--results", f.Results, "--events", f.Events, "--control", f.Control, "--out", f.Out,
		"--ledger", ledger, "--http", f.Host + ":0", "--log-format", "json", "--cache-control", "max-age=60"}
	sink := bucketFarm(t, s, "sink", sinkArgs...)
	sink.Await("collecting")
	for i := range 2 {
		f.StartWorker(fmt.Sprint("worker", i), "--slots", "2")
	}
	ventilate := func() *farmtest.Process {
		return bucketFarm(t, s, "ventilator", "--bind", f.Tasks, "--events", f.Events, "--control", f.Control,
			"--http", f.Host+":0", "--log-format", "json", "--size", "64", "--readers", "8", "s3://photos/in")
	}
	v := ventilate()
	for kill := range 2 {
		awaitCount(t, s, http.MethodPut, (kill+1)*n/5)
		s.Down.Store(true)
		sink.Kill()
		sink = bucketFarm(t, s, "sink", sinkArgs...)
		sink.Await("collecting")
		s.Down.Store(false)
	}
	v.MustExit(3) // one image is damaged
	keys := s.Keys("out/")
	if len(keys) != n {
		t.Fatalf("%d outputs of %d images", len(keys), n)
	}
	_, header := s.Get(keys[0])
	if header.Get("Content-Type") != "image/jpeg" || header.Get("Cache-Control") != "max-age=60" {
		t.Errorf("the headers of an output are %v", header)
	}
	if s.Faults() == 0 {
		t.Error("the server made no request fail")
	}

	requests := bucketRequests(t, sink)
	if requests["PUT ok"] < float64(n/5) || requests["PUT faulty"] == 0 || requests["GET ok"] != 0 {
		t.Errorf("the last sink counts the requests %v", requests)
	}

	gets, puts := s.Count(http.MethodGet), s.Count(http.MethodPut)
	v = ventilate()
	v.MustExit(3)
	v.MustSay(numfmt.Count(int64(n)) + " skipped")
	if g, p := s.Count(http.MethodGet)-gets, s.Count(http.MethodPut)-puts; g != 0 || p != 0 {
		t.Errorf("the second run read %d objects and wrote %d", g, p)
	}
	if heads := bucketRequests(t, sink)["HEAD ok"] - requests["HEAD ok"]; heads < float64(n) {
		t.Errorf("the sink counts %v questions about %d outputs", heads, n)
	}

	gets = s.Count(http.MethodGet)
	verify := func(code int) *farmtest.Process {
		p := bucketFarm(t, s, "farm", "verify", "--quick", "--out", f.Out, "--ledger", ledger, "--sink", f.Host, "--control",
			f.Control)
		p.MustExit(code)
		return p
	}
	verify(0)
	s.Delete(keys[1])
	if p := verify(4); !strings.Contains(p.Output(), strings.TrimPrefix(keys[1], "out/")) {
		t.Errorf("verify said %s", p.Output())
	}
	if g := s.Count(http.MethodGet) - gets; g != 0 {
		t.Errorf("verify --quick read %d objects", g)
	}
}

// bucketRequests returns how many requests to object stores a process has counted, by method and result.
func bucketRequests(t *testing.T, p *farmtest.Process) map[string]float64 {
	t.Helper()
	counts := make(map[string]float64)
	for _, m := range metrics(t, p)["imagefarm_bucket_requests_total"].GetMetric() {
		labels := make(map[string]string)
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		counts[labels["method"]+" "+labels["result"]] = m.GetCounter().GetValue()
	}
	return counts
}

// awaitCount waits until the server has answered n requests of a kind.
func awaitCount(t *testing.T, s *s3test.Server, kind string, n int) {
	t.Helper()
	if !s.Await(kind, n, limit) {
		t.Fatalf("%d %s within %v, not %d", s.Count(kind), kind, limit, n)
	}
}

func TestRunFromBucketToBucketInOneProcess(t *testing.T) {
	s := s3test.New(t)
	s.Put("in/a.jpg", picture(t, 1))
	s.Put("in/b", picture(t, 2)) // known by its first bytes
	s.Put("in/c.txt", []byte("text"))
	ledger := filepath.Join(t.TempDir(), "ledger.db")
	args := []string{"run", "s3://photos/in", "--size", "64", "--http", "", "--quiet"}
	p := bucketFarm(t, s, "farm", append(args, "--out", "s3://photos/out")...)
	p.MustExit(2)
	p.MustSay("--ledger")
	p = bucketFarm(t, s, "farm", append(args, "--out", "s3://photos/in/out", "--ledger", ledger)...)
	p.MustExit(2)
	p.MustSay("among the images")
	bucketFarm(t, s, "farm", append(args, "--out", "s3://photos/out", "--ledger", ledger)...).MustExit(0)
	if keys := s.Keys("out/"); len(keys) != 2 {
		t.Errorf("outputs %q", keys)
	}

	s.Delete("in/b")
	s.Put("out/mine.jpg", picture(t, 3)) // unknown to the ledger
	p = bucketFarm(t, s, "farm", "prune", "s3://photos/in", "--size", "64", "--out", "s3://photos/out", "--ledger", ledger)
	p.MustExit(0)
	p.MustSay("remove\tb_thumbnail64\tits image is gone", "1 output removed")
	if keys := s.Keys("out/"); !slices.Equal(keys, []string{"out/a_thumbnail64.jpg", "out/mine.jpg"}) {
		t.Errorf("after the pruning there is %q", keys)
	}
	s.Delete("in/c.txt")
	s.Put("in/a.jpg", picture(t, 4))
	before := s.Count("GET")
	bucketFarm(t, s, "farm", append(args, "--checksum", "--out", "s3://photos/out", "--ledger", ledger)...).MustExit(0)
	if n := s.Count("GET") - before; n != 1 {
		t.Errorf("a changed image was fetched %d times", n)
	}
	p = bucketFarm(t, s, "farm", "prune", "s3://photos/none", "--out", "s3://photos/out", "--ledger", ledger)
	p.MustExit(2)
	p.MustSay("is it mounted?")
}
