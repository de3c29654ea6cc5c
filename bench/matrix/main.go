// Command matrix times the farm beside vipsthumbnail and Pillow for every kind of input and operation that people
// bring, not only for the one that is fast:
//
//	go run ./bench/matrix [-wide] [-rounds 3] [-only TEXT] [-portable] bench/corpus.d
//
// It takes photographs of 12 megapixels from the corpus and makes each kind of input of them. Then it runs each
// program on each row, in turn, with two processes (the farm: `farm run` with two slots), from the page cache, start
// of the programs included. It prints one Markdown table, in it for each row the ratio of vipsthumbnail's time to
// the farm's (over 1: the farm is faster), and for both the bytes of the outputs and the PSNR against a full-size
// reference. What is not installed is left out with a word. With -portable the farm uses no installed C libraries.
//
// Where vipsthumbnail lacks an operation (sharpen, gray), it is timed without it. With -wide the table has the other
// kinds of input and the other operations. There, what vipsthumbnail lacks is done by chain.c with libvips.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	_ "image/jpeg"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
)

func main() {
	rounds := flag.Int("rounds", 3, "how often each row is run; the table has medians")
	only := flag.String("only", "", "rows whose name holds this text")
	photos := flag.Int("photos", 8, "photographs of 12 megapixels to take from the corpus")
	tags := flag.String("tags", "", "build tags of the farm")
	portable := flag.Bool("portable", false, "the farm uses no installed C libraries")
	wide := flag.Bool("wide", false, "the other kinds of input and the other operations")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, flag.Arg(0), *only, *tags, *rounds, *photos, *portable, *wide); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

// bench is one table on its way.
type bench struct {
	work   string
	inputs map[string]string // directory of each kind of input
	photos []string          // the masters
	codecs string            // what of the environment says which codecs the farm uses
}

func run(ctx context.Context, corpus, only, tags string, rounds, photos int, portable, wide bool) error {
	if corpus == "" {
		return fmt.Errorf("name a directory of photographs, such as bench/corpus.d")
	}
	work, err := os.MkdirTemp("", "imagefarm-matrix-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := &bench{work: work, codecs: native.Env + "=" + native.Native}
	if portable {
		b.codecs = native.Env + "=" + native.Portable
	}
	build := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-o", work+"/farm", "./farm")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the farm: %w", err)
	}
	if b.photos, err = masters(ctx, work, corpus, photos); err != nil {
		return err
	}
	var chosen []row
	all := rows()
	if wide {
		all = wideRows()
		if err := b.buildChain(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "matrix: what vipsthumbnail lacks is left out:", err)
		}
	}
	for _, r := range all {
		if strings.Contains(r.name, only) {
			chosen = append(chosen, r)
		}
	}
	if b.inputs, err = makeInputs(ctx, work, b.photos, chosen); err != nil {
		return err
	}
	if err := makeAssets(b.assets()); err != nil {
		return err
	}
	if err := exec.CommandContext(ctx, "sync").Run(); err != nil { // or the farm's own syncs wait for the inputs
		return fmt.Errorf("sync: %w", err)
	}
	fmt.Printf("%d photographs of 12 megapixels, two processes, medians of %d rounds.\n\n", len(b.photos), rounds)
	fmt.Println("| from → recipe | vips ÷ farm | by processor time | Pillow ÷ farm " +
		"| farm ms | KB | dB | vips ms | KB | dB |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	var failed error
	for _, r := range chosen {
		if b.inputs[r.input] == "" {
			continue
		}
		if err := b.row(ctx, r, rounds); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", r.name, err))
		}
	}
	return failed
}

// sample is what one run of one program took, for each image.
type sample struct{ clock, processor time.Duration }

// row runs every program on a row and prints its line.
func (b *bench) row(ctx context.Context, r row, rounds int) error {
	programs := map[string]func(context.Context, row, string) (sample, error){"farm": b.farm, "vips": b.vips,
		"pillow": b.pillow}
	if !r.chain && r.vips == nil {
		delete(programs, "vips")
	}
	if r.pillow == nil {
		delete(programs, "pillow")
	}
	samples := make(map[string][]sample)
	outs := make(map[string]string)
	for round := range rounds {
		names := slices.Sorted(maps.Keys(programs))
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			out := filepath.Join(b.work, "out", name+strconv.Itoa(round))
			if err := os.RemoveAll(out); err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			s, err := programs[name](ctx, r, out)
			if err != nil {
				if name == "farm" || ctx.Err() != nil {
					return err
				}
				if round == 0 {
					fmt.Fprintf(os.Stderr, "matrix: %s, %s: %v\n", r.name, name, err)
				}
				continue
			}
			samples[name], outs[name] = append(samples[name], s), out
		}
	}
	farm, vips, pillow := median(samples["farm"]), median(samples["vips"]), median(samples["pillow"])
	ratio := func(a, b time.Duration) string {
		if a == 0 || b == 0 {
			return "–"
		}
		return fmt.Sprintf("%.2f", float64(a)/float64(b))
	}
	note := ""
	if r.plain {
		note = " (vips without the last)"
	}
	fmt.Printf("| %s%s | **%s** | %s | %s | %s | %s | %s |\n", r.name, note, ratio(vips.clock, farm.clock),
		ratio(vips.processor, farm.processor), ratio(pillow.clock, farm.clock),
		milliseconds(farm.clock), b.quality(r, outs["farm"], false), milliseconds(vips.clock)+" | "+b.quality(r,
			outs["vips"], r.plain))
	return nil
}

func milliseconds(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", float64(d)/1e6)
}

// median is that of the clock and that of the processor time.
func median(s []sample) sample {
	if len(s) == 0 {
		return sample{}
	}
	clock, processor := make([]time.Duration, len(s)), make([]time.Duration, len(s))
	for i := range s {
		clock[i], processor[i] = s[i].clock, s[i].processor
	}
	slices.Sort(clock)
	slices.Sort(processor)
	return sample{clock[len(s)/2], processor[len(s)/2]}
}

// timed runs commands at the same time.
func (b *bench) timed(ctx context.Context, images int, commands ...*exec.Cmd) (sample, error) {
	start := time.Now()
	logs := make([]bytes.Buffer, len(commands))
	for i, c := range commands {
		c.Stdout, c.Stderr = &logs[i], &logs[i]
		c.Env = append(os.Environ(), "VIPS_CONCURRENCY=1", "OMP_NUM_THREADS=1", b.codecs)
		if err := c.Start(); err != nil {
			return sample{}, err
		}
	}
	var failed error
	var s sample
	for i, c := range commands {
		if err := c.Wait(); err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w: %s", c.Path, err, lastLine(logs[i].Bytes()))
		}
		s.processor += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	s.clock = time.Since(start) / time.Duration(images)
	s.processor /= time.Duration(images)
	return s, failed
}

// copies is how often each photograph is made in a run, so that starting programs weighs little.
func (r row) copies() int {
	if r.input == "small" {
		return 60
	}
	return 3
}

func (b *bench) files(r row) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(b.inputs[r.input], "*"))
	return found, err
}

// copied returns a directory with all copies of a row's inputs, and their names. The farm wants different names for
// what it is to make more than once; libvips would not decode a file again that it has in its cache by that name.
func (b *bench) copied(r row) (in string, all []string, err error) {
	in = filepath.Join(b.work, "copies", r.input)
	files, err := b.files(r)
	for i := range r.copies() {
		dir := filepath.Join(in, strconv.Itoa(i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", nil, err
		}
		for _, f := range files {
			to := filepath.Join(dir, filepath.Base(f))
			if err := os.Link(f, to); err != nil && !os.IsExist(err) {
				return "", nil, err
			}
			all = append(all, to)
		}
	}
	return in, all, err
}

func (b *bench) farm(ctx context.Context, r row, out string) (sample, error) {
	in, files, err := b.copied(r)
	if err != nil {
		return sample{}, err
	}
	return b.timed(ctx, len(files), exec.CommandContext(ctx, filepath.Join(b.work, "farm"), "run", "--quiet",
		"--progress", "none",
		"--http", "", "--slots", "2", "--max-message", "256MiB", "--assets", b.assets(), "--out", out,
		"--variant", "x="+r.recipe, in))
}

// halves divides all copies among two processes.
func (b *bench) halves(r row) (one, two []string, err error) {
	_, files, err := b.copied(r)
	for i, f := range files {
		if i%2 == 0 {
			one = append(one, f)
		} else {
			two = append(two, f)
		}
	}
	return one, two, err
}

func (b *bench) vips(ctx context.Context, r row, out string) (sample, error) {
	one, two, err := b.halves(r)
	if err != nil {
		return sample{}, err
	}
	var commands []*exec.Cmd
	for _, files := range [][]string{one, two} {
		name, args := "vipsthumbnail", append(slices.Clone(r.vips), "-o", out+"/%s"+r.save)
		if r.chain {
			name, args = filepath.Join(b.work, "chain"), []string{pixels(r.recipe), r.save, out}
		}
		for _, f := range files {
			args = append(args, f+r.load)
		}
		c := exec.CommandContext(ctx, name, args...)
		c.Dir = b.assets()
		commands = append(commands, c)
	}
	return b.timed(ctx, len(one)+len(two), commands...)
}

func (b *bench) pillow(ctx context.Context, r row, out string) (sample, error) {
	one, two, err := b.halves(r)
	if err != nil {
		return sample{}, err
	}
	suffix, _, _ := strings.Cut(r.save, "[")
	var commands []*exec.Cmd
	for _, files := range [][]string{one, two} {
		args := append([]string{"bench/matrix/pillow.py"}, r.pillow...)
		args = append(append(args, suffix, out), files...)
		commands = append(commands, exec.CommandContext(ctx, python(), args...))
	}
	return b.timed(ctx, len(one)+len(two), commands...)
}

// python is a Python that has Pillow, if there is one.
func python() string {
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(name, "-c", "import PIL").Run() == nil {
			return name
		}
	}
	return "python3"
}

func sizeOf(name string) (w, h int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(f)
	return c.Width, c.Height, err
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}
