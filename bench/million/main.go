// Command million sends a million tasks that make nothing through ventilator, worker and sink as three processes
// over TCP, and watches their memory: go run ./bench/million [-n 1000000].
//
// The images are hard links to small files, so that finding and reading them is real; the engine makes nothing.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	n := flag.Int("n", 1_000_000, "tasks")
	slots := flag.Int("slots", 2, "slots of the worker")
	every := flag.Duration("every", 5*time.Second, "how often memory is looked at")
	flag.Parse()
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "million")
	if err != nil {
		log.Fatal(err)
	}
	err = errors.Join(run(dir, *n, *slots, *every), os.RemoveAll(dir))
	if err != nil {
		log.Fatal(err)
	}
}

// perFile is below the number of links that common file systems allow; perDir keeps directories of a usual size.
const (
	perFile = 30_000
	perDir  = 1_000
)

// plant makes n names of small images below dir.
func plant(dir string, n int) error {
	var original string
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("%04d", i/perDir), fmt.Sprintf("%03d.jpg", i%perDir))
		if i%perDir == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return err
			}
		}
		if i%perFile == 0 {
			original = name
			if err := os.WriteFile(name, []byte("\xff\xd8\xff and nothing more"), 0o644); err != nil {
				return err
			}
			continue
		}
		if err := os.Link(original, name); err != nil {
			return err
		}
	}
	return nil
}

// process is one role.
type process struct {
	name string
	cmd  *exec.Cmd
	log  io.Reader
}

func start(bin, name string, args ...string) (*process, error) {
	cmd := exec.Command(filepath.Join(bin, name), args...)
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	return &process{name: name, cmd: cmd, log: out}, cmd.Start()
}

// resident returns the process's resident memory of its own, in MB.
func (p *process) resident() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

func run(dir string, n, slots int, every time.Duration) (err error) {
	bin, photos := filepath.Join(dir, "bin"), filepath.Join(dir, "photos")
	build := exec.Command("go", "build", "-o", bin+"/", "./sink", "./worker", "./ventilator")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building, in the module's directory: %w", err)
	}
	fmt.Printf("planting %d images\n", n)
	if err := plant(photos, n); err != nil {
		return err
	}
	sink, err := start(bin, "sink", "--out", filepath.Join(dir, "out"), "--http", "", "--log-format", "json",
		"--control", "tcp://127.0.0.1:0", "--events", "tcp://127.0.0.1:0", "--results", "tcp://127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end(sink)) }()
	lines := bufio.NewScanner(sink.log)
	var at []string
	endpoints := regexp.MustCompile(`"results":"([^"]+)","events":"([^"]+)","control":"([^"]+)"`)
	for at == nil && lines.Scan() {
		at = endpoints.FindStringSubmatch(lines.Text())
	}
	if at == nil {
		return errors.New("the sink did not say where it listens")
	}
	go func() {
		for lines.Scan() {
		}
	}()
	ventilator, err := start(bin, "ventilator", "--bind", "ipc://"+filepath.Join(dir, "tasks"), "--control", at[3],
		"--events", at[2],
		"--http", "", "--progress", "plain", "--log-level", "warn", photos)
	if err != nil {
		return err
	}
	worker, err := start(bin, "worker", "--engine", "noop", "--isolate=false", "--slots", strconv.Itoa(slots),
		"--prefetch", "512", "--http", "",
		"--ventilator", "ipc://"+filepath.Join(dir, "tasks"), "--results", at[1], "--log-level", "warn")
	if err != nil {
		return errors.Join(err, end(ventilator))
	}
	defer func() { err = errors.Join(err, end(worker)) }()
	go func() { _, _ = io.Copy(os.Stderr, worker.log) }()

	begun, over := time.Now(), make(chan string, 1)
	go func() {
		last := ""
		for out := bufio.NewScanner(ventilator.log); out.Scan(); {
			last = out.Text()
			if strings.Contains(last, "images found") || strings.Contains(last, "worked on") {
				fmt.Println(last)
			}
		}
		over <- last
	}()
	fmt.Println("seconds  ventilator  worker  sink  (resident memory, MB)")
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			fmt.Printf("%7.0f  %10.0f  %6.0f  %4.0f\n", time.Since(begun).Seconds(), ventilator.resident(), worker.resident(),
				sink.resident())
		case <-over:
			err := ventilator.cmd.Wait()
			took := time.Since(begun)
			fmt.Printf("%d tasks in %v: %.0f tasks/s\n", n, took.Round(time.Second/10), float64(n)/took.Seconds())
			return err
		}
	}
}

// end stops a process as an operator would.
func end(p *process) error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return p.cmd.Wait()
}
