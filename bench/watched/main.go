//go:build unix

// Command watched measures what it costs a farm to be looked at: the same run with nobody watching and with 20
// subscribers of all events, 5 open pages and a scrape every second, in turn: go run ./bench/watched [-rounds 7]
// [-copies 12] DIR.
//
// The watchers run on the same machine, in this process: what they cost themselves is part of the throughput, and
// the farm cannot help it. So the processor time of the farm's own processes is told, too, and that of the watchers.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/cputime"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func main() {
	rounds := flag.Int("rounds", 7, "runs of each kind")
	copies := flag.Int("copies", 12, "how often each image of DIR is in a run")
	flag.Parse()
	log.SetFlags(0)
	if flag.NArg() != 1 {
		log.Fatal("name a directory of photographs")
	}
	dir, err := os.MkdirTemp("", "watched")
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(run(dir, flag.Arg(0), *rounds, *copies), os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
}

func run(dir, photos string, rounds, copies int) error {
	build := exec.Command("go", "build", "-o", dir+"/bin/", "./sink", "./worker", "./ventilator")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building, in the module's directory: %w", err)
	}
	if err := multiply(photos, dir+"/in", copies); err != nil {
		return err
	}
	var speeds, farm [2][]float64 // alone, watched
	var ratios, costs, watchers []float64
	for round := range rounds {
		var pair [2]measured
		for i := range 2 {
			k := (i + round) % 2 // which comes first changes
			m, err := once(filepath.Join(dir, fmt.Sprintf("out-%d-%d", round, k)), dir, k == 1)
			if err != nil {
				return err
			}
			pair[k] = m
			speeds[k] = append(speeds[k], m.speed)
			farm[k] = append(farm[k], m.farm)
		}
		ratios = append(ratios, pair[1].speed/pair[0].speed)
		costs = append(costs, pair[1].farm/pair[0].farm)
		watchers = append(watchers, pair[1].watchers/pair[1].farm)
		fmt.Printf("round %d: %.1f img/s alone, %.1f watched, ratio %.3f; "+
			"processor time %.2f s alone, %.2f s watched, ratio %.3f\n",
			round+1, pair[0].speed, pair[1].speed, pair[1].speed/pair[0].speed,
			pair[0].farm, pair[1].farm, pair[1].farm/pair[0].farm)
	}
	fmt.Printf("medians: throughput %.1f img/s alone, %.1f watched, ratio %.3f\n", median(speeds[0]), median(speeds[1]),
		median(ratios))
	fmt.Printf("         the farm's processor time %.2f s alone, %.2f s watched, ratio %.3f; "+
		"the watchers' own, of the farm's: %.1f %%\n",
		median(farm[0]), median(farm[1]), median(costs), 100*median(watchers))
	return nil
}

// measured is one run: images per second, as the ventilator measured them, and seconds of processor time.
type measured struct{ speed, farm, watchers float64 }

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// multiply links every file below from n times into to.
func multiply(from, to string, n int) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		first := filepath.Join(to, "0", rel)
		if err := os.MkdirAll(filepath.Dir(first), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(first, b, 0o644); err != nil {
			return err
		}
		for i := 1; i < n; i++ {
			link := filepath.Join(to, fmt.Sprint(i), rel)
			if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Link(first, link)); err != nil {
				return err
			}
		}
		return nil
	})
}

// freePorts returns addresses that were free a moment ago, all different.
func freePorts(n int) (addresses []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}

// once does one run.
func once(out, dir string, watched bool) (m measured, err error) {
	ports, err := freePorts(5)
	if err != nil {
		return m, err
	}
	control, events, tasks, results := "tcp://"+ports[0], "tcp://"+ports[1], "tcp://"+ports[2], "tcp://"+ports[3]
	page := ports[4]
	ctx, stop := context.WithCancel(context.Background())
	var watchers sync.WaitGroup
	defer func() { stop(); watchers.Wait() }()
	sink := exec.Command(dir+"/bin/sink", "--out", out, "--control", control, "--events", events, "--results", results,
		"--http", page, "-q")
	worker := exec.Command(dir+"/bin/worker", "--slots", "2", "--ventilator", tasks, "--results", results, "--http", "",
		"-q")
	services := []*exec.Cmd{sink, worker}
	running := 0
	end := func() { // they have done their part
		for _, c := range services[:running] {
			_ = c.Process.Signal(os.Interrupt)
			_ = c.Wait()
		}
		running = 0
	}
	defer end()
	for _, c := range services {
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			return m, err
		}
		running++
	}
	if watched {
		if err := watch(ctx, &watchers, events, page); err != nil {
			return m, err
		}
	}
	before := cputime.Used().Seconds()
	ventilator := exec.Command(dir+"/bin/ventilator", "--bind", tasks, "--control", control, "--events", events, "--http",
		"",
		"--progress", "json", "--log-level", "error", filepath.Join(dir, "in"))
	progress, err := ventilator.StdoutPipe()
	if err != nil {
		return m, err
	}
	if err := ventilator.Start(); err != nil {
		return m, err
	}
	var last struct {
		MessageType string  `json:"message_type"`
		Speed       float64 `json:"images_per_second"`
	}
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		if strings.Contains(lines.Text(), `"summary"`) {
			if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
				return m, err
			}
		}
	}
	if err := ventilator.Wait(); err != nil {
		return m, err
	}
	m.speed, m.watchers = last.Speed, cputime.Used().Seconds()-before
	end()
	for _, c := range append(services, ventilator) {
		m.farm += (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	}
	return m, nil
}

// watch starts 20 subscribers, 5 pages and a scraper.
func watch(ctx context.Context, wg *sync.WaitGroup, events, page string) error {
	for range 20 {
		sub, err := zsock.NewSub(zsock.Config{})
		if err != nil {
			return err
		}
		if err := errors.Join(sub.Subscribe(""), sub.Dial(events)); err != nil {
			return err
		}
		wg.Go(func() {
			for {
				if _, err := sub.Recv(ctx); err != nil {
					closing, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
					defer done()
					_ = sub.Close(closing) // nothing is lost: it only listens
					return
				}
			}
		})
	}
	for range 5 {
		wg.Go(func() { keep(ctx, "http://"+page+"/live") })
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			get(ctx, "http://"+page+"/metrics")
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	})
	return nil
}

// keep holds a stream open, again and again until the sink is there.
func keep(ctx context.Context, url string) {
	for ctx.Err() == nil {
		get(ctx, url)
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // until it ends or we do
}
