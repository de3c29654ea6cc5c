//go:build linux

package hostile

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/cputime"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

var full = flag.Bool("full", false, "attack with a million messages, 2,000 connections and 100,000 images")

// load is what a farm bears during a run.
type load struct{ messages, silent, images int }

func loadOf() load {
	if *full {
		return load{1_000_000, 2000, 100_000}
	}
	return load{20_000, 200, 600}
}

// mutate changes a few bytes of b, or its length.
func mutate(r *rand.Rand, b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + r.IntN(8) {
		if len(b) == 0 {
			return b
		}
		at := r.IntN(len(b))
		switch r.IntN(8) {
		case 0:
			b = b[:at]
		case 1:
			b = append(b[:at:at], append([]byte{byte(r.Uint32())}, b[at:]...)...)
		case 2:
			b[at] ^= 1 << r.IntN(8)
		default:
			b[at] = byte(r.Uint32())
		}
	}
	return b
}

// mutatedImages writes an archive of n mutated images of all formats in a directory, a twentieth of them unchanged.
// They are mutations of small thumbnails, so that many can be tried.
func mutatedImages(t testing.TB, n int) (dir string) {
	t.Helper()
	thumbnails := t.TempDir()
	f := farmtest.New(t, programs, thumbnails)
	formats := ""
	for _, format := range []string{"jpeg", "png", "gif", "webp", "tiff"} {
		formats += ";" + format + "=fit:64x64,format:" + format
	}
	f.Start("thumbnails", "farm", "run", "--http", "", "--out", thumbnails, "--variant", formats[1:], photos).MustExit(0)
	type seed struct {
		ext  string
		data []byte
	}
	var all []seed
	err := filepath.WalkDir(thumbnails, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".imagefarm":
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if len(data) < 16<<10 { // a few are long animations
			all = append(all, seed{filepath.Ext(path), data})
		}
		return err
	})
	if err != nil || len(all) < 50 {
		t.Fatalf("%d thumbnails, %v", len(all), err)
	}
	dir = t.TempDir()
	file, err := os.Create(filepath.Join(dir, "images.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	buffered := bufio.NewWriterSize(file, 1<<20)
	archive := tar.NewWriter(buffered)
	random := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		s := all[i%len(all)]
		data := s.data
		if i%20 > 0 {
			data = mutate(random, data)
		}
		err := archive.WriteHeader(&tar.Header{Name: fmt.Sprintf("%06d%s", i, s.ext), Mode: 0o644, Size: int64(len(data))})
		if err == nil {
			_, err = archive.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), buffered.Flush()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// seedMessages are right messages of a worker, without a right ticket.
func seedMessages() (all [][]byte) {
	for _, id := range []string{strings.Repeat("7", 32), "00112233445566778899aabbccddeeff"} {
		all = append(all, forgedResults(id, "r", "000001.jpg", 1)...)
	}
	h := wire.Heartbeat{Worker: "w1", Slots: 1, Held: []string{strings.Repeat("7", 32)}}
	return append(all, h.Encode(), wire.EncodeBareName("000001_thumbnail64.jpg"))
}

// attack sends n mutated messages to the results endpoint from eight connections at a time. A connection sends so
// many of them. After one in a hundred, raw bytes come by a connection that never greeted. wait returns when all are
// sent, or ctx ends.
func attack(ctx context.Context, t testing.TB, f *farmtest.Farm, n, ofConnection int) (
	sent *atomic.Int64, wait func(),
) {
	t.Helper()
	const connections = 8
	sent = new(atomic.Int64)
	var all sync.WaitGroup
	for c := range connections {
		all.Go(func() {
			random, seeds := rand.New(rand.NewPCG(2, uint64(c))), seedMessages()
			for i := 0; i < n/connections && ctx.Err() == nil; {
				push, err := zsock.NewPush(zsock.Config{Identity: []string{"", impostor()}[c%2]})
				if err == nil {
					err = push.Dial(f.Results)
				}
				if err != nil {
					t.Error(err)
					return
				}
				for end := min(i+ofConnection, n/connections); i < end; i++ {
					m := mutate(random, seeds[random.IntN(len(seeds))])
					if i%100 == 0 {
						if conn := dialTCP(f.Results); conn != nil {
							_, _ = conn.Write(mutate(random, append(make([]byte, 64), m...))) // no greeting at all
							conn.Close()
						}
					}
					if push.Send(ctx, zsock.Message{m}) != nil {
						break
					}
					sent.Add(1)
				}
				closing, cancel := context.WithTimeout(ctx, time.Second)
				_ = push.Close(closing) // what the sink no longer reads is lost
				cancel()
			}
		})
	}
	return sent, all.Wait
}

func dialTCP(endpoint string) net.Conn {
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(endpoint, "tcp://"), time.Second)
	if err != nil {
		return nil
	}
	return conn
}

// keepSilent holds n connections to all endpoints of a farm that say nothing, and connects again when one is closed.
func keepSilent(ctx context.Context, f *farmtest.Farm, n int) (wait func()) {
	endpoints := []string{f.Tasks, f.Results, f.Events, f.Control}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for ctx.Err() == nil {
				conn := dialTCP(endpoints[i%len(endpoints)])
				if conn == nil {
					select {
					case <-ctx.Done():
					case <-time.After(100 * time.Millisecond):
					}
					continue
				}
				stop := context.AfterFunc(ctx, func() { conn.Close() })
				_, _ = io.Copy(io.Discard, conn)
				stop()
				conn.Close()
			}
		})
	}
	return all.Wait
}

// A run is balanced while strangers send mutated messages, keep silent connections, and its images are mutated.
func TestRunUnderAttack(t *testing.T) {
	// A sender that is slowed down connects again. The sink reads the first message of each connection at once.
	const ofConnection = 250
	n := loadOf()
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSink("--allow-strangers=false", "--log-level", "error")
	mustAnswer(t, f)
	worker := f.StartWorker("w1", "--slots", "2")
	begun := time.Now()
	ventilator := f.StartVentilator("--allow-strangers=false", "--run", "r", "--fail-on", "none",
		mutatedImages(t, n.images))
	ventilator.Await("worker joined")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	waitSilent := keepSilent(ctx, f, n.silent)
	sent, waitAttack := attack(ctx, t, f, n.messages, ofConnection)

	started := time.Now()
	f.StartWorker("w2")
	ventilator.Await("worker joined", "worker", "w2")
	t.Logf("a new worker got in %s after its start", time.Since(started).Round(time.Millisecond))
	waitAttack()
	t.Logf("%d messages sent after %s", sent.Load(), time.Since(begun).Round(time.Second))
	<-ventilator.Over()
	cancel()
	waitSilent()
	took := time.Since(begun)
	ventilator.MustExit(0)
	sink.MustLive()

	runs, err := f.Client().Runs(context.Background())
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	r := runs[0]
	status := f.Status()
	t.Logf("%d found = %d done + %d rejected + %d dead in %s; refused %d, malformed %d", r.Found, r.Done, r.Rejected,
		r.Dead, took.Round(time.Second), status.Refused, status.Malformed)
	if r.State != outcome.Finished || r.Found != int64(n.images) || r.Unsettled() != 0 || r.Dead != 0 ||
		r.Done < int64(n.images/20) {
		t.Errorf("the run is %+v", r)
	}
	if sent.Load() < int64(n.messages*9/10) || status.Refused+status.Malformed < uint64(n.messages/ofConnection/2) {
		t.Errorf("%d messages were sent, %d refused, %d malformed", sent.Load(), status.Refused, status.Malformed)
	}
	t.Logf("the sink took %d MiB, the worker %d MiB", memory(t, sink), memory(t, worker))
	if memory(t, sink) > 600 || memory(t, worker) > 600 {
		t.Errorf("the sink took %d MiB, the worker %d MiB", memory(t, sink), memory(t, worker))
	}
}

// processorTime returns the processor time that a process has used so far.
func processorTime(t testing.TB, p *farmtest.Process) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the state, the third, on
	var user, system time.Duration
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		t.Fatal(err)
	}
	return (user + system) * (time.Second / 100)
}

// BenchmarkRunUnderFlood tells how many images a second are made while strangers send mutated messages as fast as they
// can, and the ratio to a run without them: go test ./test/hostile -run '^$' -bench Flood -benchtime 3x
//
// A second worker is started when the run has begun. seconds-to-join is from the start of its process until the
// ventilator has admitted it under the flood, messages how many the strangers sent in a run. They run on the same
// machine: %-of-processors is what they take of it themselves, and so nobody can use for images. sink-ms and
// ventilator-ms are the processor time of these processes, which the speed of the machine's other work changes little.
func BenchmarkRunUnderFlood(b *testing.B) { runUnderFlood(b, 0) }

// BenchmarkRunUnderFloodAndSilence is the same with silent connections to all endpoints beside the messages.
func BenchmarkRunUnderFloodAndSilence(b *testing.B) { runUnderFlood(b, loadOf().silent) }

func runUnderFlood(b *testing.B, silent int) {
	const images = 3000
	dir := album(b, images)
	var messages int64
	var joining, attacking, flooding time.Duration
	processor := make(map[string]time.Duration)
	run := func(flood bool) (perSecond float64) {
		f := farmtest.New(b, programs, b.TempDir())
		sink := f.StartSink("--allow-strangers=false", "--log-level", "error")
		mustAnswer(b, f)
		worker := f.StartWorker("w1")
		ctx, cancel := context.WithCancel(context.Background())
		sent, wait, waitSilent := new(atomic.Int64), func() {}, func() {}
		if flood {
			waitSilent = keepSilent(ctx, f, silent)
			sent, wait = attack(ctx, b, f, 1<<30, 1<<30)
		}
		begun, ours := time.Now(), cputime.Used()
		ventilator := f.StartVentilator("--allow-strangers=false", dir)
		ventilator.Await("worker joined", "worker", "w1")
		started := time.Now()
		second := f.StartWorker("w2")
		ventilator.Await("worker joined", "worker", "w2")
		if flood {
			joining += time.Since(started)
		}
		ventilator.MustExit(0)
		took := time.Since(begun)
		kind := "alone"
		if flood {
			attacking += cputime.Used() - ours
			flooding += took
			kind = "flooded"
		}
		processor["sink-ms-"+kind] += processorTime(b, sink)
		processor["ventilator-ms-"+kind] += ventilator.Cmd.ProcessState.UserTime() + ventilator.Cmd.ProcessState.SystemTime()
		cancel()
		wait()
		waitSilent()
		messages += sent.Load()
		second.Kill()
		worker.Kill()
		sink.Kill()
		return images / took.Seconds()
	}
	var alone, flooded float64
	for b.Loop() {
		alone += run(false)
		flooded += run(true)
	}
	b.ReportMetric(alone/float64(b.N), "images/s-alone")
	b.ReportMetric(flooded/float64(b.N), "images/s-flooded")
	b.ReportMetric(100*flooded/alone, "%")
	b.ReportMetric(100*attacking.Seconds()/flooding.Seconds()/float64(runtime.NumCPU()), "%-of-processors")
	b.ReportMetric(joining.Seconds()/float64(b.N), "seconds-to-join")
	for unit, took := range processor {
		b.ReportMetric(float64(took.Milliseconds())/float64(b.N), unit)
	}
	b.ReportMetric(float64(messages)/float64(b.N), "messages")
}

// BenchmarkSilentConnection tells what a connection costs the sink that says nothing until the sink ends it, a hundred
// at a time: go test ./test/hostile -run '^$' -bench SilentConnection -benchtime 500x
func BenchmarkSilentConnection(b *testing.B) {
	f := farmtest.New(b, programs, b.TempDir())
	sink := f.StartSink("--allow-strangers=false", "--log-level", "error")
	mustAnswer(b, f)
	before := processorTime(b, sink)
	var all sync.WaitGroup
	places := make(chan struct{}, 100)
	for range b.N {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			conn := dialTCP(f.Results)
			if conn == nil {
				b.Error("the sink cannot be reached")
				return
			}
			defer conn.Close()
			_, _ = io.Copy(io.Discard, conn)
		})
	}
	all.Wait()
	b.ReportMetric(float64((processorTime(b, sink)-before).Microseconds())/float64(b.N), "µs-of-sink/op")
}
