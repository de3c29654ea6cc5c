package isolate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/sysmon"
)

const (
	childEnv  = "IMAGEFARM_CHILD" // set in the environment of children, and only there
	maxStack  = 128 << 20         // bytes of one goroutine's stack in a child: more is endless recursion
	gcPercent = 200
	maxTexts  = 32 // parsed recipes that a child remembers
)

// Main turns a process that an Engine started into a child. Call it first in main. In every other process Main returns
// false at once.
//
// In a child Main opens the engine, giving open Config.Engine, Config.Settings and the libraries to load, and
// transforms until the parent ends. Then it returns true, and main must return too. If the parent ends during a
// transform, Main exits.
//
// After open has returned, the engine can open no file: open loads the libraries and reads the files that transforms
// need.
func Main(open Opener) bool {
	if os.Getenv(childEnv) == "" {
		return false
	}
	// Programs that the engine starts are not children.
	os.Unsetenv(childEnv)
	prepared := prepareSandbox()
	sysmon.Deprioritize()
	if err := serve(open, prepared); err != nil {
		fmt.Fprintln(os.Stderr, "imagefarm child:", err)
		os.Exit(1)
	}
	return true
}

// Opener opens an engine in a child.
type Opener func(name string, settings []byte, libraries Libraries) (engine.Engine, error)

// server is the child's side of the protocol.
type server struct {
	setup   setup
	engine  engine.Engine
	in      *bufio.Reader
	out     io.Writer
	input   []byte // shared memory, or the last image that came through the pipe
	output  []byte // shared memory, or nil
	message []byte // the message being sent
	texts   map[string]recipe.Recipe
	ended   chan error
}

func serve(open Opener, prepared error) error {
	// A terminal sends Ctrl-C to children too; only the parent decides what it means.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	in, out, err := childPipes()
	if err != nil {
		return err
	}
	s := &server{in: bufio.NewReaderSize(in, 16<<10), out: out, texts: make(map[string]recipe.Recipe)}
	var buf []byte
	kind, body, err := readMessage(s.in, &buf, maxRequest)
	if err != nil {
		return fmt.Errorf("read the setup: %w", err)
	}
	if kind != kindSetup {
		return fmt.Errorf("the first message is of kind %d, not a setup", kind)
	}
	if s.setup, err = parseSetup(body); err != nil {
		return fmt.Errorf("read the setup: %w", err)
	}
	debug.SetMaxStack(maxStack)
	if os.Getenv("GOGC") == "" {
		// A child's heap is small between images: at the default of 100 it would be collected several times during
		// each.
		debug.SetGCPercent(gcPercent)
	}
	// Near the limit the collector works harder, so that garbage does not count against the image.
	debug.SetMemoryLimit(int64(s.setup.memory) / 10 * 9)
	if s.engine, err = open(s.setup.engine, []byte(s.setup.settings), s.setup.libraries); err != nil {
		return fmt.Errorf("open the engine %q: %w", s.setup.engine, err)
	}
	if s.setup.shared {
		if s.input, s.output, err = mapShared(s.setup.input, Turns*uint64(aligned(int64(s.setup.output)))); err != nil {
			return fmt.Errorf("map the shared memory: %w", err)
		}
	}
	if err := confine(int64(s.setup.memory)); err != nil {
		// Some sandboxes refuse resource limits. The parent still looks, and the collector has its soft limit.
		fmt.Fprintln(os.Stderr, "imagefarm child: the kernel does not limit its memory:", err)
	}
	unmapStart()
	var r ready
	if s.setup.sandbox {
		r.layers = closeSandbox(prepared, s.setup.shared)
	}
	if _, err := s.out.Write(r.append(nil)); err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	s.ended = make(chan error, Turns+1) // room for each turn and the one after
	first := make(chan struct{})
	close(first)
	go s.turn(buf, first)
	return <-s.ended
}

// turn reads one request, starts the turn after it, and answers the request when the turn before is done. A request is
// thus carried out by the goroutine that read it, without a switch. And one goroutine always reads: a child whose
// parent is gone exits even if its transform never ends.
func (s *server) turn(buf []byte, before <-chan struct{}) {
	kind, body, err := readMessage(s.in, &buf, maxRequest)
	switch {
	case errors.Is(err, io.EOF):
		select {
		case <-before:
			s.ended <- nil
		default:
			os.Exit(0)
		}
		return
	case err != nil:
		s.ended <- fmt.Errorf("read a request: %w", err)
		return
	case kind != kindTransform:
		s.ended <- fmt.Errorf("a request of unknown kind %d", kind)
		return
	}
	q, err := parseRequest(body, s.setup.input)
	done := make(chan struct{})
	if s.setup.shared && err == nil {
		go s.turn(buf, done)
	}
	<-before
	if !s.setup.shared && err == nil {
		if err = s.readImage(int(q.length)); err == nil {
			go s.turn(buf, done)
		}
	}
	if err != nil {
		s.ended <- fmt.Errorf("read a request: %w", err)
		return
	}
	if err := s.answer(q); err != nil {
		s.ended <- err
		return
	}
	close(done)
}

func (s *server) readImage(n int) error {
	if cap(s.input) < n || cap(s.input) > keep && n <= keep {
		s.input = make([]byte, n)
	}
	s.input = s.input[:n]
	_, err := io.ReadFull(s.in, s.input)
	return err
}

// answer carries out q and writes the reply. An error ends the child.
func (s *server) answer(q request) error {
	data := s.input[:q.length:q.length]
	if s.setup.shared {
		data = s.input[q.offset : q.offset+q.length : q.offset+q.length]
	}
	r := s.transform(q, data)
	message, err := r.append(s.message)
	if err != nil {
		r = reply{task: q.task, failure: fmt.Sprintf("the engine %s answered with %v", s.engine.Name(), err)}
		message, _ = r.append(s.message)
	}
	s.message = message
	if r.result != nil && s.setup.shared {
		to := s.output[outputAt(q.task, len(s.output)):]
		for _, o := range r.result.Outputs {
			to = to[copy(to, o.Data):]
		}
	}
	if _, err := s.out.Write(message); err != nil {
		return fmt.Errorf("write a reply: %w", err)
	}
	if r.result != nil && !s.setup.shared {
		for _, o := range r.result.Outputs {
			if _, err := s.out.Write(o.Data); err != nil {
				return fmt.Errorf("write an output: %w", err)
			}
		}
	}
	return nil
}

// transform runs the engine. It does not recover from panics: a panic may leave damage behind that spoils the next
// image.
func (s *server) transform(q request, data []byte) reply {
	r := reply{task: q.task}
	rec, err := s.recipe(q.recipe)
	if err != nil {
		r.failure = fmt.Sprintf("the recipe %q: %v", q.recipe, err)
		return r
	}
	res, err := s.engine.Transform(context.Background(), data, rec)
	if errors.As(err, &r.rejection) {
		return r
	}
	if err != nil {
		r.failure = err.Error()
		return r
	}
	if len(res.Outputs) != len(rec.Variants) {
		r.failure = fmt.Sprintf("the engine %s made %d outputs of %d variants",
			s.engine.Name(), len(res.Outputs), len(rec.Variants))
		return r
	}
	for i, o := range res.Outputs {
		if o.Variant != rec.Variants[i].Name {
			r.failure = fmt.Sprintf("the engine %s made the variant %q where the recipe has %q",
				s.engine.Name(), o.Variant, rec.Variants[i].Name)
			return r
		}
		r.sizes = append(r.sizes, int64(len(o.Data)))
		r.total += int64(len(o.Data))
	}
	if r.total > int64(s.setup.output) {
		r.rejection = outcome.Reject(outcome.TooLarge, "its outputs take %s, the limit is %s",
			sizeText(r.total), sizeText(int64(s.setup.output)))
		return r
	}
	r.result = res
	return r
}

// recipe returns the recipe of a canonical text, parsed once: the tasks of a run share few.
func (s *server) recipe(text string) (recipe.Recipe, error) {
	if r, ok := s.texts[text]; ok {
		return r, nil
	}
	r, err := recipe.ParseCanonical(text)
	if err != nil {
		return recipe.Recipe{}, err
	}
	if len(s.texts) >= maxTexts {
		clear(s.texts)
	}
	s.texts[text] = r
	return r, nil
}

// sizeText prints a number of bytes for people.
func sizeText(n int64) string {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	switch {
	case n >= gib:
		return fmt.Sprintf("%.1f GiB", float64(n)/gib)
	case n >= mib:
		return fmt.Sprintf("%.1f MiB", float64(n)/mib)
	case n >= kib:
		return fmt.Sprintf("%.1f KiB", float64(n)/kib)
	}
	return fmt.Sprintf("%d bytes", n)
}
