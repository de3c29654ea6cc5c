//go:build unix

// Command isolated measures what it costs that transforms run in child processes: `farm run` over the same
// photographs with
// --isolate and without, in turn: go run ./bench/isolated [-rounds 9] [-copies 6] [-size 64,128,256] DIR.
//
// What counts is processor time, of all processes and with their start, and the clock; of each the median of the
// rounds, and of the ratios the median over pairs of rounds, since what else a machine does changes from minute to
// minute.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 9, "runs of each kind")
	copies := flag.Int("copies", 6, "how often each image of DIR is in a run")
	size := flag.String("size", "64,128,256", "thumbnails to make")
	tags := flag.String("tags", "", "build tags")
	flag.Parse()
	log.SetFlags(0)
	if flag.NArg() != 1 {
		log.Fatal("name a directory of photographs")
	}
	dir, err := os.MkdirTemp("", "isolated")
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(run(dir, flag.Arg(0), *rounds, *copies, *size, *tags), os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
}

func run(dir, photos string, rounds, copies int, size, tags string) error {
	build := exec.Command("go", "build", "-tags", tags, "-o", dir+"/", "./farm")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building, in the module's directory: %w", err)
	}
	n, err := copyAll(photos, dir+"/in", copies)
	if err != nil {
		return err
	}
	var wall, cpu [2][]float64 // not isolated, isolated
	for round := range rounds {
		for i := range 2 {
			k := (i + round) % 2 // which comes first changes
			out := filepath.Join(dir, "out", fmt.Sprint(round), fmt.Sprint(k))
			cmd := exec.Command(dir+"/farm", "run", "--quiet", "--progress", "none", "--http", "",
				"--isolate="+strconv.FormatBool(k == 1), "--size", size, "--out", out, dir+"/in")
			start := time.Now()
			if text, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("farm run: %w: %s", err, text)
			}
			usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			if !ok {
				return errors.New("this system does not say what a process used")
			}
			wall[k] = append(wall[k], time.Since(start).Seconds())
			cpu[k] = append(cpu[k], time.Duration(usage.Utime.Nano()+usage.Stime.Nano()).Seconds())
		}
	}
	fmt.Printf("%d images, %d rounds of each, medians\n", n, rounds)
	show("processor time, ms an image", cpu, float64(n))
	show("clock, ms an image", wall, float64(n))
	return nil
}

func show(what string, v [2][]float64, n float64) {
	ratios := make([]float64, len(v[0]))
	for i := range ratios {
		ratios[i] = v[1][i] / v[0][i]
	}
	fmt.Printf("%-28s %6.2f not isolated, %6.2f isolated: %+.1f %%\n", what, 1000*median(v[0])/n, 1000*median(v[1])/n,
		100*(median(ratios)-1))
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// copyAll writes each file of from n times into to, and returns how many it wrote.
func copyAll(from, to string, n int) (written int, err error) {
	entries, err := os.ReadDir(from)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return 0, err
		}
		for i := range n {
			dir := filepath.Join(to, fmt.Sprint(i))
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, e.Name()), data, 0o644)); err != nil {
				return 0, err
			}
			written++
		}
	}
	return written, nil
}
