// Command watched measures what it costs a farm to be looked at: the same run with nobody watching and with 20 subscribers
// of all events, 5 open pages and a scrape every second, in turn: go run ./bench/watched [-rounds 5] [-copies 6] DIR.
//
// The watchers run on the same machine, in this process: what they cost themselves is part of the figure.
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

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func main() {
	rounds := flag.Int("rounds", 5, "runs of each kind")
	copies := flag.Int("copies", 6, "how often each image of DIR is in a run")
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
	build := exec.Command("go", "build", "-tags", "nodynamic", "-o", dir+"/bin/", "./sink", "./worker", "./ventilator")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building, in the module's directory: %w", err)
	}
	if err := multiply(photos, dir+"/in", copies); err != nil {
		return err
	}
	speeds := map[bool][]float64{}
	var ratios []float64
	for round := range rounds {
		var pair [2]float64
		for i := range 2 {
			watched := (i+round)%2 == 1 // which comes first changes
			speed, err := once(dir, watched)
			if err != nil {
				return err
			}
			speeds[watched] = append(speeds[watched], speed)
			if watched {
				pair[1] = speed
			} else {
				pair[0] = speed
			}
		}
		ratios = append(ratios, pair[1]/pair[0])
		fmt.Printf("round %d: %.1f img/s alone, %.1f watched, ratio %.3f\n", round+1, pair[0], pair[1], pair[1]/pair[0])
	}
	fmt.Printf("medians: %.1f img/s alone, %.1f watched, ratio %.3f\n", median(speeds[false]), median(speeds[true]), median(ratios))
	return nil
}

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

// once does one run and returns its images per second, as the ventilator measured them.
func once(dir string, watched bool) (float64, error) {
	ports, err := freePorts(5)
	if err != nil {
		return 0, err
	}
	control, events, tasks, results, page := "tcp://"+ports[0], "tcp://"+ports[1], "tcp://"+ports[2], "tcp://"+ports[3], ports[4]
	out := filepath.Join(dir, "out")
	if err := os.RemoveAll(out); err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var watchers sync.WaitGroup
	defer func() { stop(); watchers.Wait() }()
	sink := exec.Command(dir+"/bin/sink", "--out", out, "--control", control, "--events", events, "--results", results, "--http", page, "-q")
	worker := exec.Command(dir+"/bin/worker", "--slots", "2", "--ventilator", tasks, "--results", results, "--http", "", "-q")
	for _, c := range []*exec.Cmd{sink, worker} {
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			return 0, err
		}
		defer func() { _ = c.Process.Signal(os.Interrupt); _ = c.Wait() }() // it has done its part
	}
	if watched {
		if err := watch(ctx, &watchers, events, page); err != nil {
			return 0, err
		}
	}
	ventilator := exec.Command(dir+"/bin/ventilator", "--bind", tasks, "--control", control, "--events", events, "--http", "",
		"--progress", "json", "--log-level", "error", filepath.Join(dir, "in"))
	log, err := ventilator.StderrPipe()
	if err != nil {
		return 0, err
	}
	if err := ventilator.Start(); err != nil {
		return 0, err
	}
	var last struct {
		MessageType string  `json:"message_type"`
		Speed       float64 `json:"images_per_second"`
	}
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if strings.Contains(lines.Text(), `"summary"`) {
			if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
				return 0, err
			}
		}
	}
	return last.Speed, ventilator.Wait()
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
